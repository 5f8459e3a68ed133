"""The bars and parts that are played."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.errors import InputError, PlanError
from ritornello.music.score import Meter, Part, Score, Tempo
from ritornello.playing.excerpt import beat_ticks, excerpt

PARTS = (Part("lead", 73), Part("bass", 32))
# four bars of 4/4 at 24 ticks a beat: the lead strikes each bar for two bars' length, the bass bars 2 and 4
SONG = Score.of(
    24,
    [0, 96, 192, 288, 96, 288],
    [96, 192, 96, 96, 48, 48],
    [60, 62, 64, 65, 40, 41],
    [90] * 6,
    [0, 0, 0, 0, 1, 1],
    PARTS,
    tempi=(Tempo(0, 500_000), Tempo(96, 250_000)),
)


def notes(score: Score) -> list[tuple[int, ...]]:
    return [
        (int(o), int(d), int(p))
        for o, d, p in zip(score.onset_ticks, score.duration_ticks, score.pitch, strict=True)
    ]


def test_bars_are_moved_to_the_start_and_end_with_the_last() -> None:
    found = excerpt(SONG, bars="2")
    assert notes(found.score) == [(0, 96, 62), (0, 48, 40)]
    assert (found.bar_lines.tolist(), found.first_bar) == ([0, 96], 2)
    assert found.bar_lines_s == [0.0, 1.0]  # at 240 bpm, the tempo that holds in bar 2


def test_solo_and_mute_choose_parts_by_name_instrument_or_number() -> None:
    bass = [(96, 48, 40), (288, 48, 41)]
    assert notes(excerpt(SONG, solo="bass").score) == notes(excerpt(SONG, mute=["flute"]).score) == bass
    lead = [(0, 96, 60), (96, 192, 62), (192, 96, 64), (288, 96, 65)]
    assert notes(excerpt(SONG, solo="1").score) == notes(excerpt(SONG, mute="2").score) == lead


@pytest.mark.parametrize(
    "options, says",
    [
        ({"bars": "4-5"}, "bars 4-5: must be within 1-4, the bars of the song"),
        ({"bars": "0"}, "bars '0': must be a range counted from 1"),
        ({"solo": "tuba"}, "part 'tuba' of the song: must be one of 1 lead, 2 bass"),
        ({"bars": "1", "solo": "bass"}, "no notes are left to play"),
    ],
)
def test_what_cannot_be_played_is_said(options: dict[str, str], says: str) -> None:
    with pytest.raises((PlanError, InputError), match=says):
        excerpt(SONG, **options)  # type: ignore[arg-type]


def test_a_metronome_strikes_the_beats_and_the_first_otherwise() -> None:
    found = excerpt(SONG, bars="2-3", metronome=True, solo="bass").score
    own = found.part == len(PARTS)
    assert found.pitch[~own].tolist() == [40]  # of the parts only the bass
    assert found.parts[-1].is_drum
    assert found.onset_ticks[own].tolist() == list(range(0, 192, 24))
    assert found.pitch[own].tolist() == [76, 77, 77, 77] * 2


def test_compound_meters_are_struck_by_dotted_quarters() -> None:
    assert beat_ticks(Meter(0, 6, 8), 24, 72) == [0, 36]
    assert beat_ticks(Meter(0, 3, 8), 24, 36) == [0, 12, 24]
    assert beat_ticks(Meter(0, 7, 8), 24, 84) == [12 * beat for beat in range(7)]
    assert np.diff(beat_ticks(Meter(0, 5, 4), 24, 120)).tolist() == [24] * 4
