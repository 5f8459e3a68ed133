"""How many notes of human songs each rule of composing would have forbidden, or held back.

    OMP_NUM_THREADS=1 python benchmarks/rules.py FOLDER [--songs 300] [--genre game]

Draws MIDI files under the folder (always the same), replays each as if it were being composed by its own
plan, and asks every rule before every choice. A hard rule may forbid at most 0.1% of notes: what people wrote
was no mistake. A soft rule's share is that of the notes it makes less likely; those that go by what is usual
for a label speak where `--genre` says which one of the model that ships the songs are held against.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from ritornello.composing.rules import RULES

from ritornello import midi
from ritornello.composing import compose
from ritornello.composing.replay import plan_of
from ritornello.composing.request import plain
from ritornello.composing.sampling_state import Ear
from ritornello.composing.style_stats import Usual, usual
from ritornello.errors import RitornelloError
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.representations.grid.vocabulary import FIELDS
from ritornello.representations.notes import Notes

NOTES = Notes()
MOST_NOTES = 8000
LIMIT = 0.001


def asked(score: Score, label: Usual, forbidden: Counter[str], held: Counter[str]) -> int:
    """Replay a song and count what the rules say against it; returns its notes."""
    canonical, _ = NOTES.canonical(score)
    rows = NOTES.encode(canonical).values
    request = replace(plain(plan_of(score), seed=0), **label._asdict())
    cursor = NOTES.cursor([request.timeline])
    ear = Ear(request, cursor.songs[0])
    for row in rows.tolist():
        ear.listen()
        for field, value in zip(FIELDS, row, strict=True):
            if field.kind == "known":
                continue
            for rule in RULES:
                if value < field.size and rule.field == field.name and (bias := rule.says(ear)) is not None:
                    forbidden[rule.name] += bool(np.isneginf(bias[value]))
                    held[rule.name] += bool(bias[value] < bias.max() and np.isfinite(bias[value]))
            cursor.put(field.name, [value])
    return len(canonical)


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=300)
    parser.add_argument("--genre")
    options = parser.parse_args()
    label = Usual()
    if options.genre:
        label = usual(compose.opened_model(None).info, Plan(genres=((options.genre, 1.0),)))
    files = sorted(options.folder.rglob("*.mid"))
    forbidden: Counter[str] = Counter()
    held: Counter[str] = Counter()
    songs = notes = 0
    for file in random.Random(1).sample(files, min(options.songs, len(files))):
        try:
            score = midi.read(file)
        except RitornelloError:
            continue
        if 0 < len(score) <= MOST_NOTES:
            songs, notes = songs + 1, notes + asked(score, label, forbidden, held)
    print(f"{songs:,} songs, {notes:,} notes of {options.folder}; {label}")
    for rule in RULES:
        share = forbidden[rule.name] / max(notes, 1)
        verdict = "" if not rule.is_hard else "ok" if share <= LIMIT else "TOO MUCH"
        print(f"{rule.name:<30}{rule.field:<7}forbidden {share:9.4%}  {verdict:<9}", end="")
        print(f"held back {held[rule.name] / max(notes, 1):8.3%}")


if __name__ == "__main__":
    main()
