"""Describe a song as JSON for the page: bars, parts, notes in columns, chords, sections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.chord_names import chord_label
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import DEFAULT_TEMPO, Part, Score, Tempo, rescale_ticks
from ritornello.music.sections import LOOP_END, LOOP_START, Section, plan_sections, sections
from ritornello.music.theory import key_name
from ritornello.music.timeline import Timeline
from ritornello.rendering.roll_contents import printable, shown_bars
from ritornello.representations.notes import Notes

NOTES = Notes()
COLUMNS = ("part", "pitch", "velocity", "onset_ticks", "duration_ticks")
MAX_ANALYSED_NOTES = 50_000  # chords and sections are not estimated for a song with more notes


def view_of_song(score: Score, with_pedal: Score) -> dict[str, Any]:
    """Describe a song.

    `notes` are columns. Lists have bars in order; the `number` of a bar is the one that people count with.
    `with_pedal` is the same song with notes lengthened by the pedal; they may need more bars.
    """
    bars = shown_bars(with_pedal)
    analysed = _analysed(score)
    key = score.keys[0][1:] if score.keys else score.estimated_key
    chords = score.chords or (analysed.chords if analysed else ())
    scale = GRID if analysed and not score.chords else score.ticks_per_beat
    return {
        **_frame(bars, score.tempi or (DEFAULT_TEMPO,), key, score.parts),
        "notes": {name: getattr(score, name).tolist() for name in COLUMNS},
        "chords": _chords(chords, key, scale, score.ticks_per_beat),
        "sections": _marked_sections(score, bars) or _sections(sections(analysed) if analysed else ()),
        "textures": _textures(score, bars),
    }


def view_of_plan(plan: Plan, parts: Iterable[Part], key: tuple[int, bool] | None) -> dict[str, Any]:
    """Describe a song before it is composed: the same without notes and textures, in 24 ticks a beat."""
    bars = plan.timeline(GRID)
    tempi = (Tempo(0, plan.us_per_beat),)
    return {
        **_frame(bars, tempi, key, parts),
        "chords": _chords(bars.chords, key, GRID, GRID),
        "sections": _sections(plan_sections(plan)),
    }


def _frame(
    bars: Timeline, tempi: Iterable[Tempo], key: tuple[int, bool] | None, parts: Iterable[Part]
) -> dict[str, Any]:
    """The resolution, bars, tempi, key and parts of a song."""
    columns = (bars.start_ticks, bars.length_ticks, bars.numerator, bars.denominator)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    names = ("tick", "ticks", "numerator", "denominator")
    return {
        "ticks_per_beat": bars.ticks_per_beat,
        "bars": [
            dict(zip(names, row, strict=True)) | {"number": bars.number(bar)} for bar, row in enumerate(rows)
        ],
        "tempos": [{"tick": tempo.onset_ticks, "bpm": round(tempo.bpm, 3)} for tempo in tempi],
        "key": key and key_name(*key),
        "parts": [_part(part) for part in parts],
    }


def _part(part: Part) -> dict[str, Any]:
    name = printable(part.name) or part.instrument
    return {"name": name, "program": part.program, "is_drums": part.is_drum, "instrument": part.instrument}


def _analysed(score: Score) -> Timeline | None:
    """The bars of a song on the grid, with chords and returns found in its notes; None if it is too long."""
    if not 0 < len(score) <= MAX_ANALYSED_NOTES:
        return None
    return NOTES.timeline(NOTES.canonical(score)[0])


def _chords(
    chords: Iterable[Any], key: tuple[int, bool] | None, from_ticks: int, to_ticks: int
) -> list[dict[str, Any]]:
    """Names of chords, at ticks of another resolution."""
    return [
        {"tick": rescale_ticks(chord.onset_ticks, from_ticks, to_ticks), "name": chord_label(chord, key)}
        for chord in chords
        if chord.is_silent or chord.root >= 0
    ]


def _sections(named_sections: Iterable[Section]) -> list[dict[str, Any]]:
    return [{"bar": section.start, "letter": section.name} for section in named_sections]


def _marked_sections(score: Score, bars: Timeline) -> list[dict[str, Any]]:
    """The sections that the markers of a song name; composed songs have such markers."""
    marks = [mark for mark in score.markers if mark.text not in (LOOP_START, LOOP_END)]
    names = [mark.text for mark in marks]
    if not marks or not len(bars) or any(len(name) > 8 for name in names):
        return []
    at: npt.NDArray[np.int64] = bars.bar_of([mark.onset_ticks for mark in marks])
    return [{"bar": bar, "letter": name} for bar, name in zip(at.tolist(), names, strict=True)]


def _textures(score: Score, bars: Timeline) -> list[list[list[int]]]:
    """For each part and bar the number of notes and their mean pitch, -1 without notes."""
    count = len(bars)
    if not count:
        return [[] for _ in score.parts]
    cell = score.part.astype(np.int64) * count + bars.bar_of(score.onset_ticks)
    size = len(score.parts) * count
    notes = np.bincount(cell, minlength=size)
    total = np.bincount(cell, score.pitch, size)
    pitch = np.where(notes > 0, np.rint(total / np.maximum(notes, 1)), -1).astype(np.int64)
    table = np.stack([notes, pitch], axis=1).reshape(len(score.parts), count, 2)
    rows: list[list[list[int]]] = table.tolist()
    return rows
