"""Compose several takes (versions) of bars of a song that differ from each other and from the song.

Where music returns, a network copies it, and all takes would be the same. So takes that are too alike are
composed again, and the notes of the others lose ever more probability.
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
AVOID_NATS = 1.5  # what a note of another take loses, more of it in each further attempt
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
    if options.chords is not None:  # a copy has no cached values, so the file is parsed again
        given = replace(given, has_new_chords=True)
    asked, takes, creativity = _asked_plan(given, options), options.takes, options.creativity
    base, sketcher = request_for(asked, seed, given=given), Sketcher.of(model)
    has_chords = options.chords is not None
    found: list[Song] = []
    similar: dict[bytes, Song] = {}
    known, written = [given_notes(given)], {_onsets_and_pitches(given.score)}
    for attempt in range(ATTEMPTS):
        avoided: PlayedNotes = frozenset().union(*known) if attempt else frozenset()
        wanted = replace(base, avoided=avoided, avoid_nats=attempt * AVOID_NATS)
        numbers = range(attempt * takes, attempt * takes + takes - len(found))
        plans = [asked for _ in numbers]
        if sketcher is not None:
            generators = [song_generator(seed, number) for number in numbers]
            plans = [
                filled_around(asked, given, sketcher, generator, creativity, has_chords=has_chords)
                for generator in generators
            ]
        requests = [
            replace(wanted, song=number, plan=plan) for number, plan in zip(numbers, plans, strict=True)
        ]
        dials = {"creativity": creativity}
        for take in generate_songs(model, requests, dials, progress=progress, on_row=on_row):
            notes, result = _sampled_notes(base, take), _onsets_and_pitches(take.score)
            if result not in written and min(_difference(notes, other) for other in known) > LEAST_DIFFERENCE:
                found.append(take)
                known.append(notes)
                written.add(result)
            elif result not in written:
                similar.setdefault(result, take)
        if len(found) == takes:
            break
    rest = [take for result, take in similar.items() if result not in written]
    return [*found, *rest][:takes]


def _asked_plan(given: GivenMusic, options: RedoOptions) -> Plan:
    """The plan of the song with the key and the chords that are asked for in the bars to redo."""
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
    """The share 0-1 of the notes of two takes that only one of them has."""
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
