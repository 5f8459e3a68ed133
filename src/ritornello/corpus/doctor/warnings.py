"""Warnings about songs that can be kept although something in them looks wrong.

WARNINGS lists them. The function of a warning returns a short text about a Score, or "" for no warning. A
warning does not change what a model is trained on.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score

DRUM_NAMES = re.compile(
    r"\b(drum(s|set|kit|z)?|kit|percussions?|perc(?!\W*org)|kick|bass ?drum|snare|hi-?hats?|toms|cymbals?|"
    r"batterie|bater[ií]a|schlagzeug|batteria)\b",
    re.IGNORECASE,
)
KICK, SNARE, HATS, MORE_DRUMS = (35, 36), (38, 40), (42, 44, 46), (37, 39, 49, 51, 57)  # General MIDI pitches
USUAL_GRIDS, LEAST_ALIGNMENT = (1, 2, 3, 4, 6, 8, 12), 0.15  # points a beat
RARE_GRIDS, LEAST_RARE_ALIGNMENT = (5, 7, 10, 14), 0.3
SILENCE_S, SONG_S = 4.0, 30.0  # least silence between two songs, and least length of a song
PITCHED_DRUMS = range(112, 120)  # General MIDI programs of percussion with pitch, such as steel drums


def no_beat(score: Score) -> str:
    """Warn if the onsets do not follow the beat of the file: it was played freely, without a metronome.

    The position of each onset between two points of a grid is an angle. If the onsets follow the grid, the
    mean of the unit vectors at these angles is long; if not, it is short (Rayleigh's test, 1880). Grids from
    whole beats to fourteenths of a beat are tried. Fives and sevens are rare, so they must be followed more
    closely, because each further grid raises the chance that free onsets follow one by accident.
    """
    onsets = np.unique(score.onset_ticks)
    if len(onsets) < 64:
        return ""
    grids = np.array([*USUAL_GRIDS, *RARE_GRIDS])
    angles = 2j * np.pi * grids[:, None] * (onsets[None, :] % score.ticks_per_beat) / score.ticks_per_beat
    alignment = np.abs(np.exp(angles).mean(axis=1))
    least = np.repeat([LEAST_ALIGNMENT, LEAST_RARE_ALIGNMENT], [len(USUAL_GRIDS), len(RARE_GRIDS)])
    if (alignment >= least).any():
        return ""
    return f"the notes match the beat by only {alignment[: len(USUAL_GRIDS)].max():.0%}"


def doubled_tracks(score: Score) -> str:
    """Warn if two parts have the same notes at the same times."""
    first_part: dict[bytes, int] = {}  # by notes
    for part in range(len(score.parts)):
        inside = score.part == part
        notes = np.stack([score.onset_ticks[inside], score.pitch[inside]])
        if notes.shape[1] < 16:
            continue
        other = first_part.setdefault(notes.tobytes(), part)
        if other != part:
            return f"parts {other + 1} and {part + 1} have the same {notes.shape[1]:,} notes"
    return ""


def drums_elsewhere(score: Score) -> str:
    """Warn of drums that are not on channel 10, found by the name of a part or by its notes."""
    for number, part in enumerate(score.parts):
        if part.is_drum or part.program in PITCHED_DRUMS:
            continue
        inside = score.part == number
        count = int(np.count_nonzero(inside))
        if count >= 16 and DRUM_NAMES.search(part.name):
            return f"part {number + 1}, named {part.name.strip()!r}"
        if count >= 64 and _is_drum_pattern(score.onset_ticks[inside], score.pitch[inside]):
            return f"part {number + 1}, by its patterns"
    return ""


def _is_drum_pattern(onset_ticks: npt.NDArray[np.int32], pitch: npt.NDArray[np.uint8]) -> bool:
    """Whether notes are mostly kick, snare and hi-hats, and many hi-hats sound with one of the other two."""
    share = np.bincount(pitch, minlength=128) / len(pitch)
    shares = [share[list(pitches)].sum() for pitches in (KICK, SNARE, HATS)]
    if min(shares) < 0.08 or sum(shares) + share[list(MORE_DRUMS)].sum() < 0.9:
        return False
    hats = np.isin(pitch, HATS)
    together = np.isin(onset_ticks[hats], onset_ticks[np.isin(pitch, KICK + SNARE)])
    return bool(together.mean() >= 0.3)


def several_songs(score: Score) -> str:
    """Warn of several songs or movements in one file: different music after a long silence."""
    onset_s = score.seconds(score.onset_ticks)
    until_s = np.maximum.accumulate(score.seconds(score.onset_ticks.astype(np.int64) + score.duration_ticks))
    begins = np.flatnonzero(onset_s[1:] - until_s[:-1] >= SILENCE_S) + 1  # first notes after a silence
    songs, start_s = 1, 0.0
    for note in begins.tolist():
        end_s = float(until_s[note - 1])
        rest_s = float(until_s[-1] - onset_s[note])
        if end_s - start_s >= SONG_S and rest_s >= SONG_S and _changed(score, note):
            songs, start_s = songs + 1, float(onset_s[note])
    return f"{songs} songs or movements, with silence between them" if songs > 1 else ""


def _changed(score: Score, note: int) -> bool:
    """Whether tempo, meter, key or most instruments change between note number `note` and the one before."""
    before, after = int(score.onset_ticks[note - 1]), int(score.onset_ticks[note])
    events: list[Any] = [*score.tempi, *score.meters, *score.keys]
    parts_before, parts_after = set(score.part[:note].tolist()), set(score.part[note:].tolist())
    shared, either = parts_before & parts_after, parts_before | parts_after
    return any(before < event.onset_ticks <= after for event in events) or 2 * len(shared) <= len(either)


class SongWarning(NamedTuple):
    """A warning: its name, the function that finds it, what it means, what the user can do about it."""

    name: str
    find: Callable[[Score], str]
    reason: str
    remedy: str


ANNOTATION = SongWarning(
    "annotation track",
    lambda score: "",  # found when the file is read (music/annotation.py)
    "one part labels the harmony of another in block chords and is not music",
    "none needed: its notes become the chords of the song",
)
TRACK_LENGTH = SongWarning(
    "wrong track length",
    lambda score: "",  # found when the file is read (midi/chunks.py)
    "a track has another length than its header says; it was read up to its end",
    "none needed; to mend the file, open it in a sequencer and save it",
)
WARNINGS = (
    SongWarning(
        "no beat",
        no_beat,
        "it was played freely, so the bars and beats of the file are not those of the music",
        "leave the song out if rhythm matters, or align it with a beat tracker",
    ),
    SongWarning(
        "doubled tracks",
        doubled_tracks,
        "two parts have exactly the same notes",
        "delete one of them in a sequencer; otherwise each note counts twice",
    ),
    SongWarning(
        "drums off channel 10",
        drums_elsewhere,
        "drums on another channel are read as notes of a pitched instrument",
        "move the part to channel 10 in a sequencer",
    ),
    SongWarning(
        "several songs",
        several_songs,
        "after a long silence the music is different: several songs or movements in one file",
        "cut the file into one for each song",
    ),
)
BY_NAME = {warning.name: warning for warning in (ANNOTATION, TRACK_LENGTH, *WARNINGS)}


def find_warnings(score: Score) -> dict[str, str]:
    """The warnings about a song: texts by name of the warning."""
    texts = {warning.name: warning.find(score) for warning in WARNINGS}
    return {name: text for name, text in texts.items() if text}
