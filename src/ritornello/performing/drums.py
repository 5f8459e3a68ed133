"""Perform drum parts with the network of drum feel."""

from __future__ import annotations

import numpy as np

from ritornello.music.plan import GRID
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.drum_hits import classes_of, hits_of
from ritornello.performing.feel_network import FeelNetwork, bundled
from ritornello.performing.grid_notes import Floats, Ints, places_of

# A part's velocities are kept if their standard deviation is this; at 0 the network replaces them, between
# the two it replaces a share
PLAYED_DEVIATION = 22.0
HIGHEST = 124.0  # the highest 95th percentile of velocities that replace flat ones


def played_drums(
    score: Score,
    notes: Ints,
    timeline: Timeline,
    bpm: float,
    style: str,
    draw: np.random.Generator,
    network: FeelNetwork | None = None,
) -> tuple[Floats, Floats]:
    """Return velocities 1-127 (n,) and onsets (n,), in beats from the start, of drum notes (n,) of a song.

    Hits of one drum at the same place of the grid, such as flams, keep their distances. `network` is by
    default the bundled one.
    """
    beats = score.onset_ticks[notes] / score.ticks_per_beat
    place, pitch = places_of(beats), score.pitch[notes]
    loudness = score.velocity[notes].astype(np.float64)
    quietest_first = np.lexsort((loudness, pitch, place))
    keys = (place * 128 + pitch)[quietest_first]
    is_main = np.append(keys[1:] != keys[:-1], True)
    main, of_main = quietest_first[is_main], np.cumsum(np.append(0, is_main[:-1]))
    bars = timeline.start_ticks * GRID // score.ticks_per_beat
    hits = hits_of(place[main], classes_of(pitch[main]), np.unique(bars), bpm, style)
    written_loudness = loudness[main][hits.order]
    trust = float(np.clip(written_loudness.std() / PLAYED_DEVIATION, 0, 1))
    velocity, offset = (np.zeros(len(main)) for _ in range(2))
    values = (network or bundled()).draw(hits, draw, written_loudness, trust)
    velocity[hits.order], offset[hits.order] = values["velocity"], values["offset"]
    if len(notes) < len(score):  # recorded drummers were ahead of the click; the other parts are not
        offset -= offset.mean()
    velocity = trust * velocity + (1 - trust) * at_level(velocity, loudness[main])
    main_of_note = np.zeros(len(notes), np.int64)
    main_of_note[quietest_first] = of_main
    louder = velocity[main_of_note] * loudness / loudness[main][main_of_note]
    onset = place[main][main_of_note] / GRID + offset[main_of_note] + beats - beats[main][main_of_note]
    return np.clip(louder, 1, 127), onset


def at_level(velocity: Floats, written: Floats) -> Floats:
    """Return velocities 0-127 (n,) moved to the mean of the `written` ones; their spread shrinks if the
    highest would be too loud."""
    deviation = velocity - velocity.mean()
    top = max(float(np.quantile(deviation, 0.95)), 1.0)
    return np.asarray(written.mean() + deviation * min(1.0, max(HIGHEST - written.mean(), 4.0) / top))
