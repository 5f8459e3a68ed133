"""Train a network on a corpus: the function `ritornello.train`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ritornello.errors import InputError
from ritornello.models.model import Model
from ritornello.system.extras import require_extra
from ritornello.system.progress import Progress
from ritornello.training.config import TRAIN_LIMITS, TrainConfig


def train(
    corpus: str | Path,
    out: str | Path,
    *,
    progress: Progress | None = None,
    report: Callable[[Any, dict[str, float]], None] | None = None,
    network_config: dict[str, Any] | None = None,
    **settings: Any,
) -> Model:
    """Train a network on a corpus and write the model folder `out`; run again, it goes on where it stopped.

    `settings` are those of `ritornello.training.config.TrainConfig`; `minutes`, `steps` or `epochs` says how
    long.
    Raises InputError, FailedError; KeyboardInterrupt after Ctrl-C, when the best state has been written.
    """
    require_extra("train", "torch", "pyarrow")
    from ritornello.corpus.corpus import Corpus
    from ritornello.training.run_training import run_training

    opened = Corpus.open(corpus)
    config = TrainConfig(network_config=network_config or {}, **settings)
    if sum(how_long is not None for how_long in (config.steps, config.minutes, config.epochs)) != 1:
        raise InputError("say how long to train, once: minutes, steps or epochs")
    for name, (low, high) in TRAIN_LIMITS.items():
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            raise InputError(f"{name} {value}, must be {low}-{high}")
    return run_training(opened, Path(out), config, progress, report)
