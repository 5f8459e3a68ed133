"""Composing around given notes: only requested parts get notes, and given notes stay."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from ritornello import midi
from ritornello.composing import compose as composer
from ritornello.models.model import Model
from ritornello.music.score import Meter, Part, Score
from tests.composing.models import write_model

BASS, DRUMS = Part("", 33), Part("", 0, True)
Sound = tuple[int, bool]  # program and whether it is drums


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(write_model(tmp_path_factory.mktemp("model") / "model"))


def notes_of(score: Score) -> Counter[tuple[Fraction, Fraction, int, int, Sound]]:
    """The notes: onset and duration in beats, pitch, velocity, and the sound that plays them."""
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.velocity, score.part)
    return Counter(
        (
            Fraction(onset, score.ticks_per_beat),
            Fraction(duration, score.ticks_per_beat),
            pitch,
            velocity,
            score.parts[part][1:],
        )
        for onset, duration, pitch, velocity, part in zip(*(c.tolist() for c in columns), strict=True)
    )


@pytest.mark.parametrize("ticks_per_beat", [1, 2, 5, 18])
def test_a_coarse_melody_gets_a_resolution_that_the_grid_fits(model: Model, ticks_per_beat: int) -> None:
    onset = [ticks_per_beat * beat for beat in range(16)]
    melody = Score.of(
        ticks_per_beat,
        onset,
        [ticks_per_beat] * 16,
        [60, 64, 67, 72] * 4,
        [80] * 16,
        parts=[Part("tune", 73)],
    )
    for song in composer.compose_many(model, 10, melody=melody, parts="piano,drums", seed=1):
        added = notes_of(song.score) - notes_of(melody)
        assert not notes_of(melody) - notes_of(song.score)
        assert all(onset < 16 for onset, *_ in added)
        assert all(24 % onset.denominator == 0 for onset, *_ in added)  # not rounded


@pytest.mark.parametrize(
    ("meter", "first", "end"), [((3, 4), 3, 9), ((7, 8), 3.5, 10.5), ((5, 16), 1.25, 3.75)]
)
def test_bars_of_a_coarse_song_are_redone_within_the_bars(
    model: Model, meter: tuple[int, int], first: float, end: float
) -> None:
    melody = Score.of(1, range(12), [1] * 12, [60, 64, 67] * 4, [80] * 12, meters=(Meter(0, *meter),))
    for take in composer.redo(melody, "2-3", takes=8, model=model, seed=1):
        assert take.score.ticks_per_beat == 1
        changed = (notes_of(take.score) - notes_of(melody)) + (notes_of(melody) - notes_of(take.score))
        assert all(first <= onset < end for onset, *_ in changed)


def test_redone_notes_are_of_the_requested_part_where_several_share_a_class(model: Model) -> None:
    # rows tell four pianos apart: the fourth and the fifth share a class; drums of two parts do, too
    parts = [Part(f"piano {number}", 0) for number in range(5)] + [
        Part("kit", 0, True),
        Part("loop", 0, True),
    ]
    notes = [(480 * beat, 84 - 7 * part, part) for part in range(7) for beat in range(0, 16, 1 + part % 3)]
    onset, pitch, part = zip(*notes, strict=True)
    song = Score.of(480, onset, [400] * len(notes), pitch, [80] * len(notes), part, parts)
    for number in (4, 5, 6, 7):
        for take in composer.redo(song, "2-3", parts=str(number), takes=4, model=model, seed=2):
            kept = [song.part != number - 1, take.score.part != number - 1]
            before, after = (
                set(zip(s.onset_ticks[k].tolist(), s.pitch[k].tolist(), s.part[k].tolist(), strict=True))
                for s, k in zip((song, take.score), kept, strict=True)
            )
            assert before == after


def random_music(seed: int) -> Score:
    """Bars of chords at random places and pitches, in one to six parts, drums among them; often one note."""
    draw = np.random.default_rng(seed)
    parts = [
        Part("", int(draw.choice([0, 33, 73, 104, 127])), bool(draw.random() < 0.3))
        for _ in range(draw.choice([1, 1, 2, 6]))
    ]
    tick = 96 * int(draw.integers(1, 5)) - 1  # the last one of a bar of 4/4 at 24 ticks a beat
    notes = [(tick, 12, int(draw.integers(128)), 0)]
    for part in range(len(parts)):
        for beat in range(int(draw.integers(12))):
            onset = 24 * beat + int(draw.choice([0, 0, 12, 23]))
            length, pitch = int(draw.integers(1, 60)), int(draw.choice([60, 67, 76, 127]))
            notes += [(onset, length, pitch - chord, part) for chord in range(0, 12, 4)]
    onset, length, pitch, part = zip(*notes, strict=True)
    return Score.of(24, onset, length, pitch, [80] * len(notes), part, parts)


@pytest.mark.parametrize("seed", range(30))
def test_only_requested_parts_join_a_melody_and_each_of_them_plays(model: Model, seed: int) -> None:
    melody, names = random_music(seed), ["bass", "drums", "flute"][: 1 + seed % 3]
    programs = {"bass": range(32, 40), "drums": range(-1, 0), "flute": range(73, 74)}
    song = composer.compose(model, melody=melody, parts=names, seed=seed, force=True)
    added = notes_of(song.score) - notes_of(melody)
    assert not notes_of(melody) - notes_of(song.score)
    sounds = {-1 if is_drum else program for *_, (program, is_drum) in added}
    assert sounds <= {program for name in names for program in programs[name]}
    assert all(sounds & set(programs[name]) for name in names)


@pytest.mark.parametrize("seed", range(20))
def test_a_redone_part_alone_changes(model: Model, seed: int) -> None:
    song = midi.parse(
        midi.to_bytes(random_music(seed))[0], name="song"
    ).score  # with parts as files have them
    part = int(song.part[seed % len(song)])
    take = composer.redo(song, "1", parts=str(part + 1), takes=1, model=model, seed=seed)[0].score
    kept = [(each.part != part) | (each.onset_ticks >= 96) for each in (song, take)]
    assert take.select(kept[1]) == song.select(kept[0])
    assert ((take.part == part) & ~kept[1]).any()
