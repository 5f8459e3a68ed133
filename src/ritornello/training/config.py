"""The settings of training: the type, default, allowed range and help of each, defined once.

The options of the command `train`, the keyword arguments of `ritornello.train` and the range checks are made
from these classes. The command's help imports this module, so it imports neither torch nor numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

from ritornello.errors import InputError, check_between

Folder: TypeAlias = str  # the path of a model folder
SIZES = ("tiny", "small", "medium", "large")
DEVICES = ("auto", "cpu", "cuda")
INIT_SHARE = 0.2  # of the learning rate, for a network that begins as another model
PRECISIONS = ("auto", "float32", "bfloat16")


def _metadata(
    help_text: str,
    low: float | None = None,
    high: float | None = None,
    *,
    choices: Sequence[str] = (),
    flag: str = "",
    python_only: bool = False,
) -> dict[str, Any]:
    """The help of a setting, its range (both ends allowed), and how the command line shows it.

    `flag` is the option's name if it is not --NAME; a setting that is `python_only` has no option.
    """
    shown = {"choices": tuple(choices), "flag": flag, "python_only": python_only}
    return {"help": help_text, "low": low, "high": high, **shown}


def _setting(
    help_text: str, default: Any = None, low: float | None = None, high: float | None = None, **shown: Any
) -> Any:
    return field(default=default, metadata=_metadata(help_text, low, high, **shown))


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. It is saved with the model; a run continues only with the same settings."""

    network: str = _setting("lstm, transformer, original, or FILE.py:CLASS.", "lstm")
    representation: str | None = _setting(
        "How songs become rows: notes, chorale, messages (see `explain`), or FILE.py:CLASS; by default the "
        "network's own."
    )
    loss: str | None = _setting(
        "cross_entropy, interval, or FILE.py:CLASS; by default the network's own loss."
    )
    network_config: dict[str, Any] = field(
        default_factory=dict, metadata=_metadata("Settings of the network by name.", python_only=True)
    )
    frame: str | None = _setting(
        "key: for training, move songs to C major or A minor by their estimated key, and compose in any key; "
        "none: leave them as they are. By default key for notes, or as in the model of --init.",
        choices=("key", "none"),
    )
    init: Folder | None = field(
        default=None, metadata=_metadata("A model folder; training starts from its weights.")
    )
    only: str | None = _setting(
        "Fields or groups of fields, separated by commas, whose weights alone are trained.", python_only=True
    )
    teachers: list[Folder] | None = field(
        default=None,
        metadata=_metadata(
            "A model folder whose predictions are learnt in addition to the songs; several are averaged.",
            flag="--teacher",
        ),
    )
    minutes: float | None = _setting(
        "The time for all of the training, in minutes; 10 by default.", None, 0.01, 10**6
    )
    steps: int | None = _setting("Train for this many steps, instead of minutes.", None, 1, 10**9)
    epochs: float | None = _setting(
        "Train for this many passes over the corpus, instead of minutes.", None, 0.01, 10**6
    )
    pace: list[list[int]] | None = field(
        default=None,
        metadata=_metadata(
            "training.pace in the model.json of a run of some minutes, which it repeats, instead of minutes.",
            python_only=True,
        ),
    )
    sketch_steps: int | None = _setting(
        "Steps of the sketch network, instead of a share of the time; 0: the model gets none.",
        None,
        0,
        10**6,
        python_only=True,
    )
    batch: int | None = _setting(
        "Crops in a step; by default 32, or 256 for the network original.", None, 1, 65536
    )
    learning_rate: float | None = _setting(
        "The highest learning rate, by default 0.004, or 0.002 for original, and a fifth of it with --init; "
        "it falls along a cosine to a twentieth.",
        None,
        0,
        10,
    )
    warmup_steps: int = _setting(
        "Steps in which the learning rate rises from 0; at most a tenth of all.", 100, python_only=True
    )
    average: float = _setting(
        "Weight of the past in the running average of the network's weights.", 0.998, python_only=True
    )
    measure_every: int = _setting(
        "Steps between two held-out measurements, each with a checkpoint.", 200, python_only=True
    )
    heldout_windows: int | None = _setting(
        "Rows of a held-out measurement; windows for a network that learns only a window's last row.",
        python_only=True,
    )
    patience: int = _setting(
        "Stop after this many measurements in a row without progress; 0 never stops.", 0, 0, 10**6
    )
    genre_power: float = _setting(
        "A genre is drawn by its number of notes to this power; 1: by its size, 0: all genres equally often.",
        0.5,
        python_only=True,
    )
    label_weights: dict[str, float] = field(
        default_factory=dict,
        metadata=_metadata("How much more often songs of a label are drawn; 1 by default.", python_only=True),
    )
    vary: dict[str, Any] = field(
        default_factory=dict, metadata=_metadata("Settings of crops.Augmentation by name.", python_only=True)
    )
    seed: int = _setting("Seed of the initial weights and of the batches; 0 by default.", 0, 0, (1 << 63) - 1)
    threads: int | None = _setting(
        "Threads of the CPU; by default 1, or all cores but one for a large network.", None, 1, 1024
    )
    device: str = _setting("auto takes a GPU if there is one.", "auto", choices=DEVICES)
    precision: str = _setting(
        "The precision of matrix products; auto is bfloat16 if the hardware has it.",
        "auto",
        choices=PRECISIONS,
    )
    compile: bool = _setting("Use torch.compile, which first takes 13 minutes on one core of a CPU.", False)
    memory_mb: int = _setting("MB of memory for songs encoded when needed.", 1024, 1, 10**6, flag="--memory")

    @property
    def models(self) -> list[str]:
        """The model folders that training uses; their training songs count as those of the new model."""
        return [*([self.init] if self.init else []), *(self.teachers or [])]

    def check_ranges(self) -> None:
        """Raise InputError for a value out of its range, or if the duration is not given exactly once."""
        durations = self.steps, self.minutes, self.epochs, self.pace
        if sum(duration is not None for duration in durations) != 1:
            raise InputError("give the length of training once: minutes, steps or epochs")
        for setting in fields(self):
            if (low := setting.metadata["low"]) is not None:
                check_between(setting.name, getattr(self, setting.name), low, setting.metadata["high"])

    def resolved(self, network: Any) -> TrainConfig:
        """Return the config with the network's own `batch`, `learning_rate` and `heldout` where left open.

        A network that begins as another model gets INIT_SHARE of the learning rate: with all of it, 100 rock
        songs cost 3.84 nats a row at best, with a fifth 3.51.
        """
        own_rate = network.learning_rate * (1.0 if self.init is None else INIT_SHARE)
        return replace(
            self,
            batch=self.batch or network.batch,
            learning_rate=self.learning_rate or own_rate,
            heldout_windows=self.heldout_windows or network.heldout,
        )


@dataclass(frozen=True)
class NetworkOptions:
    """The settings of a network that are options of the command `train`; None: the network's default."""

    size: str | None = _setting("The size of the network: 1, 5, 15 or 65 million parameters.", choices=SIZES)
    window: int | None = _setting("Rows in a crop; by default 256, or 50 for original.")
    dropout: float | None = _setting("Share of the network that is set to zero in training, 0-0.9.")
    interval: float | None = _setting("Weight of the interval loss that is added to the cross-entropy.")
    weighting: str | None = _setting(
        "Of original: an error of the whole range of velocity or time, or of their variance, costs a fifth "
        "of a wrong note; range by default.",
        choices=("range", "variance"),
    )


TRAIN_LIMITS: dict[str, tuple[float, float]] = {
    setting.name: (setting.metadata["low"], setting.metadata["high"])
    for setting in fields(TrainConfig)
    if setting.metadata["low"] is not None
}
