"""Loops, introductions and endings: their bars, their form, their markers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from ritornello.composing.compose import compose, replay
from ritornello.composing.song_shape import extended, framed_by, only_loop
from ritornello.errors import PlanError
from ritornello.midi import write
from ritornello.music.form import parse_form
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Chord
from ritornello.music.sections import plan_sections
from ritornello.music.sketch import END, NO_MOTIF, OPEN, UNKNOWN, Sketch
from tests.composing.models import PIANO
from tests.composing.test_draw_sketch import model, without  # noqa: F401
from tests.composing.test_takes import tune

BAR = 96  # ticks of 4/4 on the grid


@pytest.mark.parametrize("options", [{"bars": 4}, {"bars": 5, "meter": "3/4"}, {"form": "A2 B2 A2"}])
def test_a_loop_is_exact_to_the_tick(model: Path, tmp_path: Path, options: dict[str, Any]) -> None:  # noqa: F811
    song = compose(model, loop=True, seed=3, genre="game", **options)
    bars = options.get("bars", 6)
    end = bars * (72 if "meter" in options else BAR)
    assert song.plan.bars == bars and song.plan.is_loop and not song.plan.pickup_bars
    assert song.score.end_ticks <= end and song.score.onset_ticks[0] < BAR / 2
    markers = [(marker.text, marker.onset_ticks) for marker in song.score.markers]
    assert markers[0] == ("loopStart", 0) and markers[-1] == ("loopEnd", end)
    song.write(tmp_path / "loop.mid")
    tracks = mido.MidiFile(tmp_path / "loop.mid").tracks
    assert max(sum(message.time for message in track) for track in tracks) == end
    song.write(tmp_path / "loop.json")
    assert replay(tmp_path / "loop.json").to_bytes() == song.to_bytes()
    again = replay(tmp_path / "loop.json", redraw=True, model=model, seed=4)
    assert again.plan == song.plan and again.score.end_ticks <= end


def test_a_model_without_a_sketch_composes_loops(without: Path) -> None:  # noqa: F811
    song = compose(without, loop=True, bars=4, seed=1)
    assert song.score.end_ticks <= 4 * BAR
    assert [marker.text for marker in song.score.markers] == ["loopStart", "loopEnd"]


def test_the_first_bars_of_a_loop_follow_its_last() -> None:
    texture = tuple((bar + 1, 60) for bar in range(6))
    sketch = Sketch((0, 0, 0, 1, 0, END), (NO_MOTIF, 0, NO_MOTIF, 2, 0, NO_MOTIF), (PIANO,), (texture,))
    closings = (*((UNKNOWN, UNKNOWN),) * 3, (48, 7), (UNKNOWN, UNKNOWN), (0, 0))
    sketch = replace(sketch, closings=closings)
    chords = (Chord(0, 0, "maj"), Chord(2 * BAR, 5, "maj"), Chord(5 * BAR, 7, "maj"))
    plan = Plan(6, parts=(PIANO,), chords=chords, returns=parse_form("A2 B2 A2"), sketch=sketch)
    longer = extended(plan)
    assert longer.bars == 10 and longer.returns is not None and longer.sketch is not None
    assert longer.returns[6:] == ((0, 3), (1, 3), (2, 3), (3, 3))
    assert longer.sketch.cadences == (0, 0, 0, 1, 0, OPEN, 0, 0, 0, 1)  # it does not end
    assert longer.sketch.motifs[6:] == (0, 0, 2, 2)
    assert longer.sketch.closings == (*closings, *closings[:4])
    assert longer.sketch.textures == ((*texture, *texture[:4]),)
    assert longer.chords[3:] == (Chord(6 * BAR, 0, "maj"), Chord(8 * BAR, 5, "maj"))
    back = replace(sketch, cadences=(0, 0, 0, 1, 0, OPEN))
    assert only_loop(longer, 6) == replace(plan, sketch=back)
    longer.timeline(GRID)  # bars return to earlier ones of their length


@pytest.mark.parametrize("form", [None, "A4 B4"])
def test_an_introduction_and_an_ending_frame_the_form(model: Path, form: str | None) -> None:  # noqa: F811
    song = compose(model, intro=2, outro=3, seed=2, genre="game", form=form, bars=None if form else 8)
    plan = song.plan
    first, end = plan.pickup_bars + 2, plan.pickup_bars + 10
    assert (plan.full_bars, plan.intro_bars, plan.outro_bars) == (13, 2, 3)
    assert plan.returns is not None and plan.sketch is not None
    assert all(target == -1 or target >= first for target, _ in plan.returns[first:end])
    assert plan.sketch.cadences[first - 1] == OPEN and plan.sketch.cadences[end - 1] > 0
    assert plan.sketch.cadences[-1] == END
    names = [(section.start, section.name) for section in plan_sections(plan)]
    assert (
        names[0] == (plan.pickup_bars, "intro") and names[1] == (first, "A") and names[-1] == (end, "outro")
    )
    assert song.score.markers[0].text == "intro"
    assert replay(song.recipe).to_bytes() == song.to_bytes()
    assert Plan.from_dict(plan.to_dict()) == plan


def test_the_form_that_is_asked_for_is_kept(without: Path) -> None:  # noqa: F811
    form = parse_form("A2 A2")
    framed = framed_by(Plan(7), form, 2, 1, None, np.random.default_rng(0), 0.5)
    assert framed.returns == ((-1, -1), (-1, -1), (-1, 0), (-1, 0), (2, 3), (3, 3), (-1, -1))
    assert framed.sketch is None
    song = compose(without, form="A2 A2", intro=1, seed=1)
    assert song.plan.full_bars == 5


def test_a_plan_without_a_shape_is_written_as_before() -> None:
    assert not {"intro_bars", "outro_bars", "is_loop", "held_notes", "held_pitches"} & set(Plan().to_dict())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loop": True, "intro": 2}, "a loop has neither"),
        ({"loop": True, "melody": 0}, "loop and melody are given"),
        ({"intro": 2, "seconds": 20}, "intro and seconds are given"),
        ({"outro": 0}, "outro 0: must be 1-64"),
        ({"bars": 1000, "outro": 2}, "1002 bars with intro and outro"),
    ],
)
def test_shapes_that_contradict_are_errors(
    without: Path,  # noqa: F811
    tmp_path: Path,
    options: dict[str, Any],
    message: str,
) -> None:
    if "melody" in options:
        write(tune(), tmp_path / "tune.mid")
        options = options | {"melody": tmp_path / "tune.mid"}
    with pytest.raises(PlanError, match=message):
        compose(without, **options)
