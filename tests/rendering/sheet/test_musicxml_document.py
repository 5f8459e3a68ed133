"""MusicXML: three readers find the same notes, and the other elements are right."""

from __future__ import annotations

import warnings
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ritornello.music.chord_names import parse_chord
from ritornello.music.score import Chord, KeySignature, Marker, Meter, Part, Score, Tempo
from ritornello.rendering.sheet.musicxml_document import to_musicxml
from tests.rendering.sheet import readers
from tests.rendering.songs import BEAT, changing_meters, drum_loop, orchestra, song
from tests.scores import scores, tune


def piano() -> Score:
    """Piano music for two hands with a long bass note, a triplet, a tie over the bar line, a syncopation."""
    right = [(0, 12, 72), (12, 24, 74), (36, 12, 76), (48, 8, 77), (56, 8, 76), (64, 8, 74), (72, 60, 72)]
    left = [(0, 96, 48), (0, 24, 55), (24, 24, 57), (48, 48, 55), (96, 96, 43)]
    return song(
        *((on, length, pitch, 80, 0) for on, length, pitch in right + left), parts=(Part("Piano", 0),)
    )


def sextuplets() -> Score:
    """Beats of six, four, two of three and eight notes; then a bar of 6/8 with triplets of 16ths."""
    onsets = [*range(0, 24, 4), *range(24, 48, 6), 48, 64, *range(72, 96, 3)]
    onsets += [96 + place for place in (0, 4, 8, 12, 24, 36, 48, 56, 60)]
    notes = [(on, end - on, 60 + n % 7, 80, 0) for n, (on, end) in enumerate(pairwise([*onsets, 168]))]
    return song(*notes, parts=(Part("Flute", 73),), meters=(Meter(0, 4, 4), Meter(96, 6, 8)))


def cut_short() -> Score:
    """Bars of 4/4, 2/4, one of 2/4 that ends after an eighth, 6/8, one of 6/8 that is a quarter too short."""
    meters = (Meter(0, 4, 4), Meter(96, 2, 4), Meter(156, 6, 8), Meter(276, 2, 2))
    onsets = [0, 24, 96, 144, 156, 180, 228, 264, 276, 300]
    notes = [(on, end - on, 60 + n, 80, 0) for n, (on, end) in enumerate(pairwise([*onsets, 324]))]
    return song(*notes, parts=(Part("Flute", 73),), meters=meters)


def pickup() -> Score:
    """A pickup of a beat in which the second part rests."""
    meters, parts = (Meter(0, 1, 4), Meter(BEAT, 4, 4)), (Part("Flute", 73), Part("Piano"))
    notes = [(BEAT * beat, BEAT, 72, 80, 0) for beat in range(5)]
    return song(*notes, (BEAT, 4 * BEAT, 60, 80, 1), parts=parts, meters=meters)


