"""Unpicked songs of the model that ships, by label, beside human songs that it never saw.

    OMP_NUM_THREADS=1 python benchmarks/compose.py CORPUS --out DIR [--songs 100] [--labels fiddle game]

CORPUS is the one that `examples/bundled.py` prepares; its test side are the human songs. Each label composes
five times as many songs, and goes on where it stopped:

    free     --genre alone
    asked    also key, meter and parts of a human song, another for every ten songs
    chords   the same seeds with the human song's chords, one a bar
    form     --form "A8 B8 A8 B8"
    long     --bars 96 (a fifth as many songs)

`--only heard` measures what is there. What each figure means is in composed.py. Seconds are of one processor.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import composed
import composed_report as report
from composed_report import BARS, Humans, Made
from ritornello import midi
from ritornello.composing import compose
from ritornello.corpus.corpus import Corpus
from ritornello.errors import PlanError
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.training.sample_monitor import Watch
from ritornello.training.songs import Songs

FORM, LONG = "A8 B8 A8 B8", 96
ALIKE = 10  # songs for which the same is asked


def wishes(arm: str, group: int, humans: Humans) -> dict[str, Any]:
    """What is asked of the songs of a group."""
    if arm == "form":
        return {"form": FORM}
    if arm == "long":
        return {"bars": LONG}
    if arm == "free":
        return {"bars": BARS}
    asked = {"bars": BARS, **humans.asking(group)}
    return asked if arm == "chords" else {**asked, "chords": None}


def compose_all(humans: Humans, arm: str, songs: int, out: Path) -> None:
    """Compose the songs of an arm that are not there yet, ten at a time; their files and what was asked."""
    for group in range(-(-songs // ALIKE)):
        folder = out / humans.label / arm / f"{group}"
        if (folder / "asked.json").exists():
            continue
        asked = wishes(arm, group, humans)
        began = time.process_time()
        try:
            made = compose.compose_many(n=ALIKE, genre=humans.label, seed=group, **asked)
        except PlanError as error:  # a part that no training song has: asked for by force
            print(f"{humans.label} {arm} {group}: {error}", flush=True)
            made = compose.compose_many(n=ALIKE, genre=humans.label, seed=group, force=True, **asked)
        said: dict[str, Any] = {"asked": asked, "seconds": time.process_time() - began, "plans": []}
        folder.mkdir(parents=True, exist_ok=True)
        for number, song in enumerate(made):
            song.write(folder / f"{number}.mid")
            said["plans"].append(song.plan.to_dict())
        (folder / "asked.json").write_text(json.dumps(said))


def read(out: Path, label: str, arm: str) -> tuple[list[Made], float]:
    """The songs of an arm, and how many notes a second they took."""
    found, seconds = [], 0.0
    for file in sorted((out / label / arm).glob("*/asked.json"), key=lambda file: int(file.parent.name)):
        said = json.loads(file.read_bytes())
        seconds += said["seconds"]
        for number, plan in enumerate(said["plans"]):
            path = file.parent / f"{number}.mid"
            found.append(Made(midi.read(path), Plan.from_dict(plan), said["asked"], path.read_bytes()))
    return found, sum(len(song.score) for song in found) / max(seconds, 1e-9)


def cold(times: int = 5) -> None:
    """A process from its start to a finished .mid of 16 bars: seconds of the processor, and of the wall."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        words = f"-m ritornello compose --quiet -o {folder}/song.mid --seed"
        command = [sys.executable, *words.split()]
        for seed in range(times):
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run([*command, str(seed)], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            taken.append((busy, time.monotonic() - began))
    busy, wall = (median(column) for column in zip(*taken, strict=True))
    print(f"cold process to a finished 16-bar .mid: {busy:.2f} s of the processor, {wall:.2f} s by the clock")


def main() -> None:
    """Compose what is missing, then say what is heard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--labels", nargs="+", default=list(compose.opened_model(None).labels))
    parser.add_argument("--arms", nargs="+", default=["free", "asked", "chords", "form", "long"])
    parser.add_argument("--only", choices=["composed", "heard"])
    options = parser.parse_args()
    corpus = Corpus.open(options.corpus)
    labels = compose.opened_model(None).labels
    humans = {label: Humans(corpus, label) for label in labels}
    if options.only is None:
        cold()
    if options.only != "heard":
        for label in options.labels:
            for arm in options.arms:
                songs = options.songs // 5 if arm == "long" else options.songs
                compose_all(humans[label], arm, songs, options.out)
    if options.only == "composed":
        return
    recognise = composed.Recogniser({label: humans[label].learnt for label in labels})
    training = [corpus.score(number) for number in corpus.songs("train").tolist()]
    for label in options.labels:
        for arm in options.arms:
            hear(humans[label], arm, options.out, recognise, training)


def hear(human: Humans, arm: str, out: Path, recognise: composed.Recogniser, training: list[Score]) -> None:
    """Say what is heard in the songs of an arm."""
    label = human.label
    made, speed = read(out, label, arm)
    if not made:
        return
    print(f"{label}, {arm}: {len(made)} songs, {speed:,.0f} notes/s in batches of {ALIKE}", flush=True)
    report.report_always(made)
    if arm == "free":
        said = recognise([song.score for song in made], label), recognise(human.songs, label)
        print(f"  label recognised {said[0]:.2f}, of {len(human.songs)} human songs {said[1]:.2f}")
        report.report_free(human, made, Watch(Songs(human.learnt, composed.NOTES), ()), training)
    elif arm == "asked":
        report.report_asked(human, made)
    elif arm == "chords":
        report.report_chords(human, made, read(out, label, "asked")[0])
    elif arm == "form":
        report.report_form(human, made)


if __name__ == "__main__":
    main()
