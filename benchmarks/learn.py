"""`ritornello learn` on folders of several sizes: what it forecasts and needs, and what it keeps."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import FOLDER, argument, benchmark, folder_bytes, table_row
from ritornello.composing.compose import BUNDLED
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.learning import song_comparison
from ritornello.learning.candidates import Candidates, initial_weights
from ritornello.learning.model_selection import START, nats_of_songs, nats_per_note, read_songs
from ritornello.learning.song_comparison import StyleDifference
from ritornello.models.model import Model

HEAD = (
    "files",
    "seed",
    "s",
    "MB of memory",
    "MB of disk",
    "passes",
    "trials",
    "kept: share, nats better by",
    "style by learn",
)


def divided_songs(corpus: Corpus, files: int, judges: int) -> tuple[list[int], list[int]]:
    """The numbers of songs from which those to learn from are drawn, at least `files`, and of the judges."""
    numbers = np.random.default_rng(0).permutation(corpus.songs()).tolist()
    judges = max(0, min(judges, len(numbers) - files))
    return numbers[judges:], numbers[:judges]


def link_files(folder: Path, corpus: Corpus, numbers: list[int], out: Path) -> Path:
    """A folder with links to the files of these songs, in folders as in `folder`."""
    for number in numbers:
        path = os.fsdecode(corpus.info(number).path)
        link = out / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((folder / path).resolve())
    return out


class Judges:
    """Songs that `learn` never saw, with whose plans models compose, in comparison with the bundled model."""

    def __init__(self, corpus: Corpus, numbers: list[int]) -> None:
        bundled = Model.open(BUNDLED)
        self.openings = song_comparison.openings(read_songs(corpus, numbers), bundled.representation)
        self.human = song_comparison.human_table(self.openings)
        self.bundled = song_comparison.composed_table(bundled, self.openings, 0)

    def style_of(self, model: Model) -> StyleDifference:
        """How far the songs of a model are from those of people, relative to those of the bundled model."""
        composed = song_comparison.composed_table(model, self.openings, 0)
        return song_comparison.style_difference(self.human, composed, self.bundled)

    def of_candidates(self, learnt: Path) -> list[str]:
        """The rows of the candidates in a model folder of `learn`, by nats per note and by style."""
        trained = next((Model.open(path) for path in sorted(learnt.glob("work/*/from-bundled"))), None)
        if trained is None:
            return ["nothing was trained from the bundled model"]
        corpus = Corpus.open(learnt / "work" / "corpus", verify=False)
        initial = initial_weights(BUNDLED, corpus.labels)
        candidates = Candidates(trained, Model.open(BUNDLED), "bundled", initial).of_trained(trained)
        songs, nats = [opening.song for opening in self.openings], {}
        rows = [table_row(("candidate", "nats per note", "style by other songs")), "|---|---|---|"]
        for candidate, model in candidates.items():
            if candidate.share not in nats:
                nats[candidate.share] = nats_per_note(nats_of_songs(model, songs, None))
            style = "1" if candidate == START else style_cell(self.style_of(model))
            rows.append(table_row((str(candidate), f"{nats[candidate.share]:.2f}", style)))
        return rows


def style_cell(style: StyleDifference) -> str:
    """A difference in style with its interval."""
    return "{:.2f} ({:.2f} to {:.2f})".format(style.ratio, *style.interval)


def run_learn(folder: Path, words: list[str]) -> dict[str, Any]:
    """The report of one run, and under `took` what it needed."""
    command = [sys.executable, "-m", "ritornello", "learn", str(folder), "--json", *words]
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # the largest child so far: sizes go up
    report["took"] = {
        "seconds": time.monotonic() - began,
        "memory_bytes": usage.ru_maxrss * 1024,
        "disk_bytes": folder_bytes(folder.with_name(folder.name + "-model")),
        "passes": report["passes"],
    }
    return report


def row(files: int, seed: int, report: dict[str, Any]) -> str:
    """A row of the table."""
    expected, took = report["expected"], report["took"]
    seconds = "-" if expected["seconds"] is None else f"{expected['seconds']:.0f}"
    cells = [f"{files}", f"{seed}", f"{seconds} / {took['seconds']:.0f}"]
    for name in ("memory_bytes", "disk_bytes"):
        cells.append(f"{expected[name] / 1e6:.0f} / {took[name] / 1e6:.0f}")
    cells.append(f"{expected['passes'] or 0:.1f} / {took['passes']:.1f}")
    cells.append(", ".join(f"{name} {nats:.2f}" for name, nats in report["tried"].items()) or "-")
    temperature = report.get("temperature", 1.0)
    cells.append(f"{report['kept']} {report.get('share', 1):g}" + f" at {temperature:g}" * (temperature != 1))
    if report.get("better_by") is not None:
        between = "" if report["interval"] is None else " ({:.2f} to {:.2f})".format(*report["interval"])
        cells[-1] += f", {report['better_by']:.2f}{between}"
    ratio = report.get("style_ratio")
    cells.append(
        "-" if ratio is None else "{:.2f} ({:.2f} to {:.2f})".format(ratio, *report["style_interval"])
    )
    close = report["closeness"]
    cells.append(f"{close['longest']} / {close['human']}" if close else "-")
    style = report["style"]
    cells.append(style_cell(style) if style else "-")
    return table_row(cells)


def summary(styles: list[StyleDifference]) -> str:
    """How many runs kept a model that composes closer to the folder's songs, or further from them."""
    ratios = np.array([style.ratio for style in styles])
    closer = sum(style.interval[1] < 1 for style in styles)
    further = sum(style.interval[0] > 1 for style in styles)
    same = int((ratios == 1).sum())
    return (
        f"{len(styles)} runs: style by other songs {np.exp(np.log(ratios).mean()):.2f} (geometric mean), "
        f"{ratios.min():.2f} to {ratios.max():.2f}; {same} kept what they began with; {(ratios > 1).sum()} "
        f"above 1. With the whole interval below 1: {closer}, above 1: {further}"
    )


