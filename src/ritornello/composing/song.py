"""Song: what composing gives people: notes, what made them, files, a picture in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ritornello import midi
from ritornello.composing.recipe import Recipe
from ritornello.errors import InputError
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.system.files import write_bytes, write_json

if TYPE_CHECKING:
    from ritornello.rendering.terminal_roll import TerminalRoll


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
        """Write it as its ending says: .mid, .json (the recipe), or what `rendering.export` knows.

        That is sound, piano roll and sheet music; a folder gets everything, and a page that plays and shows
        it. Raises InputError, FailedError, OutputError.
        """
        from ritornello.rendering.export import ENDINGS, MIDI_ENDINGS, ExportScores, export, is_folder

        target, ending = Path(path), Path(path).suffix.lower()
        if is_folder(path):
            export(ExportScores(self.score, self.score), path, recipe=self.recipe.to_dict())
            self._write_midi(target / "song.mid")
        elif ending in MIDI_ENDINGS:
            self._write_midi(target)
        elif ending == ".json":
            write_json(target, self.recipe.to_dict())
        elif ending in ENDINGS:
            export(ExportScores(self.score, self.score), target)
        else:
            raise InputError(f"{str(path)!r} must end in {', '.join((*ENDINGS, '.json'))}, or be a folder")

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


def _roll() -> Any:
    """The piano roll, which takes a while to import."""
    from ritornello.rendering import roll

    return roll
