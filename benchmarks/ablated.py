"""`notes` without what returns: the representations of the ablations in `pop.py` and `groups.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes
from ritornello.representations.table import Rows, start_row


class Plain(Notes):
    """`notes` without the columns of what returns."""

    name = "plain"
    left_out: tuple[str, ...] = ("echo.", "alone.", "form.")

    def __init__(self) -> None:
        kept = [i for i, field in enumerate(Notes.fields) if not field.name.startswith(self.left_out)]
        self.kept = np.array(kept)
        self.fields = tuple(Notes.fields[i] for i in kept)  # type: ignore[misc]

    def encode(
        self, score: Score, timeline: Timeline | None = None, given: npt.NDArray[np.bool_] | None = None
    ) -> Rows:
        """The rows of `notes`, those columns left out."""
        values, learn = super().encode(score, timeline, given)
        return Rows(values[:, self.kept], learn[:, self.kept])

    def room(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """As `notes` says."""
        return super().room(self._whole(values))

    def varied(self, values: npt.NDArray[Any], semitones: int, bins: int) -> npt.NDArray[Any]:
        """As `notes` does."""
        return super().varied(self._whole(values), semitones, bins)[:, self.kept]

    def _whole(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        whole = np.tile(np.array(start_row(Notes.fields), values.dtype), (len(values), 1))
        whole[:, self.kept] = values
        return whole


class WithEcho(Plain):
    """`notes` without form."""

    name = "with echo"
    left_out = ("alone.", "form.")


class WithForm(Plain):
    """`notes` without echo."""

    name = "with form"
    left_out = ("echo.", "alone.")


class WithoutAlone(Plain):
    """`notes` without the echoes of each part by itself."""

    name = "without alone"
    left_out = ("alone.",)
