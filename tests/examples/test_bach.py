"""examples/bach.py: from written notes to a Score, and the chorales if music21 is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ritornello import midi
from ritornello.errors import InputError, OutputError
from ritornello.music.score import KeySignature, Meter, Part, Score, Tempo
from ritornello.music.timeline import Timeline

SCRIPT = Path(__file__).parents[2] / "examples" / "bach.py"
needs_music21 = pytest.mark.skipif(
    importlib.util.find_spec("music21") is None,
    reason="music21 is not installed (pip install 'ritornello[demo]')",
)


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_bach", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["examples_bach"] = module
    spec.loader.exec_module(module)
    return module


bach = load()


def note(onset: float, length: float, pitch: int = 60, tie: str = "") -> Any:
    return bach.Note(Fraction(onset), Fraction(length), pitch, tie)


def measure(length: float, over: int = 4, under: int = 4) -> Any:
    return bach.Measure(Fraction(length), over, under)


@pytest.mark.parametrize(
    ("written", "sounding"),
    [
        ([note(0, 1), note(1, 1)], [note(0, 1), note(1, 1)]),  # the same pitch again, not tied
        ([note(0, 1, 60, "start"), note(1, 2, 60, "stop")], [note(0, 3, 60, "start")]),
        (
            [note(0, 1, 60, "start"), note(1, 1, 60, "continue"), note(2, 1, 60, "stop"), note(3, 1)],
            [note(0, 3, 60, "start"), note(3, 1)],
        ),
        # over a rest, or to another pitch, nothing is tied
        (
            [note(0, 1, 60, "start"), note(2, 1, 60, "stop")],
            [note(0, 1, 60, "start"), note(2, 1, 60, "stop")],
        ),
        (
            [note(0, 1, 60, "start"), note(1, 1, 62, "stop")],
            [note(0, 1, 60, "start"), note(1, 1, 62, "stop")],
        ),
        # a tie that is begun again is not the one that was left open
        (
            [note(0, 1, 60, "start"), note(1, 1, 60, "start")],
            [note(0, 1, 60, "start"), note(1, 1, 60, "start")],
        ),
    ],
)
def test_ties_are_joined(written: list[Any], sounding: list[Any]) -> None:
    assert bach.joined(written) == sounding


@pytest.mark.parametrize(
    ("lengths", "meters"),
    [
        ([4, 4, 4], [(0, 4, 4)]),
        ([1, 4, 4, 3], [(0, 1, 4), (1, 4, 4)]),  # an upbeat, and a last bar that lacks it
        ([1, 4, 3, 1, 4, 3], [(0, 1, 4), (1, 4, 4)]),  # a bar cut in two at the end of a line
        ([4, 2, 2, 4], [(0, 4, 4)]),
        ([0.5, 4, 4], [(0, 1, 8), (0.5, 4, 4)]),
        ([4, 3, 4], [(0, 4, 4), (4, 3, 4), (7, 4, 4)]),  # short with no other half
        ([4, 8], [(0, 4, 4)]),  # two bars written as one
        ([4, 5, 4], [(0, 4, 4), (4, 5, 4), (9, 4, 4)]),
        ([3], [(0, 3, 4)]),  # nothing before it says that it should be longer
    ],
)
def test_bars_of_the_music(lengths: list[float], meters: list[tuple[float, int, int]]) -> None:
    expected = tuple(Meter(round(480 * onset), over, under) for onset, over, under in meters)
    assert bach.meters([measure(length) for length in lengths]) == expected


def test_a_change_of_meter() -> None:
    measures = [measure(4), measure(1, 3, 4), measure(3, 3, 4), measure(3, 6, 8)]
    assert bach.meters(measures) == (Meter(0, 4, 4), Meter(1920, 1, 4), Meter(2400, 3, 4), Meter(3840, 6, 8))


@given(st.lists(st.tuples(st.sampled_from([(4, 4), (3, 4), (3, 2), (6, 8)]), st.integers(1, 8)), min_size=1))
def test_every_bar_begins_where_a_measure_does(shapes: list[tuple[tuple[int, int], int]]) -> None:
    measures = [
        bach.Measure(Fraction(4 * meter[0], meter[1]) * eighths / 8, *meter) for meter, eighths in shapes
    ]
    starts = [sum((m.length for m in measures[:k]), Fraction(0)) * 480 for k in range(len(measures) + 1)]
    bars = Timeline.of_meters(480, bach.meters(measures), int(starts[-1]))
    assert set(bars.start_ticks.tolist()) <= set(starts)
    # what is not a bar cut in two is a bar; the last may have been lengthened to a whole one
    assert len(bars) >= len(measures) / 2 and bars.end_ticks >= starts[-1]


def chorale() -> Score:
    """A C major chord with an upbeat; the bass is tied over the bar line."""
    voices = [
        [note(0, 1, 72), note(1, 4, 72)],
        [note(0, 1, 67), note(1, 4, 67)],
        [note(0, 1, 64), note(1, Fraction(1, 3), 64)],
        [note(0, 1, 48, "start"), note(1, 4, 48, "stop")],
    ]
    return bach.to_score(voices, [measure(1), measure(4)], key=(0, False), bpm=80, title="Lobet")


def test_score_of_written_notes() -> None:
    score = chorale()
    assert score.parts == tuple(Part(name, 52) for name in ("Soprano", "Alto", "Tenor", "Bass"))
    assert score.onset_ticks.tolist() == [0, 0, 0, 0, 480, 480, 480]
    assert score.duration_ticks.tolist() == [480, 480, 480, 2400, 1920, 1920, 160]
    assert score.pitch.tolist() == [72, 67, 64, 48, 72, 67, 64]
    assert score.meters == (Meter(0, 1, 4), Meter(480, 4, 4))
    assert score.keys == (KeySignature(0, 0, False),)
    assert score.tempi == (Tempo(0, 750_000),)  # 60 s / 80
    assert len(Timeline.of(score)) == 2
    assert midi.parse(midi.to_bytes(score)[0]).score == score


def test_a_piece_without_notes_is_refused() -> None:
    with pytest.raises(InputError, match="no notes"):
        bach.to_score([[], [], [], []], [measure(4)])


def music21_note(offset: float, length: float, pitch: int, *, grace: bool = False, tie: str = "") -> Any:
    """A stand-in for a note of music21, with the attributes that are read."""
    return SimpleNamespace(
        offset=offset,
        quarterLength=length,
        duration=SimpleNamespace(isGrace=grace),
        tie=SimpleNamespace(type=tie) if tie else None,
        pitches=(SimpleNamespace(midi=pitch),),
    )


def test_grace_notes_are_left_out() -> None:
    notes = [
        music21_note(0, 0, 62, grace=True),
        music21_note(0, 1.5, 60, tie="start"),
        music21_note(1.5, 0, 61),
    ]
    part = SimpleNamespace(flatten=lambda: SimpleNamespace(notes=notes))
    assert list(bach._notes(part)) == [note(0, 1.5, 60, "start")]


def test_measures_keep_their_meter_until_it_changes() -> None:
    def written(length: float, meter: tuple[int, int] | None = None) -> Any:
        signature = SimpleNamespace(numerator=meter[0], denominator=meter[1]) if meter else None
        return SimpleNamespace(timeSignature=signature, duration=SimpleNamespace(quarterLength=length))

    found = [written(1, (3, 4)), written(3), written(4, (4, 4)), written(4)]
    part = SimpleNamespace(getElementsByClass=lambda name: found if name == "Measure" else [])
    assert list(bach._measures(part)) == [measure(1, 3), measure(3, 3), measure(4), measure(4)]


def test_a_broken_piece_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(error: Exception) -> str:
        def read(path: Path, title: str) -> Score:
            raise error

        monkeypatch.setattr(bach, "read_chorale", read)
        return str(bach.write_chorale(tmp_path / "bwv9.7.mxl", "", tmp_path))

    assert broken(ValueError("bad\n news")) == "bwv9.7: bad news"
    assert broken(StopIteration()) == "bwv9.7: StopIteration"
    assert not list(tmp_path.iterdir())


def test_a_chorale_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bach, "read_chorale", lambda path, title: chorale())
    assert bach.write_chorale(tmp_path / "bwv9.7.mxl", "", tmp_path) == ""
    assert midi.read(tmp_path / "bwv9.7.mid") == chorale()
    with pytest.raises(OutputError):  # a full disk is no fault of the piece
        bach.write_chorale(tmp_path / "bwv9.7.mxl", "", tmp_path / "bwv9.7.mid")


def test_nothing_is_begun_after_the_time(tmp_path: Path) -> None:
    files = [(tmp_path / "bwv1.mxl", "")]
    assert bach.write_all(files, tmp_path, 2, 0.0, Console(quiet=True)) == (0, [])


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=120)


def test_without_music21(tmp_path: Path) -> None:
    (tmp_path / "music21.py").write_text("raise ImportError('no music21')")
    done = run(tmp_path / "out", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "error: music21 is not installed: pip install 'ritornello[demo]'\n"
    assert not (tmp_path / "out").exists()


@needs_music21
def test_chorales_of_the_wheel(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    done = run(tmp_path / "out", "--count", 3, "--workers", 1, TMPDIR=str(tmp_path / "temporary"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("3 of 3 chorales written to")
    assert not list((tmp_path / "temporary").iterdir())  # music21 has left nothing behind the user's back
    scores = [midi.read(path) for path in sorted((tmp_path / "out").iterdir())]
    assert [part.name for part in scores[0].parts] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert scores[0].title == "BWV 1.6"  # Wie schön leuchtet der Morgenstern: F major, 4/4 with an upbeat
    assert scores[0].meters == (Meter(0, 1, 4), Meter(480, 4, 4))
    assert scores[0].keys == (KeySignature(0, -1, False),)
    first = scores[0].onset_ticks == 0
    assert scores[0].pitch[first].tolist() == [65, 60, 57, 53]  # F major, from soprano to bass


@needs_music21
def test_what_is_no_chorale_is_left_out(tmp_path: Path) -> None:
    files = {path.stem: (path, title) for path, title in bach.chorale_files()}
    assert len(files) > 400
    assert files["bwv269"][1] == "Aus meines Herzens Grunde, BWV 269"
    assert "Piano" in bach.write_chorale(*files["bwv846"], tmp_path)  # a prelude
    assert not list(tmp_path.iterdir())


@needs_music21
def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = run(tmp_path / "out", "--count", 1)
    assert done.returncode == 1 and done.stderr.startswith("error: cannot write")
    assert done.stderr.count("\n") == 1
