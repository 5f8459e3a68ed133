"""Songs of the bundled model, none picked out, compared with human songs that it never saw."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.compose import figures, report
from benchmarks.compose.report import BARS, HumanSongs, Made
from benchmarks.shared import CORPUS, argument, benchmark
from ritornello import midi
from ritornello.composing import compose as composing
from ritornello.corpus.corpus import Corpus
from ritornello.errors import PlanError
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.training.sample_monitor import SampleMonitor
from ritornello.training.songs import EncodedSongs

ARMS = ("free", "asked", "chords", "form", "long")
FORM, LONG_BARS = "A8 B8 A8 B8", 96
GROUP = 10  # songs with the same options
SHARE_OF_LONG = 5  # the arm `long` has one song for so many of the others


def options_of(arm: str, group: int, humans: HumanSongs) -> dict[str, Any]:
    """The options of `compose_many` for a group of songs."""
    if arm == "form":
        return {"form": FORM}
    if arm == "long":
        return {"bars": LONG_BARS}
    if arm == "free":
        return {"bars": BARS}
    asked = {"bars": BARS, **humans.options_like(group)}
    return asked if arm == "chords" else {**asked, "chords": None}


def compose_arm(humans: HumanSongs, arm: str, songs: int, out: Path) -> None:
    """Compose the groups of an arm that do not exist yet, and write their files, options and plans."""
    for group in range(-(-songs // GROUP)):
        folder = out / humans.label / arm / f"{group}"
        if (folder / "asked.json").exists():
            continue
        asked = options_of(arm, group, humans)
        began = time.process_time()
        try:
            made = composing.compose_many(n=GROUP, genre=humans.label, seed=group, **asked)
        except PlanError as error:  # no training song has such a part: it must be forced
            print(f"{humans.label} {arm} {group}: {error}", flush=True)
            made = composing.compose_many(n=GROUP, genre=humans.label, seed=group, force=True, **asked)
        record: dict[str, Any] = {"asked": asked, "seconds": time.process_time() - began, "plans": []}
        folder.mkdir(parents=True, exist_ok=True)
        for number, song in enumerate(made):
            song.write(folder / f"{number}.mid")
            record["plans"].append(song.plan.to_dict())
        (folder / "asked.json").write_text(json.dumps(record))


def read_arm(out: Path, label: str, arm: str) -> tuple[list[Made], float]:
    """The songs of an arm, and how many notes per second of processor time they took."""
    found, seconds = [], 0.0
    for file in sorted((out / label / arm).glob("*/asked.json"), key=lambda file: int(file.parent.name)):
        record = json.loads(file.read_bytes())
        seconds += record["seconds"]
        for number, plan in enumerate(record["plans"]):
            path = file.parent / f"{number}.mid"
            found.append(Made(midi.read(path), Plan.from_dict(plan), record["asked"], path.read_bytes()))
    return found, sum(len(song.score) for song in found) / max(seconds, 1e-9)


def print_cold_start(times: int = 5) -> None:
    """Print the median time from the start of a process to a finished .mid of 16 bars."""
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
    print(
        f"cold process to a finished 16-bar .mid: {busy:.2f} s of processor time, {wall:.2f} s by the clock"
    )


def print_arm(
    humans: HumanSongs,
    arm: str,
    out: Path,
    classifier: figures.LabelClassifier,
    training: list[Score],
) -> None:
    """Print the figures of the songs of an arm."""
    label = humans.label
    made, speed = read_arm(out, label, arm)
    if not made:
        return
    print(f"{label}, {arm}: {len(made)} songs, {speed:,.0f} notes/s in batches of {GROUP}", flush=True)
    report.print_always(made)
    if arm == "free":
        shares = classifier.share([song.score for song in made], label), classifier.share(humans.songs, label)
        print(f"  label recognised {shares[0]:.2f}, of {len(humans.songs)} human songs {shares[1]:.2f}")
        monitor = SampleMonitor(EncodedSongs(humans.learnt, figures.NOTES), ())
        report.print_free(humans, made, monitor, training)
    elif arm == "asked":
        report.print_asked(humans, made)
    elif arm == "chords":
        report.print_chords(humans, made, read_arm(out, label, "asked")[0])
    elif arm == "form":
        report.print_form(humans, made)


@benchmark(
    CORPUS,
    argument("--out", type=Path, required=True, help="songs are kept here and not composed again"),
    argument("--songs", type=int, default=100, help="of each label and arm (default: %(default)s)"),
    argument("--labels", nargs="+", help="default: all labels of the bundled model"),
    argument("--arms", nargs="+", default=list(ARMS), choices=ARMS),
    argument("--only", choices=["composed", "measured"], help="only compose, or only measure existing songs"),
    one_thread=True,
)
def compose(options: argparse.Namespace) -> None:
    """Compose songs with the bundled model, and compare them with the human songs of the test side.

    CORPUS is the one that `examples/bundled.py` prepares. Songs are composed in groups of ten. Each label has
    as many songs in each of these arms:

        free     --genre alone
        asked    also key, meter and parts of a human song, another one for every group
        chords   the same seeds with the human song's chords, one per bar
        form     --form "A8 B8 A8 B8"
        long     --bars 96 (a fifth as many songs)

    The time of a cold start is measured first. `benchmarks/compose/figures.py` defines the figures.
    """
    corpus, labels = Corpus.open(options.corpus), composing.opened_model(None).labels
    humans = {label: HumanSongs(corpus, label) for label in labels}
    chosen = options.labels or labels
    if options.only is None:
        print_cold_start()
    if options.only != "measured":
        for label in chosen:
            for arm in options.arms:
                songs = options.songs // SHARE_OF_LONG if arm == "long" else options.songs
                compose_arm(humans[label], arm, songs, options.out)
    if options.only == "composed":
        return
    learnt: dict[str, Sequence[Score]] = {
        label: humans[label].learnt for label in labels if humans[label].learnt
    }
    classifier = figures.LabelClassifier(learnt)
    training = [corpus.score(number) for number in corpus.songs("train").tolist()]
    for label in chosen:
        for arm in options.arms:
            print_arm(humans[label], arm, options.out, classifier, training)
