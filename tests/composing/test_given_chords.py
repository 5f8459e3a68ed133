"""Chords from a text file or another song, and the chords of redone bars."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.composing.compose import compose, redo, sketch
from ritornello.composing.given_chords import with_chart, with_chords_in_bars
from ritornello.composing.options import ComposeOptions, RedoOptions
from ritornello.composing.recipe import Recipe
from ritornello.composing.replay import build_song
from ritornello.errors import PlanError
from ritornello.music.chart import chart_chords, parse_chart
from ritornello.music.chord_symbols import bar_symbols
from ritornello.music.modes import TWELVE_BARS
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Marker, Part, Score
from tests.composing.models import write_model


def song_of(chart: str, **events: object) -> Score:
    """A song in C major of four bars in 4/4, whose notes are a scale, by a chart."""
    plan = Plan(4, key=(0, False))
    chords = chart_chords(parse_chart(chart), plan)
    ticks, pitches = range(0, 384, 24), [60, 64, 67, 60, 65, 69, 72, 65, 67, 71, 74, 67, 60, 64, 67, 72]
    columns = ticks, [24] * 16, pitches, [80] * 16, [0] * 16
    return Score.of(GRID, *columns, (Part(),), **{"chords": chords, **plan.events(GRID), **events})


def test_a_text_file(tmp_path: Path) -> None:
    file = tmp_path / "chart.txt"
    file.write_text("# Song\nC | Am F\n", encoding="utf-8")
    for name in (file, str(file)):
        assert with_chart(ComposeOptions(chords=name)).chords == "# Song\nC | Am F\n"
    file.write_text("C | Hm", encoding="utf-8")
    with pytest.raises(PlanError, match=r"chart.txt': chord 'Hm'"):
        with_chart(ComposeOptions(chords=file))
    with pytest.raises(PlanError, match=r"cannot read .*none.txt"):
        with_chart(ComposeOptions(chords="none.txt"))


def test_the_chords_of_a_song_in_its_key_or_another() -> None:
    score = song_of("C | F6 G7/B | N.C. | C")
    found = with_chart(ComposeOptions(chords_from=score))
    assert (found.chords, found.chords_from) == ("C | F6 G7/B | N.C. | C |", None)
    assert (found.key, found.meter, found.bars) == ("C major", "4/4", 4)
    other = with_chart(ComposeOptions(chords_from=score, key="D dorian", bars=8, meter="3/4"))
    assert other.chords == "D | G6 A7/C# | N.C. | D |"
    assert (other.key, other.meter, other.bars) == ("D dorian", "3/4", 8)


def test_chords_that_markers_name_or_that_are_estimated() -> None:
    names = ("C", "Fm6", "G7/B", "C")
    markers = tuple(Marker(96 * bar, name) for bar, name in enumerate(names))
    score = song_of("?", markers=markers)
    assert with_chart(ComposeOptions(chords_from=score)).chords == "C | Fm6 | G7/B | C |"
    sections = tuple(Marker(96 * bar, name) for bar, name in enumerate("ABAC"))
    heard = with_chart(ComposeOptions(chords_from=song_of("?", markers=sections))).chords
    assert heard == "C | F | G | C |"


def test_errors() -> None:
    with pytest.raises(PlanError, match="chords and chords_from are given: give only one of the two"):
        with_chart(ComposeOptions(chords="C", chords_from=song_of("C")))
    drums = Score.of(GRID, [0], [24], [36], [80], [0], (Part("", 0, True),))
    with pytest.raises(PlanError, match="has drums alone, so it has no chords"):
        with_chart(RedoOptions(bars="1", chords_from=drums))


@pytest.mark.parametrize(
    ("bars", "texts"),
    [
        ((1, 3), ["C", "Em", "N.C.", "Am"]),
        ((0, 2), ["Em", "N.C.", "G", "Am"]),
        ((2, 4), ["C", "F", "Em", "N.C."]),
    ],
)
def test_chords_of_redone_bars_and_of_the_others(bars: tuple[int, int], texts: list[str]) -> None:
    plan = Plan(4, key=(0, False))
    chords = chart_chords(("C", "F", "G", "Am"), plan)
    found = with_chords_in_bars(plan, chords, ("Em", "N.C."), bars)
    assert bar_symbols(found.timeline(GRID), plan.key) == texts


def test_the_chord_that_lasted_is_resumed_after_the_redone_bars() -> None:
    plan = Plan(4, key=(0, False))
    chords = chart_chords(("C", "/", "/", "/"), plan)
    found = with_chords_in_bars(plan, chords, ("Em",), (1, 2))
    assert bar_symbols(found.timeline(GRID), plan.key) == ["C", "Em", "C", "C"]


def test_songs_sketches_and_takes_have_the_chords(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    asked = {"key": "D major", "chords": "ii7 V7/7 | I6", "parts": "piano", "bars": 4, "seed": 1}
    song = compose(model, meter="4/4", **asked)  # type: ignore[arg-type]
    assert bar_symbols(song.plan.timeline(GRID), song.plan.key) == ["ii7 V7/7", "I6"] * 2
    assert [chord.suffix for chord in midi.parse(song.to_bytes()).score.chords[:3]] == ["", "", "6"]
    drawn = sketch(model, **asked)  # type: ignore[arg-type]
    assert drawn.plan.chords == song.plan.chords
    take = redo(song.score, range(1, 2), chords="N.C.", key="D mixolydian", takes=1, model=model, seed=1)[0]
    assert bar_symbols(take.plan.timeline(GRID), take.plan.key)[1:3] == ["N.C.", "Em7 A7/C#"]
    assert take.plan.mode == "mixolydian"
    old, new = (midi.parse(each.to_bytes()).score.chords for each in (song, take))
    assert [chord.is_silent for chord in new] == [False, False, True, False, False, False]
    assert (new[:2], new[3:]) == (old[:2], old[3:])
    assert build_song(Recipe.from_dict(take.recipe.to_dict())).to_bytes() == take.to_bytes()


def test_a_blues_has_its_twelve_bars_unless_chords_are_asked() -> None:
    blues = ComposeOptions(key="C blues")
    assert with_chart(blues).chords == TWELVE_BARS
    assert len(parse_chart(TWELVE_BARS)) == 12
    assert with_chart(replace(blues, chords="F7")).chords == "F7"
    assert with_chart(ComposeOptions(key="D dorian")).chords is None
    assert with_chart(RedoOptions(key="C blues")).chords is None
