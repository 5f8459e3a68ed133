"""How a model is trained, in one table of settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

TRAIN_LIMITS: dict[str, tuple[float, float]] = {
    "steps": (1, 10**9),
    "minutes": (0.01, 10**6),
    "epochs": (0.01, 10**6),
    "batch": (1, 65536),
    "learning_rate": (0, 10),
    "patience": (0, 10**6),
    "memory_mb": (1, 10**6),
    "seed": (0, (1 << 63) - 1),
    "threads": (1, 1024),
}


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. Saved beside the model; a run is resumed only with the same."""

    network: str = "lstm"
    """Name of a network, or FILE.py:CLASS."""
    representation: str | None = None
    """Name of what it reads; None is the network's own."""
    network_config: dict[str, Any] = field(default_factory=dict)
    """The network's own settings, such as its size."""
    init: str | None = None
    """A model folder to begin from, instead of chance."""
    only: str | None = None
    """Fields or groups of fields, with commas between, whose weights alone are learnt; None is all."""
    teachers: list[str] | None = None
    """Model folders whose mean prediction is learnt beside the songs."""
    steps: int | None = None
    """How many steps; or else `minutes`, or `epochs`."""
    minutes: float | None = None
    """How long to train; turned into steps once the first ones are timed."""
    epochs: float | None = None
    """How many times as many rows as the songs have."""
    batch: int | None = None
    """Windows in a step; None is what suits the network."""
    learning_rate: float | None = None
    """At its highest, after the warm-up; it falls along a cosine to a twentieth. None suits the network."""
    warmup_steps: int = 100
    """Steps in which the learning rate rises from 0; at most a tenth of all."""
    average: float = 0.998
    """Weight of the past in the running average of the weights."""
    measure_every: int = 200
    """Steps between two held-out measurements (and checkpoints)."""
    heldout_windows: int | None = None
    """How much a measurement uses at most: windows, or rows where every row is learnt. None suits it."""
    patience: int = 0
    """Stop when so many measurements in a row were no better than the best; 0 never stops early."""
    genre_power: float = 0.5
    """A genre is heard by its notes to this power: 1 as often as it has notes, 0 all genres alike."""
    vary: dict[str, Any] = field(default_factory=dict)
    """Settings of `crops.Variation` that are other than its defaults."""
    seed: int = 0
    """Of initial weights and batches."""
    threads: int | None = None
    """Of the CPU; None is one, and for large networks all cores but one."""
    device: str = "auto"
    """auto, cpu or cuda."""
    precision: str = "auto"
    """auto, float32 or bfloat16: what matrices are multiplied in, where the network bears it."""
    compile: bool = False
    """Whether to use torch.compile: 13 minutes of work first on a core; not measured on a GPU."""
    memory_mb: int = 1024
    """How much of the encoded songs is kept in memory."""

    @property
    def models(self) -> list[str]:
        """The model folders from which it learns, and so what those have heard."""
        return [*([self.init] if self.init else []), *(self.teachers or [])]

    def resolved(self, network: Any) -> TrainConfig:
        """With what was left to the network: its class says `batch`, `learning_rate` and `heldout`."""
        return replace(
            self,
            batch=self.batch or network.batch,
            learning_rate=self.learning_rate or network.learning_rate,
            heldout_windows=self.heldout_windows or network.heldout,
        )
