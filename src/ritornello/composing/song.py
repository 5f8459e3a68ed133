"""A composed song: its notes and recipe, which can be written to files and shown in a notebook."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ritornello import midi
from ritornello.composing.recipe import Recipe
from ritornello.errors import InputError
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.feel_network import FeelNetworks
from ritornello.performing.performance import Performance
from ritornello.system.files import check_regular, check_writable, output_errors, write_bytes, write_json

if TYPE_CHECKING:
    from ritornello.rendering.terminal_roll import TerminalRoll


@dataclass(frozen=True, eq=False)
class Song:
    """A composed song."""

    score: Score
    """The song on its grid, also if it is performed."""
    recipe: Recipe
    file: bytes | None = None
    """The MIDI file of a song in which bars were redone; None of other songs."""
    nats: float = 0.0
    """The mean negative log-likelihood of its choices, in nats; computed only to keep the best songs."""
    score_to_write: Score | None = None
    """The song with the details of the given music, for a MIDI file, in which the pedal prolongs notes."""
    dropped: dict[str, int] = field(default_factory=dict)
    """How many events of the given music the MIDI file lacks, by kind."""
    networks: FeelNetworks = FeelNetworks()  # noqa: RUF009 (immutable)
    """The networks of feel that perform the song, if it is performed."""

    @property
    def plan(self) -> Plan:
        """The complete plan by which it was composed."""
        return self.recipe.plan

    @property
    def bars(self) -> int:
        """The number of bars; a pickup does not count."""
        return Timeline.of(self.score).full_bars

    def performed_as(self, performance: Performance | None, networks: FeelNetworks | None = None) -> Song:
        """Return the song with another performance; on its grid if that is None or plain.

        By default the bundled network performs the drums, and rules perform the other parts.
        """
        if performance is None or performance.is_plain:
            return replace(self, recipe=replace(self.recipe, performance=None))
        from ritornello.performing.perform import hash_of_notes

        networks = networks or FeelNetworks()
        played = replace(performance, notes="", **networks.hashes)
        draft = replace(self, recipe=replace(self.recipe, performance=played), networks=networks)
        written = midi.parse(draft.to_bytes(), pedal="ignore").score
        known = replace(played, notes=hash_of_notes(written))
        song = replace(draft, recipe=replace(self.recipe, performance=known))
        vars(song)["performed"] = draft.performed  # the cached property: do not perform it again
        return song

    @cached_property
    def performed(self) -> Score:
        """The notes of its MIDI file, performed or on the grid; the pedal does not lengthen durations."""
        score, performance = self.score_to_write or self.score, self.recipe.performance
        if self.file is not None:
            score = midi.parse(self.file, pedal="ignore", with_details=True).score
        if performance is None:
            return score
        from ritornello.performing.perform import perform

        sketch = self.plan.sketch
        cadences, has_end = sketch.cadences if sketch else (), not self.plan.is_loop
        return perform(score, performance, cadences, has_end, self.networks)

    def write(self, path: str | Path) -> None:
        """Write the song in the format of the path's ending.

        .mid is MIDI, .json the recipe; `rendering.render` has the endings for sound, piano roll and sheet
        music; a folder (such as "song/") gets all of them and a web page. Raises InputError, FailedError,
        OutputError.
        """
        from ritornello.rendering.render import ENDINGS, is_folder, render

        is_in_folder = is_folder(path)
        target, ending = Path(path), Path(path).suffix.lower()
        if is_in_folder:
            render(self._sounding, path, recipe=self.recipe.to_dict(), grid=self.score)
            write_bytes(target / "song.mid", self.to_bytes())
        elif ending in midi.MIDI_ENDINGS:
            write_bytes(target, self.to_bytes())
        elif ending == ".json":
            write_json(target, self.recipe.to_dict())
        elif ending in ENDINGS:
            render(self._sounding, target, grid=self.score)
        else:
            raise InputError(f"{str(path)!r} must end in {', '.join((*ENDINGS, '.json'))}, or be a folder")

    def write_with_recipe(self, path: str | Path) -> list[Path]:
        """Write the song as `write` does, and its recipe beside it (.json); returns the files.

        Both are written to a temporary folder and then moved, so that a failure leaves neither. Raises
        InputError, FailedError, OutputError.
        """
        from ritornello.rendering.render import is_folder

        is_one = not is_folder(path)
        target = Path(path)
        files = [target, target.with_suffix(".json")] if is_one else []
        for file in files:
            check_writable(file)
        folder = target.parent if is_one else target
        with output_errors(target):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".song-") as staged:
                for name in {file.name for file in files} or {""}:
                    self.write(f"{staged}/{name}")
                made = sorted(Path(staged).iterdir(), key=lambda file: file.suffix == ".json")
                for file in made:
                    check_regular(folder / file.name)
                for file in made:
                    file.replace(folder / file.name)
                    files.append(folder / file.name)
        return list(dict.fromkeys(files))

    def to_bytes(self) -> bytes:
        """The song as a MIDI file."""
        if self.file is not None:
            return self.file if self.recipe.performance is None else midi.to_bytes(self.performed)[0]
        return midi.to_bytes(self.performed, comment=str(self.recipe))[0]

    def score_on_grid(self) -> Score | None:
        """The song on its grid if it is performed, else None."""
        return self.score if self.recipe.performance else None

    @property
    def _sounding(self) -> Score:
        """The song as it sounds."""
        return self.score if self.recipe.performance is None else midi.parse(self.to_bytes()).score

    def roll(self) -> TerminalRoll:
        """The piano roll for a terminal."""
        terminal_roll: TerminalRoll = _roll_module().terminal(self.score)
        return terminal_roll

    def __repr__(self) -> str:
        return f"<Song {str(self.plan)!r}: {len(self.score)} notes, seed {self.recipe.seed}>"

    def _repr_html_(self) -> str:
        """The plan and the piano roll, for a notebook."""
        return f"<p>{escape(str(self.plan))}</p>{_roll_module().svg(self.score)}"


def _roll_module() -> Any:
    """The module `rendering.roll`, which takes a while to import."""
    from ritornello.rendering import roll

    return roll
