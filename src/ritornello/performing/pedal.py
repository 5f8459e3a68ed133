"""The sustain pedal of pianos: down while one chord sounds, changed just after the next chord begins.

The change comes after the onset, as pianists make it ("legato pedalling"; Rosenblum, Pedaling the Piano, in
Performance Practice Review, 1993). The pedal stays up where it would hold notes together that clash.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ritornello.music.file_details import DetailEvent
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.grid_notes import Ints

PIANOS = frozenset(range(6))  # acoustic and electric pianos
CONTROLLER, SUSTAIN = 0xB0, 64
DOWN, UP = 100, 0
CHANGE_S = 0.06  # the time from the onset of a chord until the pedal is down again
MIN_SPAN_BEATS = 0.9  # a chord that lasts less gets no pedal
MOST_REST_BEATS = 1.0  # a longer rest is kept: the pedal is up
MAX_CLASHES = 1  # the most clashes, as `_clashes` counts them, that the pedal may hold
LOW_PITCH = 55  # G3


def pedal_spans(score: Score, notes: Ints, timeline: Timeline) -> list[tuple[int, int]]:
    """Return the start and end ticks of each time that the pedal is down for the notes (n,) of a part.

    A span ends where the chord changes, at the latest at the end of the bar.
    """
    edges = set(timeline.start_ticks.tolist()) | {timeline.end_ticks}
    edges |= {chord.onset_ticks for chord in score.chords if chord.onset_ticks < timeline.end_ticks}
    onset = score.onset_ticks[notes].astype(np.int64)
    end = onset + score.duration_ticks[notes]
    spans = []
    bounds = sorted(edges)
    for start, stop in pairwise(bounds):
        inside = (onset >= start) & (onset < stop)
        is_long = stop - start >= MIN_SPAN_BEATS * score.ticks_per_beat
        if not is_long or len(np.unique(onset[inside])) < 2 or ((onset < start) & (end > start)).any():
            continue
        if _clashes(score.pitch[notes][inside]) <= MAX_CLASHES:
            first, last = int(onset[inside].min()), max(int(end[inside].max()), int(onset[inside].max()) + 1)
            rests = stop - last > MOST_REST_BEATS * score.ticks_per_beat
            spans.append((first, last if rests else stop))
    return spans


def _clashes(pitch: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.uint8]]) -> int:
    """How much pitches (n,) clash: each semitone of two pitch classes counts 2, each whole tone 1.

    Two notes below G3 that are less than a minor third apart count 1 more.
    """
    pitches = np.unique(np.asarray(pitch, np.int64))
    classes = np.zeros(14, bool)
    classes[pitches % 12] = True
    classes[12:] = classes[:2]
    by_class = int((classes[:12] & classes[1:13]).sum()) * 2 + int((classes[:12] & classes[2:14]).sum())
    low = pitches[pitches < LOW_PITCH]
    return by_class + int((np.diff(low) < 3).sum())


def pedal_events(
    spans: Sequence[tuple[int, int]], delay_ticks: int, channel: tuple[int, int, int]
) -> list[DetailEvent]:
    """Return the pedal events of a part on (track, port, channel); `delay_ticks` is CHANGE_S in ticks."""
    track, port, number = channel
    status = CONTROLLER | number
    events = []
    for place, (start, end) in enumerate(spans):
        down = min(start + delay_ticks, (start + end) // 2)
        events.append(DetailEvent(down, track, port, bytes([status, SUSTAIN, DOWN])))
        follows = place + 1 < len(spans) and spans[place + 1][0] <= end + 1
        up = min(end + delay_ticks // 3, spans[place + 1][0] + delay_ticks // 3) if follows else end
        events.append(DetailEvent(up, track, port, bytes([status, SUSTAIN, UP])))
    return events
