"""The composing half of `notes`: what is known before each field, which values the grammar allows.

For each row of a song being composed: `known(field)` and `allowed(field)` in the order of the table, and
`put(field, values)` for every choice. Forced rows (given notes, a prompt) allow one value only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.song_state import Mask, SongState
from ritornello.representations.grid.vocabulary import COLUMN, FIELDS


class Cursor:
    """A batch of songs, row by row in step; a song that is done takes no more rows.

    `given` are Scores of notes that are kept, each with the parts of a canonical song; `prompts` rows (N, F)
    that come first; `hidden` names what is not to be known ("form", "bars_left", "chord"). Where bars_left is
    hidden, END is allowed in every bar.
    """

    def __init__(
        self,
        timelines: Sequence[Timeline],
        given: Sequence[Score | None] | None = None,
        prompts: Sequence[npt.NDArray[Any] | None] | None = None,
        hidden: Collection[str] = (),
    ) -> None:
        kept, begun = given or [None] * len(timelines), prompts or [None] * len(timelines)
        self.songs = [
            SongState(timeline, notes, prompt, hidden)
            for timeline, notes, prompt in zip(timelines, kept, begun, strict=True)
        ]

    @property
    def done(self) -> Mask:
        """Which songs have ended, (B,)."""
        return np.array([song.done for song in self.songs], bool)

    def known(self, field: str) -> npt.NDArray[np.int64]:
        """The value of a known field in the present rows, (B,)."""
        column = COLUMN[field]
        return np.array([song.row[column] for song in self.songs], np.int64)

    def allowed(self, field: str) -> Mask:
        """Which values of a choice the present rows may have: (B, size + 1), the last is void."""
        return np.stack([song.allowed(field) for song in self.songs])

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Take the values (B,) of a choice; after the last one comes the next row."""
        for song, value in zip(self.songs, np.asarray(values).tolist(), strict=True):
            song.put(field, value)

    def keep(self, songs: Sequence[int]) -> None:
        """Go on with some of the songs, by their numbers; the others have ended."""
        self.songs = [self.songs[song] for song in songs]

    def rows(self, index: int) -> npt.NDArray[np.int16]:
        """All rows of a song so far, (N, F)."""
        return np.array(self.songs[index].rows, np.int16).reshape(-1, len(FIELDS))
