"""How composed songs keep to music: sampling rules held against human songs, and songs around a melody."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.shared import (
    CORPUS,
    FOLDER,
    NotesMask,
    argument,
    benchmark,
    draw_files,
    highest_part,
    readable,
    select_notes,
    share,
    table,
)
from ritornello import Corpus, Score
from ritornello.composing import compose
from ritornello.composing.request import request_for
from ritornello.composing.sampling import song_generator
from ritornello.composing.sampling_rules import RULES
from ritornello.composing.sampling_state import SamplingState
from ritornello.composing.style_stats import StyleStats, style_of_plan
from ritornello.evaluation.inputs import CorpusSongs
from ritornello.models.plan_vector import infer_plan
from ritornello.music.pickup import without_leading_silence
from ritornello.music.plan import Plan
from ritornello.representations.grid.vocabulary import FIELDS
from ritornello.representations.notes import Notes

NOTES = Notes()
MAX_NOTES = 8000  # of a song that is replayed
MAX_FORBIDDEN = 0.001  # share of human notes that a hard rule may forbid
DISSONANT = (1, 2, 6, 10, 11)  # semitones: seconds, tritone, sevenths
SEMITONE = (1, 11)
Counts = npt.NDArray[np.int64]

# Rules


def replay_by_rules(score: Score, style: StyleStats, forbidden: Counter[str], held_back: Counter[str]) -> int:
    """Ask every rule before every choice of a song, and count what it is against; returns the notes."""
    canonical, _ = NOTES.canonical(without_leading_silence(score))
    timeline = NOTES.timeline(canonical)
    rows = NOTES.encode(canonical, timeline).values
    form = zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True)
    plan = replace(infer_plan(canonical), returns=tuple(form))
    request = replace(request_for(plan, seed=0), style=style)
    cursor = NOTES.cursor([request.timeline])
    state = SamplingState(request, cursor.songs[0])
    for row in rows.tolist():
        state.update()
        for field, value in zip(FIELDS, row, strict=True):
            if field.kind == "known":
                continue
            for rule in RULES:
                if value < field.size and rule.field == field.name and (bias := rule.bias(state)) is not None:
                    forbidden[rule.name] += bool(np.isneginf(bias[value]))
                    held_back[rule.name] += bool(bias[value] < bias.max() and np.isfinite(bias[value]))
            cursor.put(field.name, [value])
    return len(canonical)


@benchmark(
    FOLDER,
    argument("--songs", type=int, default=300, help="files, always the same ones (default: %(default)s)"),
    argument("--genre", help="a label of the bundled model, whose style the songs are held against"),
    one_thread=True,
)
def rules(options: argparse.Namespace) -> None:
    """Count how many notes of human songs each sampling rule would forbid or make less likely.

    Each song is replayed as if it were being composed by its own plan, and every rule is asked before every
    choice. A hard rule may forbid at most 0.1% of the notes, since human notes are no mistakes. Rules that
    depend on the style of a label have an effect only with --genre.
    """
    info = compose.opened_model(None).info if options.genre else {}
    plan = Plan(genres=((options.genre, 1.0),)) if options.genre else Plan()
    forbidden: Counter[str] = Counter()
    held_back: Counter[str] = Counter()
    songs = notes = 0
    for _, score in readable(draw_files([options.folder], options.songs, seed=1)):
        if 0 < len(score) <= MAX_NOTES:
            style = style_of_plan(info, plan, song_generator(1, songs))
            songs, notes = songs + 1, notes + replay_by_rules(score, style, forbidden, held_back)
    print(f"{songs:,} songs, {notes:,} notes of {options.folder}")
    for rule in RULES:
        part = forbidden[rule.name] / max(notes, 1)
        verdict = "" if not rule.is_hard else "ok" if part <= MAX_FORBIDDEN else "TOO MUCH"
        print(f"{rule.name:<30}{rule.field:<7}forbidden {part:9.4%}  {verdict:<9}", end="")
        print(f"less likely {held_back[rule.name] / max(notes, 1):8.3%}")


# Melody


def count_dissonances(song: Score, of_melody: NotesMask) -> Counts:
    """(4,) counts at a melody's onsets: other sounding notes, dissonant ones, onsets, with a semitone."""
    end = song.onset_ticks + song.duration_ticks
    counts = np.zeros(4, np.int64)
    for tick in np.unique(song.onset_ticks[of_melody]):
        sounds = (song.onset_ticks <= tick) & (end > tick) & ~song.of_drums
        melody_pitch = int(song.pitch[sounds & of_melody].max())
        others = song.pitch[sounds & ~of_melody].astype(np.int64)
        pitches = np.append(others, melody_pitch)
        semitone = np.isin(np.abs(pitches[:, None] - pitches) % 12, SEMITONE).any()
        dissonant = int(np.isin(np.abs(melody_pitch - others) % 12, DISSONANT).sum())
        counts += len(others), dissonant, 1, int(semitone)
    return counts


def compose_around(given: Score, options: argparse.Namespace, seed: int) -> Counts:
    """Compose a song around a melody, and count its dissonances."""
    model: tuple[Any, ...] = (options.model,) if options.model else ()
    song = compose.compose(*model, melody=given, genre=options.label, seed=seed).score
    kept = set(zip(given.onset_ticks.tolist(), given.pitch.tolist(), strict=True))
    times = song.onset_ticks * (given.ticks_per_beat / song.ticks_per_beat)
    same = [note in kept for note in zip(times.tolist(), song.pitch.tolist(), strict=True)]
    return count_dissonances(song, np.asarray(song.part == np.bincount(song.part[same]).argmax()))


@benchmark(
    CORPUS,
    argument("--model", type=Path, help="a model folder (default: the bundled model)"),
    argument("--label", default="chorale"),
    argument("--songs", type=int, default=31, help="at most (default: %(default)s)"),
)
def melody(options: argparse.Namespace) -> None:
    """Compose songs around the melodies of human songs, and compare dissonances with those songs.

    The highest part of each held-out song of the label is given as melody, and one song is composed around
    it; seeds count from 0. At each onset of the melody the sounding notes are counted: how many of the other
    notes are dissonant with the melody (seconds, sevenths, tritones and their octaves), and at how many
    onsets any two notes are a semitone apart (or its octaves).
    """
    side = CorpusSongs(Corpus.open(options.corpus), "test")
    songs = [song.score for song in side if options.label in song.labels]
    songs = [song for song in songs if len(np.unique(song.part)) > 1][: options.songs]
    found: dict[str, list[Counts]] = {"human": [], "composed around the melody": []}
    for seed, song in enumerate(songs):
        of_melody = highest_part(song)
        found["human"].append(count_dissonances(song, of_melody))
        around = compose_around(select_notes(song, of_melody), options, seed)
        found["composed around the melody"].append(around)
    lines = []
    for name, counts in found.items():
        others, dissonant, onsets, semitone = np.array(counts).T
        mean = f"{others.sum() / onsets.sum():.2f}"
        lines.append([name, len(counts), mean, share(dissonant, others), share(semitone, onsets)])
    head = ["at onsets of the melody", "songs", "other notes", "dissonant with it", "with a semitone"]
    print(table(head, lines))
