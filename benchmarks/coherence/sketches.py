"""How sketches that a model draws differ from those of people's songs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.coherence.sketch_numbers import NAMES, sketch_numbers
from benchmarks.shared import CORPUS, argument, benchmark, table
from ritornello.composing import compose
from ritornello.composing.options import DEFAULT_CREATIVITY
from ritornello.composing.sampling import song_generator
from ritornello.corpus.corpus import Corpus
from ritornello.errors import FailedError
from ritornello.evaluation.detector import FEWEST, auc, revealing_numbers
from ritornello.music.plan import GRID, Plan
from ritornello.music.sketch import CLOSED, NO_CADENCE, Sketch
from ritornello.music.theory import CHORDS, scale
from ritornello.sketching.sketcher import Sketcher
from ritornello.sketching.stages import SAME
from ritornello.training.sketch_training import corpus_plans

MOST_SONGS = 4000  # of a corpus whose sketches are read
MOST_BARS = 40  # of a song


def _sketch(plan: Plan) -> Sketch:
    """The sketch of a complete plan."""
    assert plan.sketch is not None and plan.returns is not None, "the plan is complete"
    return plan.sketch


def _notes(plan: Plan) -> float:
    return float(np.mean([[notes for notes, _ in part] for part in _sketch(plan).textures]))


def _outside_scale(plan: Plan) -> float:
    """The share of the ticks of a song with a chord that has a tone outside the scale of its key."""
    if plan.key is None or not plan.chords:
        return np.nan
    bars = replace(plan, returns=None, sketch=None).timeline(GRID)
    ticks = np.diff([*(chord.onset_ticks for chord in plan.chords), bars.end_ticks])
    tones = scale(*plan.key)
    is_outside = [
        any((chord.root + interval) % 12 not in tones for interval in CHORDS[chord.kind][1])
        for chord in plan.chords
    ]
    return float(ticks[is_outside].sum() / ticks.sum())


MEASURES: dict[str, Callable[[Plan], Any]] = {
    "bars that repeat an earlier one": lambda plan: np.mean([bar >= 0 for bar, _ in plan.returns or ()]),
    "... all of it": lambda plan: np.mean([similarity == SAME for _, similarity in plan.returns or ()]),
    "bars with the motif of an earlier one": lambda plan: np.mean([bar >= 0 for bar in _sketch(plan).motifs]),
    "bars that end a phrase": lambda plan: np.mean([bar != NO_CADENCE for bar in _sketch(plan).cadences]),
    "... closed": lambda plan: np.mean([bar == CLOSED for bar in _sketch(plan).cadences]),
    "chords a bar": lambda plan: len(plan.chords) / (plan.bars or 1),
    "different chords of a song": lambda plan: len({chord[1:3] for chord in plan.chords}),
    "chords with tones outside the scale": _outside_scale,
    "notes of a part in a bar": _notes,
}


def measured(plans: Sequence[Plan]) -> list[float]:
    """The mean of each measure over plans."""
    values = ([measure(plan) for plan in plans] for measure in MEASURES.values())
    return [float(np.nanmean(each)) if np.isfinite(each).any() else 0.0 for each in values]


def detected(people: Sequence[Plan], drawn: Sequence[Plan], seed: int) -> tuple[str, str]:
    """The detector's AUC with its interval by the numbers of sketches, and the most revealing number."""
    theirs, ours = (np.array([sketch_numbers(plan) for plan in plans]) for plans in (people, drawn))
    if len(ours) < FEWEST:
        return "", ""
    found, most = auc(ours, theirs, seed), revealing_numbers(ours, theirs, NAMES)[0]
    low, high = found["interval"]
    medians = f"{most['human']:.2f} / {most['composed']:.2f}"
    return f"{found['auc']:.2f} ({low:.2f}-{high:.2f})", f"{most['name']} ({medians})"


def drawn_like(plans: Sequence[Plan], sketcher: Sketcher, seed: int) -> list[Plan]:
    """The plans with sketches that are drawn anew."""
    open_plans = [replace(plan, returns=None, chords=(), sketch=None) for plan in plans]
    return [
        sketcher.fill(plan, song_generator(seed, number), DEFAULT_CREATIVITY)
        for number, plan in enumerate(open_plans)
    ]


@benchmark(
    CORPUS,
    argument("--model", help="a model folder (default: the bundled model)"),
    argument("--labels", nargs="+", help="default: all labels of the model"),
    argument("--seed", type=int, default=0),
    one_thread=True,
)
def sketches(options: argparse.Namespace) -> None:
    """Draw a sketch for each held-out song of at most 40 bars, and print measures of both as people / drawn.

    A sketch has the label, meter, tempo, key, parts and length of its song. CORPUS is the one from which the
    model learnt; people are the songs of its sides test and valid. The detector sees
    40 numbers of each sketch; below 20 songs it is left out.
    """
    corpus, model = Corpus.open(options.corpus), compose.opened_model(options.model)
    sketcher = Sketcher.of(model)
    if sketcher is None:
        raise FailedError("the model has no sketch network")
    plans = [
        plan
        for side in ("test", "valid")
        for plan in corpus_plans(corpus, side, model.representation, MOST_SONGS)
        if plan.bars and plan.bars <= MOST_BARS
    ]
    rows = []
    for label in options.labels or model.labels:
        human = [plan for plan in plans if label in dict(plan.genres)]
        if not human:
            continue
        drawn = drawn_like(human, sketcher, options.seed)
        pairs = [f"{a:.2f} / {b:.2f}" for a, b in zip(measured(human), measured(drawn), strict=True)]
        rows.append([label, len(human), *detected(human, drawn, options.seed), *pairs])
    print(table(["label", "songs", "detector AUC", "most revealing number", *MEASURES], rows))
