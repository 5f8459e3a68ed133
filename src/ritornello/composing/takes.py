"""Compose several takes (versions) of bars of a song that differ from each other and from the song.

Where music returns, a network copies it, and all takes would be the same. So takes that are too much alike
are composed again, in each attempt with a larger penalty for the notes of the other takes.
"""

from dataclasses import replace

from ritornello.composing.generate import generate_songs
from ritornello.composing.given_chords import with_chords_in_bars
from ritornello.composing.given_music import GivenMusic
from ritornello.composing.given_sketch import filled_around
from ritornello.composing.merge_notes import note_table, sampled_notes
from ritornello.composing.options import RedoOptions
from ritornello.composing.parse_options import parse_option
from ritornello.composing.request import PlayedNotes, Request, request_for
from ritornello.composing.sampler import OnRow
from ritornello.composing.sampling import song_generator
from ritornello.composing.song import Song
from ritornello.models.model import Model
from ritornello.music.chart import parse_chart
from ritornello.music.modes import parse_key_or_mode
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.representations.grid.vocabulary import note_classes
from ritornello.sketching.sketcher import Sketcher
from ritornello.system.progress import Progress

ATTEMPTS = 8
# The penalty of a note of another take in the second attempt, and its growth. A network that copies a bar may
# be so sure of its notes that 7 nats change none of them
AVOID_NATS, GROWTH = 1.5, 1.6
LEAST_DIFFERENCE = 0.1  # the share of the notes of two takes that only one of them has


def compose_takes(
    model: Model,
    given: GivenMusic,
    options: RedoOptions,
    seed: int,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
) -> list[Song]:
    """Compose takes of the bars to redo; fewer if no more can be found. Raises as `generate_songs` does.

    If not enough differ by LEAST_DIFFERENCE, some that differ by less follow.
    """
    sketcher = Sketcher.of(model)
    are_chords_drawn = sketcher is not None and not given.has_other_notes and bool(given.score.chords)
    if options.chords is not None or are_chords_drawn:  # the chord symbols of the file are to be replaced
        given = replace(given, has_new_chords=True)  # a copy has no cached values: the file is parsed again
    request = request_for(_plan_to_redo(given, options), seed, given=given)
    takes: list[Song] = []
    similar: dict[bytes, Song] = {}  # takes that differ by less, by their `_onsets_and_pitches`
    known_notes, written = [given_notes(given)], {_onsets_and_pitches(given.score)}
    for attempt in range(ATTEMPTS):
        avoided: PlayedNotes = frozenset().union(*known_notes) if attempt else frozenset()
        avoiding = replace(request, avoided=avoided, avoid_nats=AVOID_NATS * GROWTH ** (attempt - 1))
        first = attempt * options.takes
        numbers = range(first, first + options.takes - len(takes))
        requests = [_request_of_take(avoiding, number, given, options, sketcher) for number in numbers]
        dials = {"creativity": options.creativity}
        for take in generate_songs(model, requests, dials, progress=progress, on_row=on_row):
            notes, result = _sampled_notes(request, take), _onsets_and_pitches(take.score)
            if result in written:
                continue
            if min(_difference(notes, other) for other in known_notes) > LEAST_DIFFERENCE:
                takes.append(take)
                known_notes.append(notes)
                written.add(result)
            else:
                similar.setdefault(result, take)
        if len(takes) == options.takes:
            break
    rest = [take for result, take in similar.items() if result not in written]
    return [*takes, *rest][: options.takes]


def _request_of_take(
    request: Request, number: int, given: GivenMusic, options: RedoOptions, sketcher: Sketcher | None
) -> Request:
    """Return the request of the take with a number, with a sketch of its own if there is a sketch network."""
    plan = request.plan
    if sketcher is not None:
        generator, has_chords = song_generator(request.seed, number), options.chords is not None
        plan = filled_around(plan, given, sketcher, generator, options.creativity, has_chords=has_chords)
    return replace(request, song=number, plan=plan)


def _plan_to_redo(given: GivenMusic, options: RedoOptions) -> Plan:
    """Return the plan of the song with the key and the chords of the options in the bars to redo."""
    plan = given.plan
    if options.key is not None:
        key, mode = parse_option(parse_key_or_mode, options.key)
        plan = replace(plan, key=key, mode=mode)
    if options.chords is None:
        return plan
    assert given.bars is not None, "music that is redone has bars to redo"
    chart = parse_chart(str(options.chords))
    return with_chords_in_bars(plan, given.timeline.chords, chart, given.bars)


def _difference(notes: PlayedNotes, others: PlayedNotes) -> float:
    """Return the share (0-1) of the notes of two takes that only one of them has."""
    return len(notes ^ others) / max(len(notes | others), 1)


def _sampled_notes(request: Request, take: Song) -> PlayedNotes:
    """The notes that were sampled in the bars to redo."""
    notes, part = sampled_notes(take.recipe.rows, request.plan, request.first_tick, request.given)
    return frozenset(zip(notes[:, 0].tolist(), part.tolist(), notes[:, 2].tolist(), strict=True))


def given_notes(given: GivenMusic) -> PlayedNotes:
    """The notes that the song has in the bars and parts to redo."""
    onset, part, pitch = note_classes(given.canonical)[:3]
    return frozenset(zip(*(column[given.is_redone].tolist() for column in (onset, part, pitch)), strict=True))


def _onsets_and_pitches(score: Score) -> bytes:
    """The onsets, pitches and parts of the notes, to compare songs."""
    return note_table(score)[:, [0, 2, 4]].tobytes()
