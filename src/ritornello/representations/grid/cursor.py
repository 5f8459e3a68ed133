"""The cursor of `notes`: songs that are composed row by row, a batch at a time.

In the order of the table, it returns the values of known fields and the allowed classes of choices, and takes
the classes that were drawn. `song_state` has the state of each song. The rows are those of `Notes.encode` for
the finished song: `test_cursor.py` encodes songs and puts their rows through a cursor.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.song_state import Mask, SongState
from ritornello.representations.grid.vocabulary import COLUMN, FIELDS, Ints


class Cursor:
    """A batch of B songs, one row of each at a time; a song that has ended takes no more rows.

    `given` are Scores of the given notes, each with the parts of a canonical song; `prompts` are rows (N, F)
    that come first; `hidden` names known fields that stay unknown ("form", "bars_left", "chord"). If
    bars_left is hidden, END is allowed in every bar.
    """

    def __init__(
        self,
        timelines: Sequence[Timeline],
        given: Sequence[Score | None] | None = None,
        prompts: Sequence[npt.NDArray[Any] | None] | None = None,
        hidden: Collection[str] = (),
    ) -> None:
        nothing = [None] * len(timelines)
        songs = zip(timelines, given or nothing, prompts or nothing, strict=True)
        self.songs = [SongState(*song, hidden) for song in songs]

    @property
    def done(self) -> Mask:
        """Which songs have ended, (B,)."""
        return np.array([song.done for song in self.songs], bool)

    def known(self, field: str) -> Ints:
        """The values (B,) of a known field in the present rows."""
        column = COLUMN[field]
        return np.array([song.row[column] for song in self.songs], np.int64)

    def allowed(self, field: str) -> Mask:
        """Which classes of a choice the present rows may have: (B, size + 1), the last one is void."""
        return np.stack([song.allowed(field) for song in self.songs])

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Take the values (B,) of a choice; after the last choice the next row begins."""
        for song, value in zip(self.songs, np.asarray(values).tolist(), strict=True):
            song.put(field, value)

    def keep(self, songs: Sequence[int]) -> None:
        """Keep only the songs of these indices; the others have ended."""
        self.songs = [self.songs[song] for song in songs]

    def rows(self, index: int) -> npt.NDArray[np.int16]:
        """The complete rows (N, F) of a song so far."""
        return np.array(self.songs[index].rows, np.int16).reshape(-1, len(FIELDS))
