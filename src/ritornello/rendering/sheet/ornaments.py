"""Find the ornaments of a part: grace notes, rolled chords, trills, and tremolos on one pitch.

Their notes are quicker than the note values of the grid; quantising would separate them or join them to
chords. So each ornament becomes one note or chord with a mark. A regular rhythm stays, however fast it is.
"""

from collections import defaultdict
from itertools import cycle, pairwise

from ritornello.music.score import Score
from ritornello.rendering.sheet.played_note import (
    CHORD_S,
    FARTHEST,
    OCTAVE,
    QUICK,
    RUN_RATIO,
    WRITTEN_VALUES,
    Mark,
    PlayedNote,
    beginning_between,
    is_on_grid,
    is_quick,
    lengthened,
    main_onset,
    quickly_followed,
)
from ritornello.rendering.sheet.rolled_chords import join_rolled_chords

MIN_GRACE_S = 0.014  # notes that are closer together are a chord, played unevenly
MAX_GRACES = 4  # the most grace notes before one note; more are a run
WRITTEN_S = 0.065  # one or two 32nds that are quicker than this are grace notes
MIN_REPEATS = 6  # the fewest notes of a trill or tremolo; fewer are a mordent or a turn
TRILL = 2  # the most semitones between the notes of a trill; a larger interval is a tremolo
MEASURED = (4, 6, 8)  # the possible notes in a beat of a written tremolo on two pitches
QUICK_IN_A_TRILL = (FARTHEST,)  # trills have 6-12 notes a second; 16ths are slower
LOOSE = 0.02  # notes of a run may miss their places by so many beats; at another speed they miss more
MIN_WRITTEN_TRILL = 8  # the fewest notes of a trill whose notes are 32nds


def played_notes(score: Score, part: int) -> list[PlayedNote]:
    """The notes of a part, sorted by onset, with the notes of each ornament joined; drums have none."""
    (rows,) = (score.part == part).nonzero()
    onset, pitch = score.onset_ticks[rows].astype("i8"), score.pitch[rows]
    end = onset + score.duration_ticks[rows]
    columns = (onset, end, pitch, score.seconds(onset), score.seconds(end))
    notes = [PlayedNote(*note) for note in zip(*(column.tolist() for column in columns), strict=True)]
    if score.parts[part].is_drum:
        return notes
    notes = _join_repetitions(notes, score.ticks_per_beat)
    notes = join_rolled_chords(notes, score.ticks_per_beat)
    return _attach_graces(notes, score.ticks_per_beat)


