"""Random messages, not only those that we would write: both readers make the same Score of them.

mido writes the files, so that they are well formed; what the messages say makes no sense at all.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mido import Message, MetaMessage, MidiFile, MidiTrack, UnknownMetaMessage

from ritornello.errors import MidiError
from ritornello.midi import Pedal
from tests.midi.both import parse_both, refusal

# Few channels, pitches and programs, so that messages meet.
CHANNELS = st.sampled_from((0, 0, 0, 1, 9, 15))
PITCHES = st.sampled_from((60, 61, 0, 127))
TIMES = st.one_of(st.sampled_from((0, 0, 1, 2, 10)), st.integers(0, (1 << 28) - 1))
PEDALS: st.SearchStrategy[Pedal] = st.sampled_from(("extend", "ignore"))
TEXTS = st.sampled_from(("", "a", "é", "ö", "ö\xff", "\xe6\x9b\xb2", "chord: Am7", "chord: H"))
MESSAGES = {
    "note_on": {"channel": CHANNELS, "note": PITCHES, "velocity": st.sampled_from((0, 1, 64, 127))},
    "note_off": {"channel": CHANNELS, "note": PITCHES, "velocity": st.sampled_from((0, 64))},
    "program_change": {"channel": CHANNELS, "program": st.sampled_from((0, 1, 127))},
    "control_change": {
        "channel": CHANNELS,
        "control": st.sampled_from((64, 64, 64, 7, 120, 123)),
        "value": st.sampled_from((0, 63, 64, 127)),
    },
    "pitchwheel": {"channel": CHANNELS, "pitch": st.sampled_from((-8192, 0, 8191))},
    "aftertouch": {"channel": CHANNELS},
    "polytouch": {"channel": CHANNELS, "note": PITCHES},
    "sysex": {"data": st.sampled_from(((), (1, 2), (127,) * 200))},
}
METAS = {
    "set_tempo": {"tempo": st.sampled_from((0, 1, 500_000, (1 << 24) - 1))},
    "time_signature": {
        "numerator": st.sampled_from((1, 4, 255)),
        "denominator": st.sampled_from((1, 4, 64, 128, 1 << 20)),
    },
    "key_signature": {"key": st.sampled_from(("C", "Am", "Cb", "C#", "A#m"))},
    "track_name": {"name": TEXTS},
    "marker": {"text": TEXTS},
    "lyrics": {"text": TEXTS},
    "text": {"text": TEXTS},
    "cue_marker": {"text": TEXTS},
    "channel_prefix": {"channel": CHANNELS},
    "midi_port": {},
    "smpte_offset": {},
    "sequencer_specific": {"data": st.sampled_from(((), (255, 3, 1)))},
    "end_of_track": {},
}


def built(kind: Callable[..., Any], sorts: dict[str, dict[str, Any]]) -> st.SearchStrategy[Any]:
    """A message of one of the sorts."""
    return st.one_of(
        *[st.builds(kind, st.just(sort), time=TIMES, **fields) for sort, fields in sorts.items()]
    )


NOTES = built(Message, {sort: MESSAGES[sort] for sort in ("note_on", "note_off")})
UNKNOWN = st.builds(UnknownMetaMessage, st.sampled_from((0x08, 0x09, 0x4B)), st.just((1, 255)), time=TIMES)
ANY = st.one_of(NOTES, NOTES, built(Message, MESSAGES), built(MetaMessage, METAS), UNKNOWN)
# of one sort at few ticks: more than symusic sorts stably
CROWDED = st.sampled_from(("set_tempo", "time_signature", "key_signature", "marker")).flatmap(
    lambda sort: st.lists(built(MetaMessage, {sort: METAS[sort]}), min_size=20, max_size=50)
)
SPARSE = st.lists(ANY, max_size=60)
TRACKS = st.lists(st.one_of(SPARSE, SPARSE, SPARSE, CROWDED), min_size=1, max_size=3)
DIVISIONS = st.sampled_from((1, 96, 480, 32767, -6360))  # the last is SMPTE: 25 frames of 40 ticks


@st.composite
def files(draw: Callable[..., Any]) -> bytes:
    """A MIDI file of random messages; in most, times are short."""
    file = MidiFile(type=draw(st.sampled_from((0, 1, 1, 2))), charset="latin-1")
    file.ticks_per_beat = draw(DIVISIONS)
    longest = draw(st.sampled_from((2, 300, 300, 10_000, 1 << 28)))
    for messages in draw(TRACKS)[: 1 if file.type == 0 else 3]:
        file.tracks.append(MidiTrack(m.copy(time=m.time % longest) for m in messages))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def agree(data: bytes, pedal: Pedal) -> None:
    """Both readers give the same Score and dropped the same, or refuse the file for the same reason."""
    try:
        parse_both(data, pedal)
    except MidiError:  # a song of more than 2^31 ticks
        assert refusal(data, "symusic") == refusal(data, "mido")


@given(files(), PEDALS)
def test_both_readers_agree_on_any_messages(data: bytes, pedal: Pedal) -> None:
    agree(data, pedal)


@pytest.mark.slow
@settings(max_examples=4000, derandomize=False)
@given(files(), PEDALS)
def test_both_readers_agree_on_any_messages_at_length(data: bytes, pedal: Pedal) -> None:
    agree(data, pedal)
