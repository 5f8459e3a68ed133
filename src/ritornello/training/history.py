"""Read the log of a run: the measurements and their steps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError

HELD_OUT = "heldout_"


class History:
    """The lines of `RUN/log.jsonl`: step 1 and the measurements. Raises InputError if there are none."""

    def __init__(self, folder: str | Path) -> None:
        log = Path(folder) / "log.jsonl"
        if not log.is_file():
            raise InputError(
                f"{str(folder)!r} has no log.jsonl: must be a model folder that `ritornello train` wrote"
            )
        texts = log.read_text("utf-8", "replace").splitlines()
        self.lines = [line for text in texts if (line := _line(text))]
        if not any(HELD_OUT + "loss" in line for line in self.lines):
            raise InputError(f"{str(log)!r} has no measurement yet")

    def column(self, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the steps at which `name` was written, and its values, (n,) each."""
        lines = [line for line in self.lines if isinstance(line.get(name), (int, float))]
        pairs = [(line["step"], line[name]) for line in lines]
        steps, values = np.array(pairs, np.float64).reshape(-1, 2).T
        return steps, values

    @property
    def parts(self) -> list[str]:
        """The parts of the held-out loss, such as "pitch", in the order of the log."""
        names = [name.removeprefix(HELD_OUT) for name in self.lines[-1] if name.startswith(HELD_OUT)]
        return [name for name in names if name != "loss"]

    def best(self) -> dict[str, Any]:
        """Return the line with the lowest held-out loss."""
        return min(self.lines, key=lambda line: line.get("heldout_loss", float("inf")))


def is_before(text: str, step: int) -> bool:
    """Return whether a line of the log is complete and not of a later step than `step`."""
    line = _line(text)
    return line is not None and int(line["step"]) <= step


def _line(text: str) -> dict[str, Any] | None:
    """A line of the log; None for a line that an interrupted run left incomplete."""
    try:
        line = json.loads(text)
        return line if isinstance(line, dict) and isinstance(line["step"], int) else None
    except (ValueError, KeyError):
        return None
