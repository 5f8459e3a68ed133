"""Sketch networks with random weights, and plans with and without sketches, to test with."""

from __future__ import annotations

import numpy as np

from ritornello.music.plan import Plan
from ritornello.music.score import Chord, Part
from ritornello.music.sketch import CLOSED, END, NO_CADENCE, NO_MOTIF, OPEN, Sketch
from ritornello.sketching.profile import NUMBERS, Profiles
from ritornello.sketching.shapes import SketchConfig, weight_shapes
from ritornello.sketching.sketcher import Sketcher

LABELS = ("hymn", "reel")
PIANO, BASS, DRUMS = Part("", 0), Part("", 33), Part("", 0, True)
OPEN_PLAN = Plan(bars=16, key=(-3, False), parts=(PIANO, BASS, DRUMS), genres=(("reel", 1.0),))
PHRASE = (NO_CADENCE, NO_CADENCE, NO_CADENCE, OPEN, NO_CADENCE, NO_CADENCE, NO_CADENCE, CLOSED)
WHOLE_PLAN = Plan(
    bars=8,
    key=(2, False),
    parts=(PIANO, DRUMS),
    genres=(("hymn", 1.0),),
    chords=(Chord(0, 2, "maj"), Chord(96, 9, "7"), Chord(7 * 96, 2, "maj")),
    returns=((-1, 0), (-1, 0), (-1, 0), (-1, 0), (0, 3), (1, 3), (2, 2), (-1, 0)),
    sketch=Sketch(
        (*PHRASE[:7], END),
        (NO_MOTIF, 0, NO_MOTIF, NO_MOTIF, 0, 0, 2, NO_MOTIF),
        (PIANO, DRUMS),
        (((4, 62), (7, 66), (0, -1), (20, 60)) * 2, ((8, 40),) * 8),
        (*((-1, -1),) * 3, (48, 9), *((-1, -1),) * 3, (72, 2)),
    ),
)


def random_sketcher(seed: int = 0, scale: float = 0.3) -> Sketcher:
    """A small network whose weights are random; a larger scale makes it surer."""
    draw = np.random.default_rng(seed)
    config = SketchConfig(labels=len(LABELS), width=16, layers=2, heads=2, part_width=8, profiles=2)
    weights = {
        name: (scale * draw.normal(size=shape)).astype(np.float32)
        for name, shape in weight_shapes(config).items()
    }
    songs = np.array([[label, 4, 3, 1, 4, 0] for label in range(2)], np.float32)
    profiles = Profiles(songs, draw.random((2, len(NUMBERS))).astype(np.float32))
    return Sketcher(config, LABELS, weights, profiles)
