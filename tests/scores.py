"""Scores to test with: hypothesis strategies, one fixed tune, and MIDI files written by hand in hex.

@given(scores(max_notes=20))
def test_something(score): ...

midi_file(track("00 90 3C 40 # note on, C4", "60 80 3C 00 # off, 96 ticks later"), ticks=96)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from ritornello.music.chord import NO_BASS
from ritornello.music.chord_names import letter_name, parse_chord
from ritornello.music.score import Chord, KeySignature, Marker, Meter, Part, Score, Tempo, drop_redundant
from ritornello.music.theory import CHORD_KINDS

RESOLUTIONS = (1, 7, 24, 96, 120, 480, 960, 1001, 32767)  # the usual ones, and the odd
DENOMINATORS = st.sampled_from((1, 2, 4, 8, 16, 32, 64))
END_OF_TRACK = bytes.fromhex("00 FF 2F 00")


# Built once: what hypothesis draws fast. Numbers too large for a song are taken modulo what fits it.
LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
TEXTS = st.text(LETTERS, max_size=12).map(str.strip)  # any script, no control characters
PITCHED = st.builds(Part, TEXTS, st.integers(0, 127), st.just(False))
PARTS = st.builds(Part, TEXTS, st.integers(0, 127), st.sampled_from([False] * 7 + [True]))
NOTES = st.tuples(st.integers(0, 9999), st.integers(0, 999), *[st.integers(0, 127)] * 2, st.integers(0, 255))
TICKS = st.one_of(st.just(0), st.integers(0, 10**7))
ROOTS = st.integers(0, 11)
CHORDS = st.one_of(
    st.builds(Chord, TICKS, ROOTS, st.sampled_from(CHORD_KINDS), st.just(""), st.just(NO_BASS), st.just("")),
    st.builds(
        lambda tick, root, suffix, step: parse_chord(
            letter_name(Chord(0, root, "maj", suffix, (root + step) % 12 if step else NO_BASS))
        )._replace(onset_ticks=tick),
        TICKS, ROOTS, st.sampled_from(["", "m6", "7b9", "sus2", "6/9", "m(maj7)"]), ROOTS,
    ),
)  # fmt: skip
EVENTS: dict[str, st.SearchStrategy[list[Any]]] = {
    "tempi": st.lists(st.builds(Tempo, TICKS, st.integers(1, (1 << 24) - 1)), max_size=4),
    "meters": st.lists(st.builds(Meter, TICKS, st.integers(1, 255), DENOMINATORS), max_size=4),
    "keys": st.lists(st.builds(KeySignature, TICKS, st.integers(-7, 7), st.booleans()), max_size=4),
    "chords": st.lists(CHORDS, max_size=4),
    "markers": st.lists(st.builds(Marker, TICKS, TEXTS.filter(bool)), max_size=3),
}
BEATS = st.one_of(st.sampled_from(RESOLUTIONS), st.integers(1, 32767))


def _notes(draw: Callable[..., Any], count: int, part_count: int, beat: int, beats: int) -> list[list[int]]:
    """Columns of `count` notes: onset, duration, pitch, velocity, part; often crowded, so some collide."""
    drawn = draw(st.lists(NOTES, min_size=count, max_size=count))
    unit = max(1, beat // 4) if draw(st.booleans()) else 1  # on a grid of sixteenths, or anywhere
    low, pitches = draw(st.integers(0, 127)), draw(st.sampled_from((1, 3, 12, 128)))
    rows = [
        (
            onset % (beats * beat // unit + 1) * unit,
            (1 + length % max(1, 4 * beat // unit)) * unit,
            min(low + pitch % pitches, 127),
            max(1, velocity),
            part % part_count,
        )
        for onset, length, pitch, velocity, part in drawn
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]


def _events(draw: Callable[..., Any], end_ticks: int) -> dict[str, tuple[Any, ...]]:
    """Tempi, meters, keys, chords and markers up to `end_ticks`, settled as a reader leaves them."""
    events = {}
    for name, strategy in EVENTS.items():
        drawn = [event._replace(onset_ticks=event[0] % (end_ticks + 1)) for event in draw(strategy)]
        events[name] = tuple(sorted(drawn)) if name == "markers" else drop_redundant(drawn)
    return events


@st.composite
def scores(
    draw: Callable[..., Any],
    *,
    min_notes: int = 0,
    max_notes: int = 24,
    max_parts: int = 4,
    single_part: bool = False,
    drums: bool = True,
    with_events: bool = True,
    max_beats: int = 24,
    ticks_per_beat: int | None = None,
    every_part_plays: bool = False,
) -> Score:
    """A valid Score: any resolution, parts (some without notes), drums, meters, tempi, keys, chords, markers.

    At most `max_notes` notes within `max_beats` beats; at least `min_notes` are drawn, of which the last few
    may fall together (`min_notes=1` always leaves one). `single_part`: one part. `drums=False`: pitched
    parts only. `with_events=False`: notes alone. `ticks_per_beat` fixes the resolution.
    `every_part_plays`: parts without notes are left out, as a file that is read has none.
    """
    beat = ticks_per_beat or draw(BEATS)
    part_count = 1 if single_part else draw(st.integers(1, max_parts))
    players = draw(st.lists(PARTS if drums else PITCHED, min_size=part_count, max_size=part_count))
    count = draw(st.integers(min_notes, max_notes))
    columns = _notes(draw, count, part_count, beat, draw(st.integers(1, max_beats)))
    if every_part_plays:
        heard = sorted(set(columns[4]))
        players = [players[index] for index in heard]
        columns[4] = [heard.index(index) for index in columns[4]]
    around = _events(draw, max_beats * beat) if with_events else {}
    return Score.of(beat, *columns, parts=players, title=draw(TEXTS), **around)


def tune() -> Score:
    """Four bars of 4/4 in G major at 96 bpm and 480 ticks a beat: 15 melody notes over 8 of the bass.

    Beats 0-16; the last onset is on beat 14 (bar 3, from 0), the last note ends with the bar.
    """
    melody = [67, 71, 74, 71, 72, 76, 74, 72, 71, 67, 69, 71, 69, 66, 67]
    lengths = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]  # in beats
    bass = [43, 50, 48, 52, 43, 50, 50, 43]  # two beats each
    onset = [480 * beat for beat in range(15)] + [960 * half for half in range(8)]
    return Score.of(
        480,
        onset,
        [480 * length for length in lengths] + [960] * 8,
        melody + bass,
        [96] * 15 + [72] * 8,
        [0] * 15 + [1] * 8,
        parts=(Part("Melody", 73), Part("Bass", 32)),
        tempi=(Tempo(0, 625_000),),
        meters=(Meter(0, 4, 4),),
        keys=(KeySignature(0, 1, False),),
        chords=(Chord(0, 7, "maj"), Chord(1920, 0, "maj"), Chord(3840, 7, "maj"), Chord(5760, 2, "7")),
        markers=(Marker(0, "A"),),
        title="Tune",
    )


def from_hex(*lines: str) -> bytes:
    """Bytes written as hex, each line with what it means after a `#`."""
    return bytes.fromhex(" ".join(line.split("#")[0] for text in lines for line in text.splitlines()))


def track(*lines: str, end: bool = True) -> bytes:
    """A track chunk of events in hex; `end` adds the event that ends it."""
    body = from_hex(*lines) + (END_OF_TRACK if end else b"")
    return b"MTrk" + len(body).to_bytes(4, "big") + body


def midi_file(*tracks: bytes, kind: int = 1, ticks: int = 96, count: int | None = None) -> bytes:
    """A MIDI file of track chunks: format `kind`, division `ticks`, number of tracks as it is or `count`."""
    fields = (kind, len(tracks) if count is None else count, ticks)
    return b"MThd\0\0\0\6" + b"".join(field.to_bytes(2, "big") for field in fields) + b"".join(tracks)
