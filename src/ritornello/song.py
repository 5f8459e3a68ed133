"""Song: what composing gives people: notes, what made them, files, a picture in a notebook."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ritornello import midi
from ritornello.composing.recipe import Recipe
from ritornello.errors import InputError
from ritornello.files import write_bytes, write_json
from ritornello.plan import Plan
from ritornello.score import Score
from ritornello.timeline import Timeline

if TYPE_CHECKING:
    from ritornello.rendering.terminal import TerminalRoll


@dataclass(frozen=True, eq=False)
class Song:
    """A composed song: its notes, what made it, and of a file that was redone the file."""

    score: Score
    recipe: Recipe
    file: bytes | None = None
    nats: float = 0.0
    """How unlikely its choices were to the network, on average, where the best were looked for."""

    @property
    def plan(self) -> Plan:
        """What it was asked to be, nothing left open."""
        return self.recipe.plan

    @property
    def bars(self) -> int:
        """How many bars it has."""
        return len(Timeline.of(self.score))

    def write(self, path: str | Path) -> None:
        """Write it as its ending says: .mid, .png or .svg (the piano roll), .json (the recipe).

        A folder (or a name without an ending) gets them all. Raises InputError, OutputError.
        """
        if is_folder(path):
            for name in ("song.mid", "song.png", "song.svg", "song.json"):
                self.write(Path(path) / name)
            return
        writers: dict[str, Callable[[Path], Any]] = {
            ".mid": self._write_midi,
            ".midi": self._write_midi,
            ".json": lambda file: write_json(file, self.recipe.to_dict()),
            ".png": lambda file: _roll().png(self.score, file),
            ".svg": lambda file: _roll().svg(self.score, file),
        }
        ending = Path(path).suffix.lower()
        if ending not in writers:
            raise InputError(f"{str(path)!r} must end in one of {', '.join(writers)}, or be a folder")
        writers[ending](Path(path))

    def roll(self) -> TerminalRoll:
        """The piano roll for a terminal."""
        drawn: TerminalRoll = _roll().terminal(self.score)
        return drawn

    def _write_midi(self, path: Path) -> None:
        if self.file is not None:
            write_bytes(path, self.file)
        else:
            midi.write(self.score, path, comment=str(self.recipe))

    def __repr__(self) -> str:
        return f"<Song {str(self.plan)!r}: {len(self.score)} notes, seed {self.recipe.seed}>"

    def _repr_html_(self) -> str:
        """In a notebook: what it is, and its piano roll."""
        return f"<p>{escape(str(self.plan))}</p>{_roll().svg(self.score)}"


def is_folder(path: str | Path) -> bool:
    """Whether a path to write to means a folder: one that is there, or a name without an ending."""
    return Path(path).is_dir() or not Path(path).suffix or str(path).endswith(("/", os.sep))


def _roll() -> Any:
    """The piano roll, which takes a while to import."""
    from ritornello.rendering import roll

    return roll