def _join_repetitions(notes: list[PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """Join each trill and each tremolo on one pitch to one note; write other tremolos in even note values."""
    ornaments, joined = list[PlayedNote](), set[int]()
    for index in quickly_followed(notes, beat_ticks):
        if index in joined:
            continue
        note = notes[index]
        near = beginning_between(notes, note.onset_s + CHORD_S, note.onset_s + FARTHEST[0])
        others = sorted({notes[i].pitch for i in near}, key=lambda pitch: abs(pitch - note.pitch))
        runs = [_repetition(notes, index, other, beat_ticks) for other in others]
        indexes = max(runs, key=len, default=[])
        if note.pitch in others and len(runs[0]) > len(indexes) / RUN_RATIO:
            indexes = runs[0]  # repeated chords: each of their pitches is repeated as quickly
        run = [notes[i] for i in indexes]
        if joined.isdisjoint(indexes) and _is_ornamental(run, beat_ticks):
            joined.update(indexes)
            interval = abs(run[0].pitch - run[1].pitch)
            ornaments += _measured(run, beat_ticks) if interval > TRILL else [_joint(run)]
    plain = [note for index, note in enumerate(notes) if index not in joined]
    return sorted(plain + ornaments, key=lambda note: (note.onset_ticks, note.pitch))


def _joint(run: list[PlayedNote]) -> PlayedNote:
    """The notes of a trill, or of a tremolo on one pitch, as one note; a trill is at its lower note."""
    pitches = {note.pitch for note in run}
    mark: Mark = "trill" if len(pitches) > 1 else "tremolo"
    return PlayedNote(
        run[0].onset_ticks, run[-1].end_ticks, min(pitches), run[0].onset_s, run[-1].end_s, mark=mark
    )


def _measured(run: list[PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """A tremolo on two pitches in the note value that is nearest to its speed."""
    first, last = run[0], run[-1]
    ticks, seconds = last.onset_ticks - first.onset_ticks, last.onset_s - first.onset_s
    in_a_beat = (len(run) - 1) * beat_ticks / ticks
    value = beat_ticks / min(MEASURED, key=lambda count: abs(count - in_a_beat))
    start = round(first.onset_ticks / value)
    edges = [
        round(place * value) for place in range(start, max(start + 2, round(last.end_ticks / value)) + 1)
    ]

    def seconds_of(tick: int) -> float:
        return first.onset_s + (tick - first.onset_ticks) * seconds / ticks

    return [
        PlayedNote(on, end, note.pitch, seconds_of(on), seconds_of(end))
        for (on, end), note in zip(pairwise(edges), cycle(run[:2]), strict=False)
    ]


def _repetition(notes: list[PlayedNote], index: int, other: int, beat_ticks: int) -> list[int]:
    """Indexes of quick successive notes that alternate between the pitch of note `index` and `other`."""
    run, pitches = [index], (notes[index].pitch, other)
    is_trill = 0 < abs(pitches[0] - other) <= TRILL
    limits, overlap = (QUICK_IN_A_TRILL, 1.0) if is_trill else (QUICK, 0.5)
    longest_s = 0.0
    for following in range(index + 1, len(notes)):
        before, note = notes[run[-1]], notes[following]
        gap = note.onset_s - before.onset_s
        is_late = len(run) > 1 and gap > RUN_RATIO * longest_s + CHORD_S
        if is_late or not is_quick(before, note, beat_ticks, limits):
            break
        is_next = note.pitch == pitches[len(run) % 2]
        if is_next and before.end_s <= note.onset_s + overlap * gap + CHORD_S:
            run.append(following)
            longest_s = max(longest_s, gap)
    if len(run) > 1 and notes[run[-1]].length_s > 2 * (notes[run[-1]].onset_s - notes[run[-2]].onset_s):
        run.pop()  # the note to which the trill leads
    return run


def _is_ornamental(run: list[PlayedNote], beat_ticks: int) -> bool:
    """Whether repeated notes are a trill or tremolo, not a rhythm that is readable as it is."""
    if len(run) < MIN_REPEATS:
        return False
    gaps = [second.onset_s - first.onset_s for first, second in pairwise(run)]
    if max(gaps) > 2 * min(gaps) + CHORD_S:
        return False
    is_trill = 0 < abs(run[0].pitch - run[1].pitch) <= TRILL
    if is_trill and len(run) >= MIN_WRITTEN_TRILL:
        return not is_on_grid(run, WRITTEN_VALUES[1], beat_ticks, LOOSE)
    return not any(is_on_grid(run, value, beat_ticks, LOOSE) for value in WRITTEN_VALUES)


def _attach_graces(notes: list[PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """The notes without grace notes, which are attached to their main notes.

    A main note that steals the time of its grace notes on the beat begins where they do.
    """
    following = {
        i: main
        for i in quickly_followed(notes, beat_ticks)
        if (main := _next_quick(notes, i, beat_ticks)) is not None
    }
    graces: dict[int, set[int]] = defaultdict(set)
    for head in sorted(following.keys() - set(following.values())):
        chain = [head]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        if _are_graces(notes, chain, beat_ticks):
            graces[chain[-1]].update(chain[:-1])
    result, stolen = dict(enumerate(notes)), dict[int, PlayedNote]()
    for main, before in sorted(graces.items()):
        first, attached = notes[min(before)], [notes[i] for i in sorted(before)]
        result[main] = result[main]._replace(graces=tuple((n.onset_ticks, n.pitch) for n in attached))
        if main_onset(first, notes[main], beat_ticks) is not first:
            stolen[first.onset_ticks] = notes[main]
            continue
        for i in beginning_between(notes, notes[main].onset_s - CHORD_S, notes[main].onset_s + CHORD_S):
            result[i] = result[i].starting_with(first)
    for index in set[int]().union(*graces.values()):
        del result[index]
    return lengthened(list(result.values()), stolen, beat_ticks) if graces else notes


def _next_quick(notes: list[PlayedNote], index: int, beat_ticks: int) -> int | None:
    """The index of the note that follows where a quick note ends, the nearest in pitch; None if none does."""
    first, best, until = notes[index], None, float("inf")
    if first.length_s > RUN_RATIO * QUICK[0][0] or first.mark:
        return None
    for following in range(index + 1, len(notes)):
        note = notes[following]
        gap, interval = note.onset_s - first.onset_s, abs(note.pitch - first.pitch)
        if note.onset_s > until or not is_quick(first, note, beat_ticks):
            break
        if gap < MIN_GRACE_S or not 0 < interval <= OCTAVE or first.end_s > note.onset_s + gap / 2:
            continue
        if best is None or interval < abs(notes[best].pitch - first.pitch):
            best, until = following, min(until, note.onset_s + CHORD_S)
    return best


def _are_graces(notes: list[PlayedNote], chain: list[int], beat_ticks: int) -> bool:
    """Whether the notes of a chain before its last are grace notes: few, short, and no part of a run."""
    played = [notes[i] for i in chain]
    *graces, main = played
    gap = main.onset_s - graces[-1].onset_s
    reach = RUN_RATIO * gap
    if len(graces) > MAX_GRACES or main.length_s < reach:
        return False
    is_slow = gap > WRITTEN_S or len(graces) > 2
    if is_slow and any(is_on_grid(played, value, beat_ticks) for value in WRITTEN_VALUES):
        return False
    before = beginning_between(notes, graces[0].onset_s - reach, graces[0].onset_s - CHORD_S)
    after = beginning_between(notes, main.onset_s + CHORD_S, main.onset_s + reach)
    near = [notes[i] for i in before if abs(notes[i].pitch - graces[0].pitch) <= OCTAVE]
    return not near and not any(abs(notes[i].pitch - main.pitch) <= OCTAVE for i in after)
