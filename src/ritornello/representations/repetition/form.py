"""The candidate `form`: the next note in the bar to which the present bar returns.

A bar returns to an earlier one, its origin, if the two have nearly the same notes. Their similarity is the
Jaccard index of their sets of (ticks from the start of the bar, part, pitch). `find_returns` computes the
origins of a finished song; those of a song that is composed come from its plan.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.timeline import Timeline
from ritornello.representations.grid.shifts import BarLines
from ritornello.representations.grid.vocabulary import FORM_UNKNOWN, PART_PITCH_BITS, Ints, note_key

MIN_SIMILARITY = 0.5  # of a bar to its origin
CONTINUATION_BONUS = 0.25  # added to the similarity of the bar that follows the origin of the bar before
MOST, ALL = 0.75, 0.99  # the similarities from which on the class is 2 and 3
MAX_BARS_COMPARED = 4096  # of a song; the table of all pairs of more bars would fill the memory


class FormCandidates(NamedTuple):
    """For R rows: index of the candidate (-1: none), its onset, similarity class; (R,) each."""

    note: Ints
    onset_ticks: Ints
    similarity: Ints


def find_returns(timeline: Timeline, onset: Ints, part_pitch: Ints) -> Timeline:
    """Return the timeline with origins of bars, from notes (N,) sorted by onset (ticks) and part_pitch.

    A bar of at least two notes returns to the most similar earlier bar of its length, the latest of equals,
    if their similarity is at least MIN_SIMILARITY. The bar that follows the origin of the bar before is
    preferred by CONTINUATION_BONUS.
    """
    bars = min(len(timeline), MAX_BARS_COMPARED)
    origins, classes = np.full(len(timeline), -1), np.zeros(len(timeline), np.int64)
    if bars < 2:
        return timeline.with_returns(origins, classes)
    similarity = similarities(timeline, bars, onset, part_pitch)  # (bars, bars)
    best = bars - 1 - np.argmax(similarity[:, ::-1], axis=1)  # the latest of the highest
    highest = similarity[np.arange(bars), best]
    origin = -1
    for bar, (latest, value) in enumerate(zip(best.tolist(), highest.tolist(), strict=True)):
        following, origin = origin + 1, -1
        if value < MIN_SIMILARITY:
            continue
        origin = latest
        if following and (continued := float(similarity[bar, following])) >= MIN_SIMILARITY:
            origin = max((value, latest), (continued + CONTINUATION_BONUS, following))[1]
        origins[bar] = origin
    to_origin = np.where(origins[:bars] >= 0, similarity[np.arange(bars), origins[:bars]], 0.0)
    classes[:bars] = similarity_classes(to_origin)
    return timeline.with_returns(origins, classes)


def similarity_classes(similarity: npt.NDArray[np.float64]) -> Ints:
    """Return the classes 0-3 of similarities (any shape)."""
    return np.asarray(np.searchsorted([MIN_SIMILARITY - 1e-9, MOST, ALL], similarity, side="left"))


def similarities(timeline: Timeline, bars: int, onset: Ints, part_pitch: Ints) -> npt.NDArray[np.float64]:
    """Return the similarity of each bar (row) to each earlier one of equal length, else 0: (bars, bars)."""
    common, sizes = _common_notes(timeline, bars, onset, part_pitch)
    similarity = common / np.maximum(sizes[:, None] + sizes - common, 1)
    length = timeline.length_ticks[:bars]
    similarity[(length[:, None] != length) | (sizes < 2)[:, None]] = 0
    return np.tril(similarity, -1)


def _common_notes(
    timeline: Timeline, bars: int, onset: Ints, part_pitch: Ints
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return how many notes each two bars have in common, (bars, bars), and how many each bar has, (bars,).

    Notes that occur in many bars are counted by a matrix product, the others pair by pair.
    """
    bar = timeline.bar_of(onset)
    compared = bar < bars
    bar, part_pitch = bar[compared], part_pitch[compared]
    offset = onset[compared] - timeline.start_ticks[bar]
    _, item = np.unique(note_key(offset, part_pitch), return_inverse=True)
    times = np.bincount(item)
    frequent = times[item] > max(4, bars // 16)
    items, column = np.unique(item[frequent], return_inverse=True)
    table = np.zeros((bars, len(items)), np.float32)
    table[bar[frequent], column] = 1
    common = (table @ table.T).astype(np.float64)
    rare = ~frequent
    order = np.argsort(item[rare], kind="stable")
    rare_bar, count = bar[rare][order], times[item[rare][order]]
    rare_item, pairs = item[rare][order], [np.zeros(0, np.int64)]
    for back in range(1, int(count.max(initial=1))):  # each note with the equal one `back` places before it
        same = rare_item[back:] == rare_item[:-back]
        pairs.append(rare_bar[back:][same] * bars + rare_bar[:-back][same])
    common += np.bincount(np.concatenate(pairs), minlength=bars * bars).reshape(bars, bars)
    return common, np.bincount(bar, minlength=bars).astype(np.float64)


def form_candidates(
    bars: BarLines, timeline: Timeline, onset: Ints, part_pitch: Ints, clock: Ints, last: Ints, known: Ints
) -> FormCandidates:
    """Return the candidates for R rows of a song, from its notes (N,) sorted by onset (ticks) and part_pitch.

    A row has its `clock` in ticks, the part_pitch of the `last` note at the clock (-1: none, or after WAIT),
    and comes after `known` notes, (R,) each. The candidate is the first note after that place in the origin
    of the present bar; where there is none, the first note in the origin of the next bar.
    """
    keys = note_key(onset, part_pitch)
    bar = bars.bar_of(clock)
    origins, classes = np.append(timeline.returns_to, -1), np.append(timeline.similarity, 0)
    start, stop = np.append(bars.start_ticks, 0), np.append(bars.start_ticks + timeline.length_ticks, 0)
    note, guess = np.full(len(clock), -1), np.zeros(len(clock), np.int64)
    similarity = np.where(classes[bar] < 0, FORM_UNKNOWN, 0)
    for ahead in (1, 0):  # the present bar comes last and overwrites the next one
        origin = origins[bar + ahead]
        place = start[origin] + (clock - start[bar] if ahead == 0 else 0)
        least = last + 1 if ahead == 0 else np.zeros_like(last)
        at = np.searchsorted(keys, note_key(place, least), side="left")
        inside = (origin >= 0) & (at < known)
        inside[inside] &= onset[at[inside]] < stop[origin[inside]]
        note = np.where(inside, at, note)
        moved = bars.ticks[bar + ahead][inside] - start[origin[inside]]
        guess[inside] = onset[at[inside]] + moved
        similarity[inside] = classes[bar + ahead][inside] + 3 * ahead
    return FormCandidates(note, guess, similarity)


class FormState:
    """Computes the candidate note by note: after `add`, `candidate` returns it for a place."""

    def __init__(self, bars: BarLines, timeline: Timeline) -> None:
        self._keys: list[int] = []
        self._start, self._lines = bars.start_ticks.tolist(), bars.ticks.tolist()
        self._stop = (bars.start_ticks + timeline.length_ticks).tolist()
        self._origins, self._classes = timeline.returns_to.tolist(), timeline.similarity.tolist()

    def add(self, onset_ticks: int, part_pitch: int) -> None:
        """Add the next note."""
        self._keys.append(note_key(onset_ticks, part_pitch))

    def candidate(self, clock: int, last: int) -> tuple[int, int, int]:
        """Return the index of the candidate (-1: none), the onset that it guesses, and the similarity class.

        `clock`, in ticks, and `last` are those of the row, as in `form_candidates`.
        """
        bar = bisect_right(self._start, clock) - 1
        for ahead in (0, 1):
            origin = self._origins[bar + ahead] if bar + ahead < len(self._origins) else -1
            if origin < 0:
                continue
            start = self._start[origin]
            if ahead:
                at = bisect_left(self._keys, note_key(start, 0))
            else:
                at = bisect_right(self._keys, note_key(start + clock - self._start[bar], last))
            if at < len(self._keys) and (onset := self._keys[at] >> PART_PITCH_BITS) < self._stop[origin]:
                return at, self._lines[bar + ahead] + onset - start, self._classes[bar + ahead] + 3 * ahead
        return -1, 0, FORM_UNKNOWN if self._classes[bar] < 0 else 0
