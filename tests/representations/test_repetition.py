"""The candidates, compared with slow implementations of their definitions (`slow_...`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import PlanError
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Meter, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.shifts import BarLines
from ritornello.representations.grid.vocabulary import FORM_UNKNOWN, PART_PITCH_BITS, note_classes
from ritornello.representations.notes import Notes
from ritornello.representations.repetition import form as forms
from ritornello.representations.repetition.alone import alone_candidates
from ritornello.representations.repetition.echo import EchoState, echo_candidates
from ritornello.representations.repetition.form import FormState, find_returns, form_candidates
from tests.representations.songs import repetitive, wide
from tests.scores import tune

Ints = npt.NDArray[np.int64]
NOTES = Notes()
Pair = tuple[int, int]
VOICED = st.sampled_from((0, 4 * 40, 512))  # a piano, a violin, drums
PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=160)


def slow_echo(keys: list[Pair], given: list[bool] | None = None) -> list[tuple[int, int, int, int]]:
    """Candidate, its interval, class of the matched length, class of the run, after 0 ... N notes."""
    ahead = [note for note, kept in enumerate(given or []) if kept]
    onset = np.cumsum([0, *(interval for interval, _ in keys)]).tolist()
    alone = [
        (onset[note + 1] - (onset[before + 1] if before >= 0 else 0), keys[note][1])
        for before, note in zip([-1, *ahead], ahead, strict=False)
    ]
    result: list[tuple[int, int, int, int]] = []
    guess: Pair | None = None
    run = 0
    for n in range(len(keys) + 1):
        run = run + 1 if n and guess == keys[n - 1] else 0
        met = sum(note < n for note in ahead)
        found, guess = (-1, 0, 0), None
        for rank, size in ((4, 64), (4, 32), (4, 16), (3, 8), (2, 4), (1, 2)):
            recent = keys[n - size : n]
            before = [j for j in range(size, n) if keys[j - size : j] == recent]
            later = [j for j in range(max(size, met + 1), len(alone)) if alone[j - size : j] == recent]
            if n >= size and (before or later):
                at, guess = (before[-1], keys[before[-1]]) if before else (ahead[later[0]], alone[later[0]])
                found = (at, guess[0], rank)
                break
        result.append((*found, min(7, int(np.log2(run + 1)))))
    return result


@given(PAIRS, st.data())
def test_echo_is_what_it_is_defined_as(keys: list[Pair], data: st.DataObject) -> None:
    interval, part_pitch = np.array(keys, np.int64).reshape(-1, 2).T
    after = data.draw(st.integers(0, len(keys)))
    some = st.lists(st.booleans(), min_size=len(keys), max_size=len(keys))
    for kept in ([False] * len(keys), [note >= after for note in range(len(keys))], data.draw(some)):
        onset, ahead = np.cumsum(interval), np.flatnonzero(kept)
        apart = np.diff(onset[ahead], prepend=0)
        fast = echo_candidates(interval, part_pitch, np.array(kept, bool), apart)
        expected = slow_echo(keys, kept)
        assert list(zip(*(column.tolist() for column in fast), strict=True)) == expected
        if not any(kept):
            assert all(
                (a == b).all() for a, b in zip(echo_candidates(interval, part_pitch), fast, strict=True)
            )
        notes = [
            (at, 0, *pitch) for at, pitch in zip(onset.tolist(), part_pitch[:, None].tolist(), strict=True)
        ]
        step = EchoState([notes[note] for note in ahead])
        for number, (index, after, *others) in enumerate(expected):
            assert [step.length, step.run] == others
            guess = step.guess and (step.guess[0] - (notes[number - 1][0] if number else 0), step.guess[2])
            assert guess == (None if index < 0 else (after, keys[index][1]))
            if number < len(notes):
                step.add(notes[number], kept[number])


def test_the_longest_context_decides() -> None:
    # forty notes, then 1; the last twenty of them, then 2; all forty again: 1 is meant, though 2 came later
    tune = np.arange(100, 140)
    part_pitch = np.concatenate([tune, [1], tune[20:], [2], tune])
    keys = [(1, pitch) for pitch in part_pitch.tolist()]
    found = echo_candidates(np.ones(102, np.int64), part_pitch)
    assert (found.note[-1], found.length[-1]) == (40, 4)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == slow_echo(keys)


def test_echo_of_large_numbers_takes_the_slow_sort() -> None:
    keys = [(2**40, 5), (1, 2**30), (2**40, 5), (1, 2**30), (2**40, 5)]
    interval, part_pitch = np.array(keys, np.int64).T
    found = echo_candidates(interval, part_pitch)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == slow_echo(keys)


def test_given_notes_after_a_gap_are_searched() -> None:
    # six notes heard, then given ones: 2 3 4 5 return there, then come 9 and 8, not heard before
    part_pitch = np.array([0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 9, 8])
    found = echo_candidates(
        np.ones(12, np.int64), part_pitch, np.arange(12) >= 6, np.array([7, 1, 1, 1, 1, 1])
    )
    # nobody knows what will come before the given 2, so contexts begin after it: after 3 4 comes the given
    # 5 (index 9), after 4 5 the given 9
    assert found.note[:7].tolist() == [-1, -1, -1, -1, -1, 9, 10]
    assert found.length[:7].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert found.run[:7].tolist() == [0, 0, 0, 0, 0, 0, 1]  # 5 came as it was guessed
    assert (echo_candidates(np.ones(12, np.int64), part_pitch).note[:7] == -1).all()


def slow_alone(notes: list[tuple[int, int]], kept: list[bool], known: int, least: int) -> tuple[int, ...]:
    """Candidate, onset, classes of length and run of the first guess of a stream, by (onset, part_pitch)."""
    best: tuple[int, ...] = (-1, 0, 0, 0)

    def stream(part_pitch: int) -> tuple[int, int]:
        part, pitch = divmod(part_pitch, 128)
        return part, pitch if part == 512 else int(
            part // 4 in {*range(8), 16, 17, 18, 19, 20} and pitch >= 66
        )

    for one in {stream(part_pitch) for _, part_pitch in notes}:
        mine = [n for n, (_, part_pitch) in enumerate(notes) if stream(part_pitch) == one]
        onsets = [0, *(notes[n][0] for n in mine)]
        keys = [(notes[n][0] - before, notes[n][1]) for n, before in zip(mine, onsets, strict=False)]
        heard = sum(n < known for n in mine)
        candidate, after, length, run = slow_echo(keys, [kept[n] for n in mine])[heard]
        if candidate < 0:
            continue
        onset, part_pitch = onsets[heard] + after, notes[mine[candidate]][1]
        sooner = best[0] < 0 or (onset, part_pitch) < (best[1], notes[best[0]][1])
        if onset << PART_PITCH_BITS | part_pitch >= least and sooner:
            best = mine[candidate], onset, length, run
    return best


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(64, 66), VOICED), max_size=50), st.data())
def test_alone_is_what_it_is_defined_as(rows: list[tuple[int, int, int]], data: st.DataObject) -> None:
    onset = np.cumsum([interval for interval, _, _ in rows]).astype(np.int64)
    notes = sorted(
        {(at, 128 * part + pitch) for at, (_, pitch, part) in zip(onset.tolist(), rows, strict=True)}
    )
    kept = data.draw(st.lists(st.booleans(), min_size=len(notes), max_size=len(notes)))
    onset, part_pitch = np.array(notes, np.int64).reshape(-1, 2).T
    known = np.arange(len(notes) + 1)
    least = np.append(0, (onset << PART_PITCH_BITS | part_pitch) + 1)
    for given_notes in (kept, [False] * len(notes)):
        found = alone_candidates(onset, part_pitch, least, known, np.array(given_notes, bool))
        expected = [
            slow_alone(notes, given_notes, *place)
            for place in zip(known.tolist(), least.tolist(), strict=True)
        ]
        assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def test_a_given_note_does_not_follow_one_of_another_stream() -> None:
    # a violin plays 7 8 9; given are its 7 8 9, the last it plays, and a note of drums, a line of its own
    notes = [(at, 128 * 160 + pitch) for at, pitch in enumerate((7, 8, 9, 3, 7, 8, 9))]
    notes.append((7, 128 * 512 + 5))
    kept = [False] * 4 + [True] * 4
    onset, part_pitch = np.array(notes, np.int64).T
    known, least = np.arange(9), np.append(0, (onset << PART_PITCH_BITS | part_pitch) + 1)
    found = alone_candidates(onset, part_pitch, least, known, np.array(kept))
    places = zip(known.tolist(), least.tolist(), strict=True)
    expected = [slow_alone(notes, kept, *place) for place in places]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
    assert found.note[3] == -1  # after 8 9 nothing is given on the violin


def test_a_part_repeats_while_another_does_not() -> None:
    # one piano plays 0 1 2 3 over and over, a beat each, while another never plays a pitch twice
    onset = np.repeat(np.arange(12), 2)
    part_pitch = np.stack([np.arange(12) % 4, 128 + np.arange(12)], axis=1).ravel()
    known = np.arange(25)
    least = np.append(0, (onset << PART_PITCH_BITS | part_pitch) + 1)
    assert (echo_candidates(np.diff(onset, prepend=0), part_pitch).note < 0).all()
    found = alone_candidates(onset, part_pitch, least, known)
    # the first 0 comes no beat after another, so the first pair heard again is 1 2, at beats 5 and 6: then 3
    after = found.note[13::2]  # once part 0 played beat 6, 7 ...
    assert after.tolist() == [6, 8, 10, 12, 14, 16]
    assert found.onset_ticks[13::2].tolist() == [7, 8, 9, 10, 11, 12]
    # what part 1 plays between changes nothing
    assert found.note[14::2].tolist() == after.tolist()


def test_echo_of_a_repeated_melody() -> None:
    # eight different notes twice: from the second pair on, each is guessed; the 16th note ends a run of
    # 2 4 8 ... contexts: after notes 0-9 the pair (0, 1) is found, after 0-11 four notes, after 0-15 eight
    part_pitch = np.array([*range(8), *range(8)])
    found = echo_candidates(np.ones(16, np.int64), part_pitch)
    assert found.note.tolist() == [-1] * 10 + [2, 3, 4, 5, 6, 7, 8]
    assert found.length.tolist() == [0] * 10 + [1, 1, 2, 2, 2, 2, 3]
    # right guesses of notes 10-15: 1, 2, 3 ... in a row; log2 of one more
    assert found.run.tolist() == [0] * 10 + [0, 1, 1, 2, 2, 2, 2]


def places(song: Score) -> tuple[Timeline, Ints, Ints]:
    """The timeline, onsets and part_pitch of a canonical song."""
    onset, part, pitch, _, _ = note_classes(song)
    return Timeline.of(song), onset, part * 128 + pitch


def slow_returns(timeline: Timeline, onset: Ints, part_pitch: Ints) -> tuple[list[int], list[int]]:
    """The origin of each bar, and the class of their similarity."""
    bars: list[set[tuple[int, int]]] = [set() for _ in range(len(timeline))]
    for at, which in zip(onset.tolist(), part_pitch.tolist(), strict=True):
        bar = int(timeline.bar_of(at))
        bars[bar].add((at - int(timeline.start_ticks[bar]), which))
    returns, close = [-1] * len(bars), [0] * len(bars)
    for i, bar in enumerate(bars):
        found = []
        for j in range(i if len(bar) >= 2 else 0):
            likeness = len(bar & bars[j]) / len(bar | bars[j])
            if likeness >= 0.5 and timeline.length_ticks[i] == timeline.length_ticks[j]:
                goes_on = returns[i - 1] >= 0 and j == returns[i - 1] + 1
                found.append((likeness + 0.25 * goes_on, j, likeness))
        if found:
            _, returns[i], likeness = max(found)
            close[i] = 3 if likeness > 0.99 else 2 if likeness > 0.75 else 1
    return returns, close


@given(st.one_of(repetitive(), wide()))
def test_returns_are_what_they_are_defined_as(score: Score) -> None:
    timeline, onset, part_pitch = places(NOTES.canonical(score)[0])
    read = find_returns(timeline, onset, part_pitch)
    assert (read.returns_to.tolist(), read.similarity.tolist()) == slow_returns(timeline, onset, part_pitch)


def test_only_the_first_bars_of_a_very_long_song_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MAX_BARS_COMPARED", 3)
    onset = np.repeat(np.arange(5) * 96, 2)
    timeline = Timeline.of(Score.of(GRID, onset, [9] * 10, [60, 64] * 5, [64] * 10))
    read = find_returns(timeline, onset, np.array([60, 64] * 5))
    assert read.returns_to.tolist() == [-1, 0, 1, -1, -1]
    assert read.similarity.tolist() == [0, 3, 3, 0, 0]


def test_bars_of_different_length_do_not_return() -> None:
    # the same two notes at the start of each bar of 4/4, 3/4, 4/4
    meters = (Meter(0, 4, 4), Meter(96, 3, 4), Meter(168, 4, 4))
    song = Score.of(GRID, [0, 6, 96, 102, 168, 174], [1] * 6, [60] * 6, [64] * 6, meters=meters)
    assert find_returns(*places(song)).returns_to.tolist() == [-1, -1, 0]


def slow_form(timeline: Timeline, onset: Ints, part_pitch: Ints, known: int) -> tuple[int, int, int]:
    """The candidate after `known` notes, its guessed onset and the class of similarity (no WAIT between)."""
    clock, last = (int(onset[known - 1]), int(part_pitch[known - 1])) if known else (0, -1)
    bar = int(timeline.bar_of(clock))
    start, close = timeline.start_ticks.tolist(), timeline.similarity.tolist()
    notes = list(zip(onset.tolist(), part_pitch.tolist(), strict=True))[:known]
    for ahead in (0, 1):
        if bar + ahead >= len(timeline) or timeline.returns_to[bar + ahead] < 0:
            continue
        model = int(timeline.returns_to[bar + ahead])
        for index, (at, which) in enumerate(notes):
            place = at - start[model]
            passed = (place, which) <= (clock - start[bar], last) and not ahead
            if 0 <= place < timeline.length_ticks[model] and not passed:
                return index, start[bar + ahead] + place, close[bar + ahead] + 3 * ahead
    return -1, 0, 0


@given(st.one_of(repetitive(), wide()))
def test_form_is_what_it_is_defined_as(score: Score) -> None:
    song, _ = NOTES.canonical(score)
    if not len(song):
        return
    timeline, onset, part_pitch = places(song)
    timeline = find_returns(timeline, onset, part_pitch)
    bars, count = BarLines(timeline), np.arange(len(onset) + 1)
    clock, last = np.append(onset, 0)[count - 1], np.append(part_pitch, -1)[count - 1]
    fast = form_candidates(bars, timeline, onset, part_pitch, clock, last, count)
    step = FormState(bars, timeline)
    for known in count.tolist():
        expected = slow_form(timeline, onset, part_pitch, known)
        assert (fast.note[known], fast.onset_ticks[known], fast.similarity[known]) == expected
        assert step.candidate(int(clock[known]), int(last[known])) == expected
        if known < len(onset):
            step.add(int(onset[known]), int(part_pitch[known]))


def test_an_unknown_form() -> None:
    timeline = Timeline.of(tune().rescaled(GRID))
    assert timeline.similarity.tolist() == [-1] * 4
    assert FormState(BarLines(timeline), timeline).candidate(0, -1) == (-1, 0, FORM_UNKNOWN)


@pytest.mark.parametrize("returns", [((0, 3), (-1, 0)), ((-1, 0), (1, 3)), ((-1, 0), (5, 3))])
def test_a_bar_cannot_return_to_itself_or_a_later_one(returns: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(PlanError, match="must be an earlier bar of equal length"):
        Plan(bars=2, returns=returns).timeline(GRID)