SONGS = {
    "pickup": pickup(),
    "tune": tune(),
    "piano": piano(),
    "drums": drum_loop(),
    "meters": changing_meters(),
    "orchestra": orchestra(3),
    "sextuplets": sextuplets(),
    "cut short": cut_short(),
}
READERS = {"own": readers.by_ourselves, "verovio": readers.by_verovio, "music21": readers.by_music21}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", SONGS)
def test_readers_find_the_same_notes(name: str, reader: str) -> None:
    text, wanted = to_musicxml(SONGS[name]), readers.expected(SONGS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the readers
        found = READERS[reader](text)
    assert found == (readers.places_of_drums(wanted) if reader == "music21" else wanted)


@given(scores(max_notes=30, max_beats=12))
@settings(deadline=None, max_examples=60)
def test_any_song_becomes_a_file_whose_bars_are_full(score: Score) -> None:
    """The durations of every voice in every bar add up to the bar, for any resolution, meters and notes."""
    if not len(score):
        return
    root = ElementTree.fromstring(to_musicxml(score).split("\n", 2)[2])
    lengths: dict[str, set[int]] = {}
    for measure in root.iter("measure"):
        sums = [0]
        for element in measure:
            if element.tag == "backup":
                sums.append(0)
            elif element.tag == "note" and element.find("chord") is None:
                sums[-1] += int(element.findtext("duration", "0"))
        lengths.setdefault(str(measure.get("number")), set()).update(sums)
    assert all(len(found) == 1 and found.pop() > 0 for found in lengths.values())
    assert readers.by_ourselves(to_musicxml(score))  # every tie finds its note


def test_notes_are_never_more_than_the_songs() -> None:
    """Six simultaneous voices are reduced to four by shortening notes; their onsets stay."""
    score = song(*((6 * n, 96, 50 + 5 * n, 80, 0) for n in range(6)), parts=(Part("Organ", 70),))
    found = readers.by_ourselves(to_musicxml(score))
    assert {(on, pitch) for on, _, pitch in found} == {(6 * n, 50 + 5 * n) for n in range(6)}


def first(text: str, path: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(text.split("\n", 2)[2]).findall(path)


def test_what_stands_in_the_first_bar() -> None:
    text = to_musicxml(tune())
    assert [e.text for e in first(text, ".//part-name")] == ["Melody", "Bass"]
    assert first(text, ".//work-title")[0].text == "Tune"
    assert [e.text for e in first(text, ".//fifths")] == ["1", "1"]
    assert [e.text for e in first(text, ".//clef/sign")] == ["G", "F"]
    assert [e.text for e in first(text, ".//per-minute")] == ["96"]
    assert [e.text for e in first(text, ".//kind")] == ["major", "major", "major", "dominant"]
    assert [e.text for e in first(text, ".//rehearsal")] == ["A"]
    assert not list(first(text, ".//root-alter"))  # verovio draws a natural sign for 0
    assert [e.text for e in first(text, ".//midi-program")] == ["74", "33"]
    assert len(first(text, ".//measure")) == 8  # four bars, two parts


def test_a_keyboard_has_two_staves_where_it_needs_them() -> None:
    assert [e.text for e in first(to_musicxml(piano()), ".//staves")] == ["2"]
    high = song((0, BEAT, 72, 80, 0), parts=(Part("Piano", 0),))
    assert not first(to_musicxml(high), ".//staves")


def test_drums_have_names_heads_and_a_clef_of_their_own() -> None:
    text = to_musicxml(drum_loop())
    assert [e.text for e in first(text, ".//clef/sign")] == ["percussion"]
    assert [e.text for e in first(text, ".//instrument-name")] == ["Bass drum", "Snare", "Closed hi-hat"]
    assert [e.text for e in first(text, ".//midi-unpitched")] == ["37", "39", "43"]
    assert {e.text for e in first(text, ".//notehead")} == {"x"}
    assert not first(text, ".//tie")


def test_keys_and_meters_are_written_where_they_change() -> None:
    keys = (KeySignature(0, -3, True), KeySignature(8 * BEAT, 2, False))
    notes = [(BEAT * beat, BEAT, 60, 80, 0) for beat in range(16)]
    text = to_musicxml(song(*notes, keys=keys, meters=(Meter(0, 4, 4), Meter(4 * BEAT, 3, 4))))
    assert [e.text for e in first(text, ".//fifths")] == ["-3", "2"]
    assert [e.text for e in first(text, ".//mode")] == ["minor", "major"]
    assert [e.text for e in first(text, ".//beats")] == ["4", "3"]


def test_a_tempo_is_written_where_it_differs_by_a_twentieth() -> None:
    tempi = (Tempo(0, 500_000), Tempo(BEAT, 505_000), Tempo(2 * BEAT, 600_000))
    notes = [(BEAT * beat, BEAT, 60, 80, 0) for beat in range(4)]
    found = first(to_musicxml(song(*notes, tempi=tempi)), ".//per-minute")
    assert [e.text for e in found] == ["120", "100"]


def test_texts_cannot_break_the_file() -> None:
    odd = song(
        (0, BEAT, 60, 80, 0),
        parts=(Part("<a> & \x00\x07"),),
        markers=(Marker(0, "\x01"), Marker(0, "]]>")),
        chords=(Chord(0, 6, "other"),),
        title="\x0b<&>\ud800",
    )
    text = to_musicxml(odd)
    assert [e.text for e in first(text, ".//part-name")] == ["<a> &"]
    assert first(text, ".//work-title")[0].text == "<&>"


@given(st.sampled_from([(6, 8), (9, 8), (12, 8), (3, 4), (7, 8), (5, 4), (2, 2), (3, 8)]), st.data())
@settings(deadline=None, max_examples=60)
def test_notes_on_sixteenths_survive_in_every_meter(meter: tuple[int, int], data: st.DataObject) -> None:
    notes = data.draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), min_size=1, max_size=12))
    line, now = [], 0
    for gap, length in notes:  # one voice: a gap, then a note
        line.append((now + 6 * (gap % 5), 6 * length, 60 + gap % 12, 80, 0))
        now = line[-1][0] + line[-1][1]
    score = song(*line, parts=(Part("Flute", 73),), meters=(Meter(0, *meter),))
    last = readers.expected(score)
    found = readers.by_ourselves(to_musicxml(score))
    assert {(on, p) for on, _, p in found} == {(on, p) for on, _, p in last}
    whole = {n for n in last if n[0] + n[1] <= now - line[-1][1]}  # all but the last, which may ring too long
    assert whole <= set(found)


def test_chords_are_shown_as_they_were_written() -> None:
    names = ["G7/Bb", "V7/3", "N.C.", "am", "Dm9"]
    chords = tuple(parse_chord(name)._replace(onset_ticks=24 * tick) for tick, name in enumerate(names))
    text = to_musicxml(song((0, 120, 60, 80, 0), meters=(Meter(0, 5, 4),), chords=chords))
    shown = [(e.text, e.get("text")) for e in first(text, ".//harmony/root/root-step")]
    assert shown == [("G", None), ("G", "V7/3"), ("C", "N.C."), ("A", None), ("D", None)]
    kinds = [(e.text, e.get("text")) for e in first(text, ".//harmony/kind")]
    assert kinds == [("dominant", "7"), ("dominant", ""), ("none", ""), ("minor", "m"), ("minor-ninth", "m9")]
    assert [e.text for e in first(text, ".//harmony/bass/*")] == ["B", "-1"]
