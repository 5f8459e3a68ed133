"""Whether songs have the shape that is asked of them: density and register, loops, variations."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import argument, benchmark, draw_files, readable, table
from ritornello.composing import compose
from ritornello.composing.song import Song
from ritornello.music.score import Part, Score
from ritornello.music.timeline import Timeline
from ritornello.music.usual_textures import LEVELS, usual_notes_per_beat, usual_pitch

PARTS = "piano,bass,drums"
BARS, BEATS_PER_BAR = 8, 4
AMOUNTS = (0.1, 0.3, 0.6, 1.0)
MAX_NOTES = 1500  # of a song that is varied


def heard(score: Score, part: int) -> tuple[float, float]:
    """The notes a beat of a part in the bars in which it plays, and its mean pitch."""
    is_own, timeline = score.part == part, Timeline.of(score)
    bars = np.unique(timeline.bar_of(score.onset_ticks[is_own]))
    beats = timeline.length_ticks[bars].sum() / score.ticks_per_beat
    return float(is_own.sum() / beats), float(score.pitch[is_own].mean())


def _name(part: Part) -> str:
    return "drums" if part.is_drum else "bass" if 32 <= part.program < 40 else "piano"


def textures(songs: int, genre: str, seed: int) -> Iterator[tuple[Any, ...]]:
    """Rows of a table: what is asked of each part, and what songs then have, mean and standard deviation."""
    options: dict[str, Any] = {"genre": genre, "parts": PARTS, "bars": BARS, "meter": "4/4", "seed": seed}
    for option, column in (("density", 0), ("register", 1)):
        found: dict[tuple[str, str], list[float]] = {}
        wanted: dict[tuple[str, str], float] = {}
        for level in ("not asked", *LEVELS):
            asked: dict[str, Any] = {} if level not in LEVELS else {option: f"all={level}"}
            for song in compose.compose_many(n=songs, **options, **asked):
                for number in np.unique(song.score.part).tolist():
                    part = song.score.parts[number]
                    key = _name(part), level
                    found.setdefault(key, []).append(heard(song.score, number)[column])
                    if level in LEVELS and not (option == "register" and part.is_drum):
                        usual = usual_notes_per_beat if option == "density" else usual_pitch
                        wanted[key] = usual(part, level)
        for (name, level), values in sorted(found.items()):
            target = f"{wanted[name, level]:.1f}" if (name, level) in wanted else ""
            yield option, name, level, target, f"{np.mean(values):.1f}", f"{np.std(values):.1f}", len(values)


def _line_leap(score: Score, before: int, after: int) -> list[int]:
    """For each pitched part the semitones from its last note before a tick to its first from another on.

    Of several notes at an onset the highest counts.
    """
    leaps = []
    for part in np.unique(score.part[~score.of_drums]).tolist():
        onset, pitch = score.onset_ticks[score.part == part], score.pitch[score.part == part].astype(int)
        early, late = onset[onset < before], onset[onset >= after]
        if len(early) and len(late):
            last, first = pitch[onset == early.max()].max(), pitch[onset == late.min()].max()
            leaps.append(abs(int(first - last)))
    return leaps


def _clash(score: Score, tick: int, ticks: int) -> float:
    """The share of pairs of pitches that sound within `ticks` before a tick that are a semitone apart."""
    ends = score.onset_ticks + score.duration_ticks
    sounds = (score.onset_ticks < tick) & (ends > tick - ticks) & ~score.of_drums
    pitches = np.unique(score.pitch[sounds]).astype(int)
    pairs = np.abs(pitches[:, None] - pitches)[np.triu_indices(len(pitches), 1)] % 12
    return float(np.isin(pairs, (1, 11)).mean()) if len(pairs) else 0.0


def _rest_before(score: Score, tick: int) -> float:
    """The beats before a tick in which no pitched note sounds."""
    ends = np.minimum(score.onset_ticks + score.duration_ticks, tick)[score.onset_ticks < tick]
    return float(tick - ends.max(initial=0)) / score.ticks_per_beat


def seams(songs: Sequence[Song]) -> tuple[list[Any], list[Any]]:
    """Leaps (semitones), clashes and rests (beats) at the seam of songs that are repeated, and inside."""
    seam: dict[str, list[float]] = {"leap": [], "clash": [], "rest": []}
    inside: dict[str, list[float]] = {"leap": [], "clash": [], "rest": []}
    for song in songs:
        score, timeline = song.score, song.plan.timeline(song.score.ticks_per_beat)
        lines = [*timeline.start_ticks.tolist()[1:], timeline.end_ticks]
        for line in lines:
            found, start = (seam, 0) if line == timeline.end_ticks else (inside, line)
            found["leap"] += _line_leap(score, line, start)
            found["clash"].append(_clash(score, line, score.ticks_per_beat))
            found["rest"].append(_rest_before(score, line))
    texts = [[_with_error(where[name]) for name in seam] for where in (seam, inside)]
    return texts[0], texts[1]


def _with_error(values: Sequence[float]) -> str:
    """The mean and its standard error, as if the values were independent."""
    return f"{np.mean(values):.2f} ± {np.std(values) / max(len(values), 1) ** 0.5:.2f}"


def is_exact(song: Song) -> bool:
    """Whether a loop has its bars to the tick: no note lasts longer, and the last marker is at its end."""
    end = song.plan.timeline(song.score.ticks_per_beat).end_ticks
    markers = {marker.text: marker.onset_ticks for marker in song.score.markers}
    return song.score.end_ticks <= end and markers["loopEnd"] == end and markers["loopStart"] == 0


def notes_of(score: Score) -> Counter[tuple[int, int, int]]:
    """The notes: onset in ticks, pitch, and program (drums: 128)."""
    programs = [128 if part.is_drum else part.program for part in score.parts]
    columns = zip(score.onset_ticks.tolist(), score.pitch.tolist(), score.part.tolist(), strict=True)
    return Counter((onset, pitch, programs[part]) for onset, pitch, part in columns)


def variations(folder: Path, songs: int, seed: int) -> Iterator[tuple[Any, ...]]:
    """Rows of a table: for each amount the shares of notes that are gone and new, and the notes per note."""
    chosen = []
    for file, score in readable(draw_files([folder], 20 * songs, seed)):
        if 100 <= len(score) <= MAX_NOTES:
            chosen.append((file, notes_of(score)))
        if len(chosen) == songs:
            break
    for amount in AMOUNTS:
        gone, new, ratio = [], [], []
        for file, before in chosen:
            after = notes_of(compose.vary(file, amount, seed=seed).score)
            gone.append((before - after).total() / before.total())
            new.append((after - before).total() / max(after.total(), 1))
            ratio.append(after.total() / before.total())
        spread = f"{min(gone):.2f} to {max(gone):.2f}"
        yield (
            amount,
            f"{np.mean(gone):.2f}",
            spread,
            f"{np.mean(new):.2f}",
            f"{np.mean(ratio):.2f}",
            len(gone),
        )


@benchmark(
    argument("folder", type=Path, help="a folder of MIDI files of which some are varied"),
    argument("--songs", type=int, default=20, help="songs for each line of a table (10 are varied)"),
    argument("--genre", default="game", help="the label"),
    argument("--seed", type=int, default=1),
)
def shapes(arguments: argparse.Namespace) -> None:
    """Compose with the bundled model and compare what is asked with what is heard.

    Density and register of parts, the seams of loops, and how many notes `vary` changes at each amount.
    """
    songs, genre, seed = arguments.songs, arguments.genre, arguments.seed
    head: tuple[str, ...] = ("option", "part", "asked", "that is", "heard", "deviation", "songs")
    print(table(head, textures(songs, genre, seed)), "\n", flush=True)
    options: dict[str, Any] = {"genre": genre, "bars": BARS, "seed": seed}
    looped = compose.compose_many(n=songs, loop=True, **options)
    rows = [("loops", *where) for where in seams(looped)]
    rows += [("songs without --loop", *where) for where in seams(compose.compose_many(n=songs, **options))]
    places = ("seam", "bar lines inside")
    print(f"{sum(map(is_exact, looped))} of {songs} loops are exact to the tick\n")
    head = ("", "at", "leap of a part, semitones", "pairs a semitone apart", "beats without a note before")
    print(table(head, ((row[0], places[n % 2], *row[1:]) for n, row in enumerate(rows))), "\n", flush=True)
    head = ("amount", "notes gone", "least to most", "notes new", "notes per note", "songs")
    print(table(head, variations(arguments.folder, min(songs, 10), seed)))
