"""Whether songs follow a chord chart: chord tones, the bass of slash chords, further tones, modes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.shared import argument, benchmark, table
from ritornello import Model, compose_many
from ritornello.composing.compose import opened_model
from ritornello.composing.song import Song
from ritornello.music import modes
from ritornello.music.chart import chart_chords, parse_chart
from ritornello.music.chord import NO_BASS, Chord
from ritornello.music.chord_names import chord_tones, letter_name
from ritornello.music.plan import GRID, Plan
from ritornello.music.theory import CHORDS, key_tonic
from ritornello.representations.grid.chords import beat_edges
from ritornello.representations.notes import Notes

CHART = "C | Am7 F/A | G7/B | Em7 Am/G | C6 | Dm9 G13 | Csus2 Cm(maj7) | N.C."
KEYS = ("D dorian", "G mixolydian", "E phrygian", "A minor pentatonic", "C blues")
KIND_ONLY: dict[str, Any] = {"suffix": "", "bass": NO_BASS, "text": ""}
NOTES = Notes()


class Sounding:
    """The pitched notes of a song in ticks of 24 a beat: onsets, ends and pitches, (N,) each."""

    def __init__(self, song: Song) -> None:
        score = song.score.rescaled(GRID)
        pitched = ~score.of_drums
        self.onset = score.onset_ticks[pitched].astype(np.int64)
        self.end = self.onset + score.duration_ticks[pitched]
        self.pitch = score.pitch[pitched].astype(np.int64)

    def share_of_tones(self, tones_at: Callable[[int], frozenset[int]], ticks: Sequence[int]) -> float:
        """The share of notes that begin at some ticks and are among the tones there; NaN without notes."""
        begins = np.isin(self.onset, ticks)
        pairs = zip(self.onset[begins].tolist(), self.pitch[begins].tolist(), strict=True)
        found = [pitch % 12 in tones for tick, pitch in pairs if (tones := tones_at(tick))]
        return float(np.mean(found)) if found else np.nan

    def bass(self, start: int, end: int) -> int | None:
        """The pitch class of the lowest note that sounds at the first onset from `start` on, before `end`."""
        onsets = self.onset[(self.onset >= start) & (self.onset < end)]
        tick = int(onsets.min()) if len(onsets) else start
        sounds = (self.onset <= tick) & (self.end > tick)
        return int(self.pitch[sounds].min()) % 12 if sounds.any() else None

    def struck(self, start: int, end: int) -> set[int]:
        """The pitch classes that are struck in a stretch."""
        return set((self.pitch[(self.onset >= start) & (self.onset < end)] % 12).tolist())

    def chord_share(self, start: int, end: int) -> float:
        """The share of onsets of a stretch with more than one pitch class; NaN without onsets."""
        inside = (self.onset >= start) & (self.onset < end)
        ticks = set(self.onset[inside].tolist())
        classes = [set((self.pitch[self.onset == tick] % 12).tolist()) for tick in ticks]
        return float(np.mean([len(found) > 1 for found in classes])) if classes else np.nan


def figures_of_chart(songs: Sequence[Song], chart: Sequence[str]) -> list[float]:
    """The figures of songs by a chart, whether or not they were composed by it."""
    tones, basses, added, silent = [], [], [], []
    for song in songs:
        sounding, plan = Sounding(song), song.plan
        chords = chart_chords(chart, Plan(plan.bars, plan.meters, key=plan.key))
        timeline = plan.timeline(GRID)
        ends = [chord.onset_ticks for chord in chords[1:]] + [timeline.end_ticks]
        beats = beat_edges(timeline).tolist()
        tones.append(sounding.share_of_tones(partial(_tones_at, chords), beats))
        for chord, end in zip(chords, ends, strict=True):
            start = chord.onset_ticks
            if chord.bass != NO_BASS and (lowest := sounding.bass(start, end)) is not None:
                basses.append(lowest == chord.bass)
            further = chord_tones(chord._replace(bass=NO_BASS)) - _kind_tones(chord)
            if further:
                added.append(len(further & sounding.struck(start, end)) / len(further))
            if chord.is_silent:
                silent.append(sounding.chord_share(start, end))
    return [float(np.nanmean(values)) for values in (tones, basses, added, silent)]


def _tones_at(chords: Sequence[Chord], tick: int) -> frozenset[int]:
    return chord_tones([chord for chord in chords if chord.onset_ticks <= tick][-1])


def _kind_tones(chord: Chord) -> set[int]:
    return {(chord.root + step) % 12 for step in CHORDS[chord.kind][1]}


def nearest_kinds(chart: Sequence[str]) -> str:
    """The chart with the nearest kinds that networks know, without basses and N.C."""
    chords = chart_chords(chart, Plan(len(chart)))
    names = {
        chord.onset_ticks: "/" if chord.is_silent else letter_name(chord._replace(**KIND_ONLY))
        for chord in chords
    }
    bars = [[names[tick] for tick in sorted(names) if tick // 96 == bar] for bar in range(len(chart))]
    return " | ".join(" ".join(bar) for bar in bars)


def scale_share(songs: Sequence[Song], key: modes.Key, mode: str) -> float:
    """The share of pitched notes in the scale of a key or mode, mean of songs."""
    scale = modes.tones(key, mode)
    return float(np.mean([np.mean(np.isin(Sounding(song).pitch % 12, sorted(scale))) for song in songs]))


def ends_on_tonic(songs: Sequence[Song], tonic: int) -> float:
    """The share of songs whose lowest note at the last onset is the tonic."""
    ends = []
    for song in songs:
        sounding = Sounding(song)
        last = int(sounding.onset.max())
        ends.append(sounding.bass(last, last + 1) == tonic)
    return float(np.mean(ends))


@benchmark(
    argument("--model", help="a model folder (default: the bundled model)"),
    argument("--songs", type=int, default=20, help="composed of each row (default: 20)"),
    argument("--genre", default="game", help="a label of the model (default: game)"),
    argument("--parts", default="piano,strings,bass", help="(default: piano,strings,bass)"),
    argument("--seed", type=int, default=1, help="(default: 1)"),
)
def chart(options: argparse.Namespace) -> None:
    """Compose by a chord chart and in modes: what is kept of it, next to the same seeds without.

    Three rows of the first table: the chart; its nearest kinds of chords alone, as networks know them; no
    chart. Chord tones: of the notes that begin on beats, those of the chart's chord, with its bass. Bass:
    slash chords whose bass is the lowest note at the first onset under them. Further tones: of those that the
    nearest kind lacks, how many are struck. Chords in N.C.: onsets with several pitch classes where no chord
    sounds. The second table has the share of notes in the scale of a mode, and of songs that end on its
    tonic: with the mode as key, with the nearest major or minor key, and without a key (by the same measure).
    """
    model: Model = opened_model(options.model)
    asked: dict[str, Any] = {"genre": options.genre, "parts": options.parts, "meter": "4/4", "bars": 16}

    def songs(**more: Any) -> list[Song]:
        return compose_many(model, options.songs, seed=options.seed, **asked | more)

    bars = parse_chart(CHART)
    rows = []
    arms = {"the chart": CHART, "its nearest kinds": nearest_kinds(bars), "no chart": None}
    for name, text in arms.items():
        made = songs(key="C major", chords=text)
        rows.append([name, *(f"{value:.2f}" for value in figures_of_chart(made, bars))])
    print(
        f"{CHART}\n{table(['', 'chord tones', 'bass', 'further tones', 'chords in N.C.'], rows)}\n",
        flush=True,
    )
    rows, free = [], songs()
    for text in KEYS:
        key, mode = modes.parse_key_or_mode(text)
        tonic = key_tonic(*key)
        cells = [text]
        for made in (songs(key=text), songs(key=modes.tonality_name(key)), free):
            cells.append(f"{scale_share(made, key, mode):.2f} / {ends_on_tonic(made, tonic):.2f}")
        rows.append(cells)
        print(cells, flush=True)
    print(table(["in the scale / ends on the tonic", "mode", "nearest key", "no key"], rows))
