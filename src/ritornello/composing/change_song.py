"""Change a song without composing: transpose it, set its tempo, give parts other instruments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ritornello import midi, notation
from ritornello.composing.named_places import part_numbers
from ritornello.composing.options import ChangeOptions, Music, assignments, with_help_of
from ritornello.composing.parse_options import DRUM_NAMES
from ritornello.errors import MidiError, PlanError
from ritornello.midi.changing import change_file
from ritornello.music import theory
from ritornello.music.modes import parse_key_or_mode, signature
from ritornello.music.plan import main_tempo
from ritornello.music.score import Score

MAX_OCTAVE_HALF = 6  # semitones: the longest way to another key


@dataclass(frozen=True, repr=False)
class ChangedSong:
    """A changed song: its notes, its MIDI file, and how many notes were left out of it.

    A note is left out if it would be moved to the pitch of another note of its part that sounds.
    """

    score: Score
    file: bytes
    left_out: int = 0

    def write(self, path: str | Path) -> None:
        """Write the MIDI file. Raises InputError for another ending, OutputError."""
        midi.write(self, path)

    def to_bytes(self) -> bytes:
        """The song as a MIDI file."""
        return self.file

    def score_on_grid(self) -> Score | None:
        """None: it is written as it is."""
        return None

    def __repr__(self) -> str:
        return f"<ChangedSong: {len(self.score)} notes, {self.left_out} left out>"


@with_help_of(ChangeOptions)
def change(
    song: Music,
    *,
    transpose: int | None = ChangeOptions.transpose,
    key: str | None = ChangeOptions.key,
    tempo: float | None = ChangeOptions.tempo,
    instrument: list[str] | str | Mapping[str, str] | None = ChangeOptions.instrument,
) -> ChangedSong:
    """Transpose a song, set its tempo, give parts other instruments; every other event of its file stays.

    Raises MidiError, PlanError. Options:"""
    options = ChangeOptions(transpose=transpose, key=key, tempo=tempo, instrument=instrument)
    if all(value in (None, (), []) for value in vars(options).values()):
        raise PlanError("nothing to change: give transpose, key, tempo or instrument")
    if transpose is not None and key is not None:
        raise PlanError(f"transpose {transpose} and key {key!r}: give only one of the two")
    name, data = _file_of(song)
    score = midi.parse(data, name=name, pedal="ignore").score
    semitones = transpose or 0 if key is None else _semitones_to(key, score)
    factor = 1.0 if tempo is None else tempo / main_tempo(score).bpm
    changed = change_file(data, semitones=semitones, tempo_factor=factor, programs=_programs(options, score))
    return ChangedSong(midi.parse(changed.data, name=name).score, *changed)


def _file_of(song: Music) -> tuple[str, bytes]:
    """Return the name and the bytes of a MIDI file. Raises MidiError for a file of another format."""
    if isinstance(song, Score):
        return song.title or "song", midi.to_bytes(song)[0]
    file = notation.open_song(song)
    if file.format:
        raise MidiError(f"{file.name!r} is {file.format}: must be MIDI, render it to .mid first")
    return file.name, file.data


def _semitones_to(key: str, score: Score) -> int:
    """Return the shortest way from the key of a song to another one, -5 to 6 semitones. Raises PlanError.

    A file has only a key signature: a song in D mixolydian has that of G major. So for a mode, which must be
    that of the song, the key of its signature counts.
    """
    try:
        new_key = signature(*parse_key_or_mode(key))
    except ValueError as error:
        raise PlanError(str(error)) from None
    old_key = score.keys[0][1:] if score.keys else score.estimated_key
    if old_key is None:
        raise PlanError(f"key {key!r}: the song has only drums, which have no key")
    if old_key[1] != new_key[1]:
        mode = "minor" if old_key[1] else "major"
        name = theory.key_name(*old_key)
        raise PlanError(f"key {key!r}: the song is in {name}, so it must be a {mode} key")
    up = (theory.key_tonic(*new_key) - theory.key_tonic(*old_key)) % 12
    return up if up <= MAX_OCTAVE_HALF else up - 12


def _programs(options: ChangeOptions, score: Score) -> dict[int, int]:
    """Return the new program of each part that gets another instrument. Raises PlanError."""
    programs = {}
    for part, instrument in assignments("instrument", options.instrument):
        if instrument.lower() in DRUM_NAMES:
            raise PlanError(
                f"instrument {instrument!r} of {part!r}: must be pitched, such as violin, no drums"
            )
        try:
            program = theory.parse_instrument(instrument)[0]
        except ValueError as error:
            raise PlanError(str(error).replace("part", "instrument", 1)) from None
        for number in part_numbers(score, part):
            if score.parts[number].is_drum:
                raise PlanError(f"instrument of {part!r}: drums keep their kit, must be a pitched part")
            programs[number] = program
    return programs
