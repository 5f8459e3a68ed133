"""Join the notes of rolled chords: each becomes one chord on its beat with an arpeggio sign."""

from statistics import median

from ritornello.rendering.sheet.played_note import (
    CHORD_S,
    OCTAVE,
    QUICK_IN_A_ROLL,
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

ARPEGGIO: dict[int, Mark] = {1: "arpeggio up", -1: "arpeggio down"}  # by direction
MIN_ROLLED = 3  # the fewest notes; two are hardly ever marked as rolled
MIN_ROLL_S, MAX_ROLL_S = 0.05, 0.45  # from the first to the last onset; chords played live: less than 0.05
WRITTEN_ROLL_S = 0.09  # between two notes; slower triplets of 16ths that are held are a rhythm
SAME_END = 0.2  # notes of a chord end together if their ends differ by at most this share of its length


def join_rolled_chords(notes: list[PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """The notes, with one onset for the notes of a rolled chord, and one end if their ends are close."""
    rolls = [
        (roll, mark)
        for index in quickly_followed(notes, beat_ticks)
        for direction, mark in ARPEGGIO.items()
        if _is_rolled_chord(notes, roll := _roll(notes, index, direction, beat_ticks), beat_ticks)
    ]
    joined: dict[int, PlayedNote] = {}
    stolen: dict[int, PlayedNote] = {}
    for roll, mark in sorted(rolls, key=lambda found: -len(found[0])):
        if joined.keys() & roll:
            continue
        first, last = notes[roll[0]], notes[roll[-1]]
        main = main_onset(last, first, beat_ticks)  # the first if both fit
        members = sorted({*roll, *_held_along(notes, roll)} - joined.keys())
        ends = sorted((notes[i].end_ticks, notes[i].end_s) for i in members)
        spread = RUN_RATIO * (last.onset_ticks - first.onset_ticks)
        is_one_end = ends[-1][0] - ends[0][0] <= max(SAME_END * (ends[-1][0] - main.onset_ticks), spread)
        for i in members:
            note = notes[i].starting_with(main)
            if is_one_end:
                end_ticks, end_s = ends[len(ends) // 2]
                note = note._replace(end_ticks=end_ticks, end_s=end_s)
            is_rolled = i in roll or abs(notes[i].onset_s - main.onset_s) > CHORD_S
            joined[i] = note._replace(mark=mark if is_rolled else "")
        if main is last:
            stolen[first.onset_ticks] = main
    if not joined:
        return notes
    return lengthened([joined.get(i, note) for i, note in enumerate(notes)], stolen, beat_ticks)


def _roll(notes: list[PlayedNote], index: int, direction: int, beat_ticks: int) -> list[int]:
    """Indexes of notes from `index` on that follow each other quickly, up (1) or down (-1), all held."""
    roll = [index]
    while True:
        last, best, until = notes[roll[-1]], -1, float("inf")
        for following in range(roll[-1] + 1, len(notes)):
            note = notes[following]
            if note.onset_s > until or not is_quick(last, note, beat_ticks, QUICK_IN_A_ROLL):
                break
            interval = direction * (note.pitch - last.pitch)
            if note.onset_s - last.onset_s < CHORD_S or not 0 < interval <= OCTAVE:
                continue
            if any(notes[i].end_s <= note.onset_s for i in roll):
                continue
            if best < 0 or interval < abs(notes[best].pitch - last.pitch):
                best, until = following, min(until, note.onset_s + CHORD_S)
        if best < 0:
            return roll
        roll.append(best)


def _is_rolled_chord(notes: list[PlayedNote], roll: list[int], beat_ticks: int) -> bool:
    """Whether a roll is long enough, short enough, held, and not part of a run."""
    if len(roll) < MIN_ROLLED:
        return False
    first, last = notes[roll[0]], notes[roll[-1]]
    spread = last.onset_s - first.onset_s
    if not MIN_ROLL_S <= spread <= MAX_ROLL_S:
        return False
    if min(notes[i].end_s for i in roll) - last.onset_s < spread / 2:
        return False
    far = RUN_RATIO * spread / (len(roll) - 1)
    if far > RUN_RATIO * WRITTEN_ROLL_S and is_on_grid(
        [notes[i] for i in roll], WRITTEN_VALUES[1], beat_ticks
    ):
        return False
    return not any(
        abs(note.pitch - edge.pitch) <= OCTAVE
        for edge, low, high in (
            (first, first.onset_s - far, first.onset_s - CHORD_S),
            (last, last.onset_s + CHORD_S, last.onset_s + far),
        )
        for note in map(notes.__getitem__, beginning_between(notes, low, high))
    )


def _held_along(notes: list[PlayedNote], roll: list[int]) -> list[int]:
    """Indexes of other notes that begin during a roll and end with it: notes of the other hand."""
    first, last = notes[roll[0]], notes[roll[-1]]
    ends = [notes[i].end_s for i in roll]
    allowed = max(SAME_END * median(notes[i].length_s for i in roll), CHORD_S)
    during = beginning_between(notes, first.onset_s - CHORD_S, last.onset_s + CHORD_S)
    return [i for i in during if min(ends) - allowed <= notes[i].end_s <= max(ends) + allowed]
