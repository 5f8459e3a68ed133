"""The entry `python -m benchmarks`: every name has a help text, and results or a reason why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, find, listing, main

ROOT = Path(__file__).parents[2]
RESULTS = (ROOT / "benchmarks" / "RESULTS.md").read_text()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_explains_itself(name: str) -> None:
    summary = BENCHMARKS[name][1]
    text = find(name).parser(name, summary).format_help()
    assert text.startswith(f"usage: python -m benchmarks {name} ")
    assert summary in " ".join(text.split())
    assert len(find(name).function.__doc__ or "") > 80


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_has_results_or_says_why_not(name: str) -> None:
    assert f"| `{name}` |" in RESULTS


def test_all_commands_in_the_documents_exist() -> None:
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "RESULTS.md"]:
        for rest in file.read_text().split("python -m benchmarks ")[1:]:
            name = rest.split()[0].strip("`).,;")
            assert name in BENCHMARKS or name == "NAME", f"{file.name}: {name}"


def test_the_list_has_a_line_for_each_benchmark() -> None:
    lines = listing().splitlines()
    for name, (_, summary) in BENCHMARKS.items():
        assert any(line.split()[:1] == [name] and line.endswith(summary) for line in lines)
    assert max(map(len, lines)) <= 100


def test_a_wrong_name_is_an_error_that_suggests_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preprare"]) == 2
    assert capsys.readouterr().err == "no benchmark is named 'preprare', did you mean 'prepare'?\n"


def test_the_list_imports_neither_torch_nor_scipy() -> None:
    code = (
        "import sys, benchmarks.__main__ as entry; entry.main([]);"
        "sys.exit(bool({'torch', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_timed_steps_of_prepare_exist() -> None:
    from benchmarks.corpus.workers import STEPS

    for module, name in STEPS.values():
        assert callable(getattr(module, name)), f"{module.__name__} has no function {name!r}"
