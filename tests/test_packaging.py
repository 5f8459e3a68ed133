"""What is said twice about the package is the same in both places: versions, Pythons, folders, settings."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from ritornello.cli import main
from ritornello.system.version import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")


def test_the_version_is_semantic_and_in_one_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", __version__)
    assert "version" in PROJECT["project"]["dynamic"]
    assert (ROOT / PROJECT["tool"]["hatch"]["version"]["path"]).is_file()
    main(["--version"])
    assert capsys.readouterr().out == f"ritornello {__version__}\n"
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_the_changelog_has_this_version_or_what_is_not_released() -> None:
    headings = re.findall(r"^## (.*)$", CHANGELOG, re.M)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each) for each in headings[1:])
    assert f"[{__version__}]" in headings or f"The next version is {__version__}." in CHANGELOG
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.M)) <= kinds
    entries = re.findall(r"^- (.*)$", CHANGELOG, re.M)
    assert all(re.match(r"\d{4}-\d\d-\d\d: ", entry) for entry in entries)


def test_the_pythons_are_the_same_everywhere() -> None:
    named = [c.split(" :: ")[-1] for c in PROJECT["project"]["classifiers"] if "Python :: 3." in c]
    assert named == re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.*)\]", WORKFLOW)[1])  # type: ignore[index]
    low, high = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    assert named == [f"3.{minor}" for minor in range(int(low), int(high))]
    assert f"Python 3.{low} to 3.{int(high) - 1}" in (ROOT / "README.md").read_text("utf-8")


def test_the_workflow_runs_on_all_systems_and_all_hooks_are_local() -> None:
    assert {"ubuntu-latest", "macos-latest", "windows-latest"} <= set(re.findall(r"\w+-latest", WORKFLOW))
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert set(re.findall(r"repo: (\S+)", hooks)) == {"local"}


def test_extras_that_errors_name_exist() -> None:
    extras = set(PROJECT["project"]["optional-dependencies"])
    folders = (ROOT / name for name in ("src", "docs", "examples", "benchmarks", "notebooks"))
    texts = [
        file for folder in folders for kind in ("*.py", "*.md", "*.ipynb") for file in folder.rglob(kind)
    ]
    for file in [*texts, *ROOT.glob("*.md")]:
        named = re.findall(r"(?:ritornello|[\"'])\.?\[([\w,]+)\][\"']", file.read_text("utf-8"))
        named = [extra for some in named for extra in some.split(",") if not some.isdecimal()]
        named += re.findall(r'require_extra\(\s*"(\w+)"', file.read_text("utf-8"))
        assert set(named) <= extras, file.name
