"""Train a network on a corpus: the function `ritornello.train`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ritornello.models.model import Model
from ritornello.system.extras import require_extra
from ritornello.system.files import file_path
from ritornello.system.progress import Progress
from ritornello.training import schedule
from ritornello.training.config import TrainConfig


def train(
    corpus: str | Path,
    out: str | Path,
    *,
    progress: Progress | None = None,
    report: Callable[[Any, dict[str, float]], None] | None = None,
    network_config: dict[str, Any] | None = None,
    **settings: Any,
) -> Model:
    """Train a network on a corpus and write the model folder `out`; called again, continue where it stopped.

    `settings` are those of `ritornello.training.config.TrainConfig`; `minutes`, `steps` or `epochs` gives
    the length of training. `report` is called after each step with the state of the run and the losses by
    name. Raises InputError, ModelError, FailedError; KeyboardInterrupt after Ctrl-C, once the best state has
    been written.
    """
    began = schedule.CLOCK()
    require_extra("train", "torch", "pyarrow")
    from ritornello.corpus.corpus import Corpus
    from ritornello.training.run_training import run_training

    opened = Corpus.open(corpus)
    config = TrainConfig(network_config=network_config or {}, **settings)
    config.check_ranges()
    return run_training(opened, file_path(out), config, progress, report, began)
