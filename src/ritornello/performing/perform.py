"""Perform a song: move its notes off the grid, change their loudness and length, and shape its tempo.

The notes of a part keep their order. Notes of a part that begin together stay closer to each other than to
its other notes. No note begins before the song or sounds after its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np

from ritornello.midi.writing import with_channels
from ritornello.music.file_details import DetailEvent, FileDetails
from ritornello.music.plan import main_tempo
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.analysis import analysed, phrase_ticks
from ritornello.performing.drums import played_drums
from ritornello.performing.feel_network import FeelNetwork, FeelNetworks
from ritornello.performing.grid_notes import Floats, Ints, is_off_grid
from ritornello.performing.manners import manner_of
from ritornello.performing.part_notes import SongGrid
from ritornello.performing.parts import part_by_network, part_by_rules
from ritornello.performing.pedal import CHANGE_S, PIANOS, SUSTAIN, pedal_events, pedal_spans
from ritornello.performing.performance import SWING_NOTES, Performance
from ritornello.performing.rules import Context
from ritornello.performing.swing import Swing
from ritornello.performing.tempo_shape import shaped_tempi, ticks_per_second

MIN_TICKS_PER_BEAT, MAX_TICKS_PER_BEAT = 480, 32767
MAX_SHARE_OF_GAP = 0.45  # a note may move by this share of its distance to the next note
DRUM_STREAM = 256  # the number of the random stream for drums; other parts use their own number


def perform(
    score: Score,
    performance: Performance,
    cadences: Sequence[int] = (),
    has_end: bool = True,
    networks: FeelNetworks = FeelNetworks(),  # noqa: B008 (immutable)
) -> Score:
    """Return the performed song; a plain performance returns the same score.

    `cadences` are the cadences of the song's sketch, one for each bar. If there is not one for each bar, or
    the song has no chords, cadences are estimated from the notes, and chords if there are none. A song
    without `has_end`, such as a loop, gets no final ritard. By default the bundled network plays the drums,
    and rules play the other parts.
    """
    if performance.is_plain or not len(score):
        return score
    song = score
    if performance.feel and not (score.chords and len(cadences) == len(Timeline.of(score))):
        song, cadences = analysed(score)
    song = _fine(song)
    swing = Swing(song, performance.swing, SWING_NOTES[performance.swing_notes])
    part_count = len(np.unique(song.part))
    manner = manner_of(performance.style, bool(song.of_drums.any()), part_count)
    context = Context(Timeline.of(song), phrase_ticks(song, cadences), manner, performance.feel)
    onset, end, velocity = _played_notes(song, context, swing, performance, networks)
    ticks = np.array([event.onset_ticks for event in song.details.events], np.int64)
    places = dict(zip(ticks.tolist(), np.rint(swing(ticks)).astype(np.int64).tolist(), strict=True))
    details = song.details.moved(places.__getitem__)
    details = _before_notes(details, song, np.rint(swing(song.onset_ticks)).astype(np.int64), onset)
    pedal = _pedal(song, context) if performance.feel and manner.pedal else {}
    columns = (onset, end - onset, song.pitch, velocity, song.part, song.parts)
    events = {name: getattr(song, name) for name in ("tempi", "meters", "keys", "markers", "title")}
    if score.chords:  # estimated chords are not written
        events["chords"] = song.chords
    played = Score.of(song.ticks_per_beat, *columns, details=details, **events)
    return replace(_with_pedal(played, pedal), tempi=shaped_tempi(song, context, has_end))


def hash_of_notes(score: Score) -> str:
    """Return a hash of the notes of a song, independent of the order of its parts, to recognize its file."""
    names = ("onset_ticks", "duration_ticks", "pitch", "velocity")
    notes = np.stack([getattr(score, name).astype(np.int64) for name in names])
    ordered = notes[:, np.lexsort(notes[::-1])]
    return sha256(f"{score.ticks_per_beat}".encode() + ordered.tobytes()).hexdigest()[:32]


def _fine(score: Score) -> Score:
    """The song in a resolution that is finer than a millisecond."""
    per_beat = score.ticks_per_beat
    factor = min(-(-MIN_TICKS_PER_BEAT // per_beat), MAX_TICKS_PER_BEAT // per_beat)
    return score.rescaled(per_beat * max(factor, 1))


def _played_notes(
    song: Score, context: Context, swing: Swing, performance: Performance, networks: FeelNetworks
) -> tuple[Ints, Ints, Ints]:
    """Onsets, ends and velocities 1-127 (N,) of the performed notes of a song, in ticks."""
    written = song.onset_ticks.astype(np.int64)
    straight_end = written + song.duration_ticks
    onset, end = swing(written), swing(straight_end)
    steady = onset.copy()
    velocity = song.velocity.astype(np.float64)
    if performance.feel:
        grid = SongGrid.of(song, context.phrase_ticks, performance.style) if networks.parts else None
        for part in np.unique(song.part[~song.of_drums]).tolist():
            notes = np.flatnonzero(song.part == part)
            draw = np.random.default_rng([performance.seed, part])
            if networks.parts and grid:
                played = part_by_network(song, notes, grid, networks.parts, context.feel, draw)
            else:
                played = part_by_rules(song, notes, context, draw)
            velocity[notes] += played.louder
            if not _is_recorded(song, notes):
                onset[notes] += played.later_ticks
                end[notes] += onset[notes] - steady[notes] + played.longer_ticks
        _play_drums(song, context, performance, networks.drums, onset, velocity)
    begins = _in_order(song, steady, onset)
    last = max(int(straight_end.max()), int(begins.max()) + 1)
    ends = np.maximum(np.minimum(np.rint(end).astype(np.int64), last), begins + 1)
    return begins, ends, np.clip(np.rint(velocity), 1, 127).astype(np.int64)


def _play_drums(
    song: Score,
    context: Context,
    performance: Performance,
    network: FeelNetwork | None,
    onset: Floats,
    velocity: Floats,
) -> None:
    """Change the onsets in ticks and the velocities 0-127 (N,) of the drums of a song."""
    notes = np.flatnonzero(song.of_drums)
    if not len(notes):
        return
    draw = np.random.default_rng([performance.seed, DRUM_STREAM])
    bpm, style = main_tempo(song).bpm, context.manner.drums
    loud, beats = played_drums(song, notes, context.timeline, bpm, style, draw, network)
    velocity[notes] += performance.feel * (loud - velocity[notes])
    if not _is_recorded(song, notes):
        moved = beats * song.ticks_per_beat - song.onset_ticks[notes]
        onset[notes] += performance.feel * moved


def _is_recorded(song: Score, notes: Ints) -> bool:
    """Whether notes (n,) of one part were recorded: many of them are off the grid."""
    return is_off_grid(song.onset_ticks[notes] / song.ticks_per_beat)


def _in_order(song: Score, steady: Floats, moved: Floats) -> Ints:
    """Moved onsets (N,) as whole ticks from 0, limited so that the notes of each part keep their order."""
    ordered = np.zeros(len(song), np.int64)
    for part in np.unique(song.part).tolist():
        notes = np.flatnonzero(song.part == part)
        _, first, chord = np.unique(song.onset_ticks[notes], return_index=True, return_inverse=True)
        number = np.arange(len(first))
        # swing may have moved two chords to places one tick apart or less
        places = np.maximum.accumulate(np.rint(steady[notes[first]]).astype(np.int64) - number) + number
        gaps = np.floor(MAX_SHARE_OF_GAP * np.diff(places))
        earliest, latest = np.append(-places[0], -gaps), np.append(gaps, song.ticks_per_beat)
        shift = np.rint(moved[notes] - places[chord])
        ordered[notes] = places[chord] + np.clip(shift, earliest[chord], latest[chord]).astype(np.int64)
    return ordered


def _before_notes(details: FileDetails, song: Score, steady: Ints, onset: Ints) -> FileDetails:
    """The details; an event at the tick of a note of its channel moves along if the note moves earlier."""
    first: dict[tuple[int, int, int], int] = {}
    for part, tick, played in zip(song.part.tolist(), steady.tolist(), onset.tolist(), strict=True):
        if part < len(details.channels) and played < tick:
            key = (*details.channels[part][1:], tick)
            first[key] = min(played, first.get(key, played))

    def moved(event: DetailEvent) -> DetailEvent:
        if event.data[0] >= 0xF0:
            return event
        key = event.port, event.data[0] & 0x0F, event.onset_ticks
        return event._replace(onset_ticks=first.get(key, event.onset_ticks))

    return details._replace(events=tuple(moved(event) for event in details.events))


def _pedal(song: Score, context: Context) -> dict[int, list[tuple[int, int]]]:
    """The start and end ticks of each pedal span, by the number of each piano part."""
    spans_of_part = {}
    for part in np.unique(song.part[~song.of_drums]).tolist():
        if song.parts[part].program in PIANOS:
            spans_of_part[part] = pedal_spans(song, np.flatnonzero(song.part == part), context.timeline)
    return {part: spans for part, spans in spans_of_part.items() if spans}


def _with_pedal(song: Score, pedal: dict[int, list[tuple[int, int]]]) -> Score:
    """The song with pedal events; a channel that already has pedal events, or two parts, is not changed."""
    song = with_channels(song) if pedal else song
    channels = [key[1:] for key in song.details.channels]
    events = list(song.details.events)
    pedalled = {
        (e.port, e.data[0] & 0x0F) for e in events if e.data[0] & 0xF0 == 0xB0 and e.data[1] == SUSTAIN
    }
    for part, spans in pedal.items():
        if channels.count(channels[part]) > 1 or channels[part] in pedalled:
            continue
        pace = float(ticks_per_second(song, np.array([spans[0][0]]))[0])
        events += pedal_events(spans, max(1, int(CHANGE_S * pace)), song.details.channels[part])
    ordered = tuple(sorted(events, key=lambda event: event.onset_ticks))
    return replace(song, details=song.details._replace(events=ordered))
