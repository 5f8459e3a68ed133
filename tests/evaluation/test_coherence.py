"""The measures of coherence on small songs whose figures are known by hand, and over any song."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given

from ritornello.evaluation import coherence as measures
from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.coherence import MEASURES, NOTHING, Amount, bar_start, seam
from ritornello.evaluation.coherence_table import UsualParts, coherence, figure, first_bars
from ritornello.evaluation.report import coherence_rows
from ritornello.music.score import KeySignature, Meter, Part, Score
from tests.folders import wandering
from tests.scores import scores

C_MAJOR, A_MINOR, G_MAJOR = KeySignature(0, 0, False), KeySignature(0, 0, True), KeySignature(0, 1, False)
CADENCE = [60, 64, 67, 65, 69, 72, 67, 71, 74, 72, 67, 64]  # C, F, G, C
PIANO, BASS, KIT = Part("", 0), Part("", 32), Part("", 0, True)
BY_NAME = {measure.name: measure.amount for measure in MEASURES}
Line = list[tuple[float, float, int]]  # onset and duration in beats, and the pitch, of each note of a part


def song(
    *lines: Line,
    parts: tuple[Part, ...] = (),
    meters: tuple[Meter, ...] = (),
    key: KeySignature | None = None,
) -> AnalysedSong:
    """A song of some lines, one a part, at 24 ticks a beat."""
    notes = [(*note, part) for part, line in enumerate(lines) for note in line]
    onset, duration, pitch, part = np.array(notes).T
    columns = (24 * onset, 24 * duration, pitch, np.full(len(notes), 64), part)
    given = parts or (PIANO,) * len(lines)
    keys = (key,) if key else ()
    return AnalysedSong(Score.of(24, *columns, parts=given, meters=meters, keys=keys), keep_silence=True)


def quarters(*pitches: int, start: float = 0) -> Line:
    """Successive quarter notes."""
    return [(start + place, 1, pitch) for place, pitch in enumerate(pitches)]


def drums(*bars: str) -> AnalysedSong:
    """Bars of 4/4 in sixteenths: k is a kick, s a snare, h a hi-hat, b kick and snare together."""
    pitches = {"k": (36,), "s": (38,), "h": (42,), "b": (35, 40)}
    struck = [
        (4 * bar + place / 4, 0.25, pitch)
        for bar, signs in enumerate(bars)
        for place, sign in enumerate(signs)
        for pitch in pitches.get(sign, ())
    ]
    return song(struck, parts=(KIT,))


def test_the_end_is_the_lowest_note_at_the_last_onset() -> None:
    held = song(quarters(*CADENCE), [(8, 4, 48)], key=C_MAJOR)  # the bass C begins before, and still sounds
    assert measures.ends_on_written_tonic(held) == (1, 1)
    ended = song(quarters(*CADENCE), [(8, 3, 48)], key=C_MAJOR)  # it stops as the last note begins, an E
    assert measures.ends_on_written_tonic(ended) == (0, 1)
    assert measures.ends_on_heard_tonic(held) == (1, 1)
    assert measures.ends_on_written_tonic(song(quarters(*CADENCE), [(8, 4, 48)], key=G_MAJOR)) == (0, 1)
    assert measures.ends_on_written_tonic(song(quarters(*CADENCE))) == NOTHING  # no key is written
    assert measures.ends_on_heard_tonic(drums("k")) == NOTHING


def test_the_key_heard_agrees_in_tonic_and_mode() -> None:
    for key, agrees in ((C_MAJOR, 1), (A_MINOR, 0), (G_MAJOR, 0)):
        assert measures.key_is_as_written(song(quarters(*CADENCE), key=key)) == (agrees, 1)
    sharp = AnalysedSong(song(quarters(*CADENCE), key=KeySignature(0, 7, False)).score.transposed(0))
    assert measures.key_is_as_written(sharp) == (0, 1)
    enharmonic = song(quarters(*(pitch + 1 for pitch in CADENCE)), key=KeySignature(0, 7, False))
    assert measures.key_is_as_written(enharmonic) == (1, 1)  # C# major sounds as D flat major


def test_each_part_must_begin_notes_in_a_quarter_of_the_bars() -> None:
    lead = quarters(*[60] * 32)  # 8 bars
    assert measures.all_parts_play(song(lead, [(0, 1, 40), (16, 1, 40)])) == (1, 1)
    assert measures.all_parts_play(song(lead, [(0, 1, 40), (1, 1, 41), (2, 30, 42)])) == (0, 1)  # one bar
    assert measures.all_parts_play(drums("k...s...k...s...")) == (1, 1)


def test_small_parts_are_counted() -> None:
    assert measures.small_parts(song(quarters(*[60] * 6), quarters(*[40] * 5), quarters(41))) == (2, 3)
    two_kits = song(quarters(36, 38, 36, 38), quarters(42, 42), parts=(KIT, KIT))
    assert measures.small_parts(two_kits) == (0, 1)  # all drums are one part


def test_clashes_are_seconds_that_overlap() -> None:
    assert measures.clashes(song([(0, 2, 60), (1, 2, 62)])) == (1, 3)
    assert measures.clashes(song([(0, 1, 60), (1, 2, 62)])) == (0, 3)  # one after the other
    assert measures.clashes(song([(0, 4, 60)], [(0, 4, 61)], [(0, 4, 63)])) == (2, 4)  # 60-61 and 61-63
    assert measures.clashes(song([(0, 4, 60)], [(0, 4, 73)])) == (0, 4)  # a ninth is no second
    drone = song([(0, 8, 60)], quarters(*[67] * 6), [(6, 1, 61), (7, 1, 59)])
    assert measures.clashes(drone) == (2, 8)  # also with notes much later
    assert measures.clashes(drums("ks")) == NOTHING


@pytest.mark.parametrize(
    ("upper", "lower", "count"),
    [
        ([67, 69], [60, 62], 1),  # fifths
        ([79, 81], [60, 62], 1),  # twelfths
        ([72, 74], [60, 62], 1),  # octaves
        ([60, 62], [60, 62], 1),  # unisons
        ([67, 72], [60, 65], 1),
        ([67, 67], [60, 60], 0),  # repeated
        ([67, 74], [60, 55], 0),  # contrary motion, to a twelfth and a fifth
        ([64, 65], [60, 62], 0),  # thirds
        ([67, 72], [60, 60], 0),  # fifth to octave
    ],
)
def test_parallels(upper: list[int], lower: list[int], count: int) -> None:
    assert measures.parallels(song(quarters(*upper), quarters(*lower))) == (count, 2)


def test_steps() -> None:
    # up a tone, down a fifth, a repeat, which is no move, and up a semitone
    assert measures.steps(song(quarters(60, 62, 55, 55, 56))) == (2, 3)
    assert measures.steps(song(quarters(60))) == NOTHING


def test_parallels_need_both_parts_to_move_at_once() -> None:
    assert measures.parallels(song(quarters(67, 69), [(0, 1.5, 60), (1.5, 0.5, 62)])) == (0, 2)
    chords = [*quarters(67, 69), *quarters(72, 69), *quarters(64, 65)]  # its highest notes are 72 and 69
    assert measures.parallels(song(chords, quarters(60, 62))) == (0, 2)
    assert measures.parallels(song(quarters(67, 69), quarters(60, 62), quarters(48, 50))) == (3, 2)


def test_drum_bars_repeat_their_kick_and_snare_alone() -> None:
    assert measures.repeated_drum_bars(drums("k...s...", "k.h.s.h.", "k...k...", "h.h.h.h.", "k...k...")) == (
        2,
        4,
    )
    late = song([(0.1, 0.2, 36), (1.05, 0.2, 38), (4, 0.2, 36), (5, 0.2, 38)], parts=(KIT,))
    assert measures.repeated_drum_bars(late) == (1, 2)  # quantised
    early = song([(0, 0.2, 36), (3.95, 0.2, 36), (8, 0.2, 36)], parts=(KIT,))
    assert measures.repeated_drum_bars(early) == (2, 3)  # rounded into the next bar
    assert measures.repeated_drum_bars(song(quarters(36, 38))) == NOTHING  # a piano


def test_the_backbeat_is_a_snare_on_2_and_4() -> None:
    bars = ("k...s...k...s...", "k...b...k.k.s..s", "s...k...s...k...", "k...s...........", "h...h...")
    assert measures.backbeats(drums(*bars)) == (2, 4)
    waltz = song([(0, 1, 36), (1, 1, 38), (2, 1, 38)], parts=(KIT,), meters=(Meter(0, 3, 4),))
    assert measures.backbeats(waltz) == NOTHING


def test_a_song_may_sound_after_its_last_bar() -> None:
    four_bars = song([(0, 1, 60), (12, 4, 60)])
    assert measures.sounds_after_end(four_bars) == (0, 1)
    assert measures.sounds_after_end(four_bars, 3) == (1, 1)
    assert measures.sounds_after_end(four_bars, 8) == (0, 1)
    assert measures.sounds_after_end(song([(0, 1, 60), (15, 1.5, 60)])) == (1, 1)


def test_half_a_bar_of_silence_at_the_beginning() -> None:
    assert [measures.begins_with_silence(song([(start, 8, 60)])).amount for start in (0, 1.5, 2, 5)] == [
        0,
        0,
        1,
        1,
    ]
    pickup = (Meter(0, 1, 4), Meter(24, 4, 4))
    assert measures.begins_with_silence(song([(0.5, 8, 60), (5, 1, 60)], meters=pickup)) == (0, 1)


def test_bars_are_counted_from_the_first_full_one() -> None:
    plain, pickup = (
        song([(0, 1, 60), (9, 1, 60)]),
        song([(0, 1, 60), (9, 1, 60)], meters=(Meter(0, 1, 4), Meter(24, 4, 4))),
    )
    assert [each.timeline.pickup_bars for each in (plain, pickup)] == [0, 1]
    assert [bar_start(plain.timeline, bars) for bars in (0, 1, 3, 5)] == [0, 96, 288, 480]
    assert [bar_start(pickup.timeline, bars) for bars in (0, 1, 3, 5)] == [24, 120, 312, 504]
    assert bar_start(pickup.timeline, None) == 24 + 3 * 96
    assert len(first_bars(pickup, 2).score) == 1
    assert first_bars(pickup, 3) is pickup
    assert first_bars(pickup, None) is pickup


def test_the_seam_of_a_continuation() -> None:
    lead = quarters(*CADENCE, *CADENCE[:4])  # 4 bars
    same = song([*lead, *((onset + 16, length, pitch) for onset, length, pitch in lead)])
    assert seam(same, 4) == ((1, 1), (0, 1), (16, 16), (1, 1))
    higher = [(onset + 16, length, pitch + 5) for onset, length, pitch in lead[::2]]
    other = song([*lead, *higher], quarters(*[48] * 16), [(16, 1, 36)], parts=(PIANO, BASS, KIT))
    found = seam(other, 4)
    assert found.parts == (1, 3)  # the piano goes on, the bass stops, the drums begin
    before, after = (np.mean([pitch for _, _, pitch in line]) for line in (lead, higher))
    assert found.register == pytest.approx((after - before, 1))
    assert found.density == (9, 32)
    assert found.key.of == 1
    assert set(seam(same, 8)) == {NOTHING}  # it ends there


def test_usual_parts_lie_between_the_quantiles_of_peoples() -> None:
    def bass(count: int) -> AnalysedSong:
        return song([(16 * place / count, 0.1, 40 + place) for place in range(count)], parts=(BASS,))

    people = [bass(count) for count in range(10, 31)]  # notes in four bars
    density = UsualParts(people, "density")
    assert density.ranges[32 // 8] == pytest.approx((11 / 16, 29 / 16))
    assert [density.count(bass(count)).amount for count in (10, 11, 20, 29, 30)] == [0, 1, 1, 1, 0]
    assert density.count(song([(0, 16, 60), (15, 1, 62)])) == (0, 1)  # a piano: by all pitched parts
    assert density.count(drums("k...s...")) == NOTHING  # people have no drums
    variety = UsualParts(people, "variety")
    assert variety.ranges[32 // 8] == pytest.approx((11, 29))
    assert variety.name == "parts of usual variety of pitch"


def test_figures_add_up_amounts_or_take_the_median() -> None:
    amounts = [Amount(1, 2), Amount(0, 1), Amount(3, 3), NOTHING]
    assert figure(amounts) == {"value": 4 / 6, "interval": None, "songs": 3}
    assert figure(amounts, is_median=True)["value"] == 0.5
    assert figure([NOTHING]) == {"value": None, "interval": None, "songs": 0}
    many = figure([Amount(each % 2, 1) for each in range(40)])
    assert many["interval"][0] == pytest.approx(0.35, abs=0.05)
    assert many["interval"][1] == pytest.approx(0.65, abs=0.05)
    low, high = figure([Amount(each, 1) for each in range(40)], is_median=True)["interval"]
    assert 8 < low < 19.5 < high < 31


def test_the_table_has_both_sides() -> None:
    sides = [[wandering(seed) for seed in seeds] for seeds in (range(8), range(20, 32))]
    found = coherence(*sides, bars=4, requested_bars=4, seam_bar=4)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["sounds after its last bar"]["composed"]["value"] == 1  # they have more than four bars
    assert found["parts with fewer than 6 notes"]["human"]["songs"] == 12
    assert "ends on the tonic, key written" not in found  # no song has a key signature
    rows = {row[0]: row[1:] for row in coherence_rows(found)}
    assert rows["sounds after its last bar"][:3] == ["100%", "100%-100%", "8"]
    assert "drum bars that repeat an earlier one" not in rows
    assert "seam: same key heard" in rows
    assert "seam: same key heard" not in coherence(*sides)


@given(scores(min_notes=1))
def test_any_song_can_be_measured(score: Score) -> None:
    one = AnalysedSong(score, keep_silence=True)
    for measure in MEASURES:
        amount, of = measure.amount(one)
        assert amount >= 0
        assert of >= 0
        if measure.is_share:
            assert amount <= of
    for each in seam(one, 1):
        assert each.amount >= 0
    coherence([score], [score], bars=2, seam_bar=1)
