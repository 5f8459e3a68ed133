"""What the benchmarks share: arguments, stored results, files, timing in turns, figures, tables."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks import shared
from ritornello.music.score import Part, Score


@shared.benchmark(
    shared.argument("folder"),
    shared.argument("--songs", type=int, default=3),
    passes_on=True,
    one_thread=True,
)
def measured(options: argparse.Namespace) -> None:
    """Measure something.

    At length.
    """
    print(options.folder, options.songs, options.passed_on)


def test_a_benchmark_has_its_options_and_passes_on_others(capsys: pytest.CaptureFixture[str]) -> None:
    measured.run("measured", "A summary", ["--songs", "5", "folder", "--size", "tiny"])
    assert capsys.readouterr().out == "folder 5 ['--size', 'tiny']\n"


def test_an_unknown_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    strict = shared.Benchmark(measured.function, measured.arguments, one_thread=False, passes_on=False)
    with pytest.raises(SystemExit):
        strict.run("measured", "A summary", ["folder", "--size", "tiny"])
    assert "unrecognized arguments: --size tiny" in capsys.readouterr().err


def test_the_help_is_the_summary_and_the_docstring() -> None:
    assert (
        "A summary\n\nMeasure something.\n\nAt length.\n" in measured.parser("m", "A summary").format_help()
    )


def test_a_stored_result_is_not_computed_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "result.json"
    assert shared.stored(file, lambda: {"nats": 1.5}) == {"nats": 1.5}
    assert shared.stored(file, lambda: {"nats": 2.0}) == {"nats": 1.5}


def test_files_are_drawn_by_the_seed_whatever_their_suffix(tmp_path: Path) -> None:
    names = ["a.mid", "b/c.MID", "d.kar", "e.txt", "f.midi"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = shared.midi_files([tmp_path])
    assert [str(file.relative_to(tmp_path)) for file in files] == ["a.mid", "b/c.MID", "d.kar", "f.midi"]
    assert shared.draw_files([tmp_path], 2, seed=1) == shared.draw_files([tmp_path], 2, seed=1)
    assert sorted(shared.draw_files([tmp_path], 99, seed=1)) == files
    assert list(shared.readable(files)) == []


def test_the_highest_part_is_pitched_and_can_be_selected() -> None:
    parts = (Part("", 0), Part("", 1), Part("", 0, True))
    song = Score.of(24, [0, 0, 0, 24], [24] * 4, [60, 72, 90, 74], [80] * 4, [0, 1, 2, 1], parts=parts)
    chosen = shared.highest_part(song)
    assert shared.select_notes(song, chosen).pitch.tolist() == [72, 74]
    assert shared.share_in_scale(song, (0, False)) == 1.0  # 60, 72, 74 in C major; drums do not count
    assert np.isnan(shared.share_in_scale(shared.select_notes(song, song.of_drums), (0, False)))


def test_ways_are_timed_in_turns() -> None:
    order: list[str] = []
    ticks = iter(range(100))
    ways = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    seconds = shared.time_in_turns(ways, 3, clock=lambda: float(next(ticks)))
    assert order == ["a", "b"] * 3
    assert seconds == {"a": [1.0] * 3, "b": [1.0] * 3}


def test_an_exponent_is_the_slope_of_the_logarithms() -> None:
    sizes = [10.0, 100.0, 1000.0, 10_000.0]
    assert shared.exponent(sizes, [3 * size**2 for size in sizes]).startswith(
        "exponent 2.000, 95% interval 2.00"
    )


def test_shares_and_reductions_have_intervals_by_song() -> None:
    assert shared.share([1, 1, 1], [4, 4, 4]) == "25.0% (25.0% to 25.0%)"
    assert shared.reduction([3, 3], [4, 4]) == "25.0% (25.0% to 25.0%)"
    assert shared.reduction([3], [4]) == "25.0% (nan% to nan%)"
    assert shared.mean_of_seeds([1, 2]) == "**1.500** (1.000, 2.000)"


def test_a_table_is_markdown() -> None:
    assert shared.table(["", "songs"], [["all", 3]]) == "|  | songs |\n|---|---|\n| all | 3 |"


def test_memory_and_processor_time_are_positive() -> None:
    assert shared.peak_memory_mb() > 1
    assert shared.busy_s() > 0
