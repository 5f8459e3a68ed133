"""All corpora of a folder learnt together: nats by corpus with training time, and what given notes are worth.

    python benchmarks/groups.py CORPUS --out DIR [--minutes 6 12 24] [--threads 1]
    python benchmarks/groups.py CORPUS --model MODEL   # what is given alone, of a model that is there

CORPUS is a prepared folder of folders (such as `clean`), one a kind of music. One `lstm` on `notes`
learns them all; it is measured on the test side after each of the times, by the first folder of each
song's path, with nothing told and with everything told. The run goes on from one time to the next, as
`ritornello train` does when asked for more minutes. `--without-alone` trains without the echoes of each part
by itself, to see what they are worth.

Then what is given is measured, each time twice over the same notes. A gap of four bars in the middle of each
song: with what stands left of it alone, and with all notes right of it given too. And the pitches of all
parts but the highest: heard as they come, and with the whole highest part given, as a tune is.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ritornello import Corpus, Model, Score
from ritornello.evaluation.inputs import Side
from ritornello.evaluation.likelihood import GIVEN, Nats, exact, likelihood
from ritornello.evaluation.summary import interval, summary
from ritornello.models import registry
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.vocabulary import COLUMN, FIELDS, MAX_SHIFT
from ritornello.representations.notes import Notes
from ritornello.representations.table import hide, start_row
from ritornello.training import loop
from ritornello.training.train import train

GAP_BARS = 4
NOTES = Notes()
ABLATED = f"{Path(__file__).resolve().with_name('ablated.py')}:WithoutAlone"


def by_group(model: Model, rows: Notes, corpus: Corpus, threads: int) -> dict[str, dict[str, Any]]:
    """How many songs each group has, and their summary under each name of GIVEN."""
    groups: dict[str, list[dict[str, Nats]]] = defaultdict(list)
    network, conditions = model.network_in_torch(), model.conditions
    for nats in likelihood(network, rows, Side(corpus, "test"), conditions=conditions, threads=threads):
        groups[nats["none"].song.partition("/")[0]].append(nats)
    return {
        group: {"songs": len(found)} | {name: summary([one[name] for one in found]) for name in GIVEN}
        for group, found in sorted(groups.items())
    }


def gap(network: Any, song: Score) -> tuple[float, float, int] | None:
    """Nats of the notes in the gap: left alone, both sides; and how many notes. None where it is empty."""
    bar = Timeline.of(song).bar_of(song.onset_ticks)
    first = int(bar[-1] + 1 - GAP_BARS) // 2
    inside = (bar >= first) & (bar < first + GAP_BARS)
    after = bar >= first + GAP_BARS
    if first < 1 or not inside.any() or not after.any():
        return None
    left = _nats(network, NOTES.encode(song).values, inside)
    both = _nats(network, NOTES.encode(song, given=after).values, inside)
    return sum(left.values()), sum(both.values()), int(inside.sum())


def under(network: Any, song: Score) -> tuple[float, float, int] | None:
    """Nats of the pitches below the highest part: heard, it given; how many. None of a song of one part."""
    parts = [part for part in np.unique(song.part).tolist() if not song.parts[part].is_drum]
    if len(parts) < 2:
        return None
    above = song.part == max(parts, key=lambda part: song.pitch[song.part == part].mean())
    heard = _nats(network, NOTES.encode(song).values, ~above)
    given = _nats(network, NOTES.encode(song, given=above).values, ~above)
    return heard["pitch"], given["pitch"], int((~above).sum())


def _nats(network: Any, rows: npt.NDArray[Any], counted: npt.NDArray[np.bool_]) -> dict[str, float]:
    """What the notes of a song that are `counted` cost by field, with nothing else told."""
    hidden = hide(FIELDS, rows, ("form", "bars_left", "chord"))
    values = torch.from_numpy(np.concatenate([np.array([start_row(FIELDS)], np.int16), hidden]))[None]
    notes = np.flatnonzero(rows[:, COLUMN["shift"]] <= MAX_SHIFT)
    chosen = torch.from_numpy(1 + notes[counted])
    with torch.no_grad():
        logits, _ = network.predict(values)
    return {
        name: float(
            torch.nn.functional.cross_entropy(
                found[0, chosen], values[0, chosen, COLUMN[name]].long(), reduction="sum"
            )
        )
        for name, found in logits.items()
    }


def given(model: Model, corpus: Corpus, threads: int) -> None:
    """The tables of what is given."""
    network = model.network_in_torch()
    for measured, heads in (
        (gap, ("gap of four bars", "left alone", "both sides")),
        (under, ("pitches below the highest part", "heard", "it given")),
    ):
        groups: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
        with exact(threads):
            for song in Side(corpus, "test"):
                found = measured(network, NOTES.canonical(song.score)[0])
                if found:
                    groups[song.name.partition("/")[0]].append(found)
        table(groups, *heads)


def table(groups: dict[str, list[tuple[float, float, int]]], what: str, one: str, other: str) -> None:
    """Two ways of measuring the same notes, by group and together, in Markdown."""
    print(f"\n| {what} | songs | notes | {one} | {other} | lower by (95% interval) |\n" + "|---" * 6 + "|")
    groups["all"] = [one for found in groups.values() for one in found]
    for group, all_found in groups.items():
        left, both, notes = np.array(all_found).T
        low, high = interval(both, left) if len(left) > 1 else (np.nan, np.nan)
        cells = [group, str(len(left)), f"{notes.sum():.0f}", f"{left.sum() / notes.sum():.3f}"]
        cells += [
            f"{both.sum() / notes.sum():.3f}",
            f"{1 - both.sum() / left.sum():.1%} ({1 - high:.1%} to {1 - low:.1%})",
        ]
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Train on, measure, and print the tables in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[6.0, 12.0, 24.0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall", help="as in pop.py")
    parser.add_argument("--without-alone", action="store_true")
    options = parser.parse_args()
    if options.clock == "processor":
        loop.CLOCK = time.process_time
    corpus = Corpus.open(options.corpus)
    if options.model:
        given(Model.open(options.model), corpus, options.threads)
        return
    if not options.out:
        parser.error("give --out DIR, or --model MODEL")
    with_time(corpus, options)
    if not options.without_alone:
        given(Model.open(options.out), corpus, options.threads)


def with_time(corpus: Corpus, options: argparse.Namespace) -> None:
    """Train, measure after each of the times, and print the table."""
    name = ABLATED if options.without_alone else "notes"
    rows: Notes = registry.find("representations", name)()
    settings = {"representation": name, "threads": options.threads, "memory_mb": 4096}
    found: dict[float, dict[str, Any]] = {}
    for minutes in options.minutes:
        file = options.out.with_name(f"{options.out.name}-{minutes:g}min.json")
        if not file.exists():
            train(corpus.path, options.out, minutes=minutes, **settings)
            file.write_text(json.dumps(by_group(Model.open(options.out), rows, corpus, options.threads)))
        found[minutes] = json.loads(file.read_text())
    print(
        "| nats a note, nothing told (all told) | songs | " + " | ".join(f"{m:g} min" for m in found) + " |"
    )
    print("|---" * (2 + len(found)) + "|")
    for group, first in next(iter(found.values())).items():
        cells = [
            f"{one[group]['none']['nats_per_note']:.3f} ({one[group]['plan']['nats_per_note']:.3f})"
            for one in found.values()
        ]
        print(f"| {group} | {first['songs']} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
