"""Warnings: what is odd about a song that can be kept all the same.

A warning is a plain function from a Score to a few words, empty where all is well; WARNINGS lists them with
what they mean and what can be done. None of them changes what is learnt, but for the annotation, which has
already become the song's chords when it is told of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Part, Score

DRUM_NAMES = re.compile(
    r"\b(drum(s|set|kit|z)?|kit|percussions?|perc(?!\W*org)|kick|bass ?drum|snare|hi-?hats?|toms|cymbals?|"
    r"batterie|bater[ií]a|schlagzeug|batteria)\b",
    re.IGNORECASE,
)
KICK, SNARE, HATS, MORE_DRUMS = (35, 36), (38, 40), (42, 44, 46), (37, 39, 49, 51, 57)  # pitches
SILENCE_S, SONG_S = 4.0, 30.0  # between songs, and what is long enough for one
PITCHED_DRUMS = range(112, 120)  # General MIDI's percussive programs, steel drums and taiko among them


def no_beat(score: Score) -> str:
    """Onsets that keep to no grid: music that was played freely, or to another beat than the file's.

    The places of the onsets between two grid points, as angles, point anywhere; their mean is short (the
    test of Rayleigh, 1880). With one tempo that is followed, or a tempo map that follows the player, it is
    long for some grid, from whole beats to twelfths.
    """
    onsets = np.unique(score.onset_ticks)
    if len(onsets) < 64:
        return ""
    grids = np.array([1, 2, 3, 4, 6, 8, 12])
    angles = 2j * np.pi * grids[:, None] * (onsets[None, :] % score.ticks_per_beat) / score.ticks_per_beat
    kept = float(np.abs(np.exp(angles).mean(axis=1)).max())
    return f"its notes keep to the beat by {kept:.0%}" if kept < 0.15 else ""


def doubled_tracks(score: Score) -> str:
    """Parts that play the very same notes at the same time."""
    seen: dict[bytes, int] = {}
    for part in range(len(score.parts)):
        mine = score.part == part
        notes = np.stack([score.onset_ticks[mine], score.pitch[mine]])
        if notes.shape[1] < 16:
            continue
        other = seen.setdefault(notes.tobytes(), part)
        if other != part:
            return f"parts {other + 1} and {part + 1} have the same {notes.shape[1]:,} notes"
    return ""


def drums_elsewhere(score: Score) -> str:
    """Drums that are not on channel 10, where they are read as pitches: by a part's name, or by its notes."""
    for number, part in enumerate(score.parts):
        if part.is_drum or part.program in PITCHED_DRUMS:
            continue
        mine = score.part == number
        count = int(np.count_nonzero(mine))
        if count >= 16 and _named_drums(part):
            return f"part {number + 1}, named {part.name.strip()!r}"
        if count >= 64 and _plays_drums(score.onset_ticks[mine], score.pitch[mine]):
            return f"part {number + 1}, by its patterns"
    return ""


def _named_drums(part: Part) -> bool:
    return bool(DRUM_NAMES.search(part.name))


def _plays_drums(onset_ticks: npt.NDArray[np.int32], pitch: npt.NDArray[np.uint8]) -> bool:
    """Whether these are kick, snare and hi-hats: little else, and hi-hats together with the others."""
    share = np.bincount(pitch, minlength=128) / len(pitch)
    voices = [share[list(pitches)].sum() for pitches in (KICK, SNARE, HATS)]
    if min(voices) < 0.08 or sum(voices) + share[list(MORE_DRUMS)].sum() < 0.9:
        return False
    hats = np.isin(pitch, HATS)
    together = np.isin(onset_ticks[hats], onset_ticks[np.isin(pitch, KICK + SNARE)])
    return bool(together.mean() >= 0.3)


def several_songs(score: Score) -> str:
    """Music that stops for long and goes on otherwise: songs, or the movements of one, in a row."""
    onset_s = score.seconds(score.onset_ticks)
    until_s = np.maximum.accumulate(score.seconds(score.onset_ticks.astype(np.int64) + score.duration_ticks))
    begins = np.flatnonzero(onset_s[1:] - until_s[:-1] >= SILENCE_S) + 1  # notes after silence
    songs, start_s = 1, 0.0
    for note in begins.tolist():
        end_s = float(until_s[note - 1])
        rest_s = float(until_s[-1] - onset_s[note])
        if end_s - start_s >= SONG_S and rest_s >= SONG_S and _changed(score, note):
            songs, start_s = songs + 1, float(onset_s[note])
    return f"{songs} songs or movements, with silence between them" if songs > 1 else ""


def _changed(score: Score, note: int) -> bool:
    """Whether from a note on there is another tempo, meter or key, or mostly other instruments play."""
    before, after = int(score.onset_ticks[note - 1]), int(score.onset_ticks[note])
    told = [before < e.onset_ticks <= after for n in ("tempi", "meters", "keys") for e in getattr(score, n)]
    band, next_band = set(score.part[:note].tolist()), set(score.part[note:].tolist())
    return any(told) or 2 * len(band & next_band) <= len(band | next_band)


class Warning(NamedTuple):
    """A warning: its name, the function that finds it, what it means, what can be done about it."""

    name: str
    find: Callable[[Score], str]
    reason: str
    remedy: str


ANNOTATION = Warning(
    "annotation track",
    lambda score: "",  # it is found while the file is read: see annotation.py
    "a part that is no music labels the harmony of another in block chords",
    "none needed: its notes become the song's chords",
)
WARNINGS = (
    Warning(
        "no beat",
        no_beat,
        "it was played freely: its bars and beats are not those of the file",
        "leave it out where rhythm matters, or align it with a beat tracker",
    ),
    Warning(
        "doubled tracks",
        doubled_tracks,
        "two parts have the very same notes",
        "delete one of them in a sequencer; as it is, each note counts twice",
    ),
    Warning(
        "drums off channel 10",
        drums_elsewhere,
        "drums on another channel are read as pitches",
        "move the part to channel 10 in a sequencer",
    ),
    Warning(
        "several songs",
        several_songs,
        "it falls silent for long and goes on otherwise: songs or movements in one file",
        "cut it into one file each",
    ),
)
BY_NAME = {warning.name: warning for warning in (ANNOTATION, *WARNINGS)}


def warn(score: Score) -> dict[str, str]:
    """What is odd about a song, by the name of the warning."""
    found = {warning.name: warning.find(score) for warning in WARNINGS}
    return {name: words for name, words in found.items() if words}