@benchmark(
    FOLDER,
    argument("--files", type=int, nargs="+", default=[5, 30, 300], help="how many are drawn, for each run"),
    argument("--seeds", type=int, nargs="+", default=[0], help="of the drawn files, and of learn"),
    argument("--judges", type=int, default=120, help="other songs at most that judge what was kept"),
    argument("--candidates", action="store_true", help="judge each candidate, not only the kept one"),
    passes_on=True,
)
def learn(options: argparse.Namespace) -> None:
    """Run `ritornello learn` on some files of a folder: its forecast, what it needed, and what it kept.

    Each run is a process of its own. Options that are not listed below go to `ritornello learn`, for example
    `--minutes 2 --size tiny`. Printed are, forecast / found: seconds, the highest memory (of the largest
    process so far), disk at the end, and passes; the held-out nats per note of the trial of each start; which
    model was kept (its share of the way from the start to the trained weights), by how many nats per note it
    is better, and the ratio of its style's distance from human songs to that of the start, as `learn` found
    them; the longest run of notes shared with training songs, of composed / human songs; and the ratio of the
    style's distance to that of the bundled model on songs of the folder that `learn` never saw (below 1 is
    closer to them; with its 95% interval). Below each row stands the reason that `learn` gives, and last how
    many runs kept a better or a worse model. With `--candidates` the same songs also judge each candidate, by
    nats per note and by style; where time is short, `learn` itself compares fewer.
    """
    head = [*HEAD, "longest run", "style by other songs"]
    print(table_row(head), "|---" * len(head) + "|", sep="\n", flush=True)
    styles = []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        prepare(options.folder, home / "all")
        corpus = Corpus.open(home / "all", verify=False)
        others, numbers = divided_songs(corpus, max(options.files), options.judges)
        judges = Judges(corpus, numbers) if numbers else None
        for files, seed in product(options.files, options.seeds):
            chosen = np.random.default_rng(seed).permutation(others).tolist()[:files]
            songs = link_files(options.folder, corpus, chosen, home / "run" / "songs")
            report = run_learn(songs, ["--seed", str(seed), *options.passed_on])
            report["style"] = judges.style_of(Model.open(report["model"])) if judges else None
            styles += [report["style"]] * (judges is not None)
            print(row(files, seed, report), report.get("why", ""), sep="\n", flush=True)
            if judges and options.candidates:
                print(*judges.of_candidates(Path(report["model"])), sep="\n", flush=True)
            shutil.rmtree(home / "run")
    if styles:
        print(summary(styles))
