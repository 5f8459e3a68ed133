"""Commands without the extras that they need: which extra is said in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.composing.models import write_model

WITHOUT_EXTRAS = """
import sys
sys.modules.update(dict.fromkeys(("torch", "pyarrow", "scipy", "sklearn", "keras"), None))
from ritornello.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "words, says",
    [
        ("learn {songs}", 'needs torch, pyarrow: pip install "ritornello[train]"'),
        ("prepare {songs} --out {new}", 'needs pyarrow: pip install "ritornello[train]"'),
        ("train {songs} --out {new}", 'needs torch, pyarrow: pip install "ritornello[train]"'),
        ("measure {model} --on {songs}", 'needs torch: pip install "ritornello[train]"'),
        ("convert {model} {new}.keras", 'needs keras, torch: pip install "ritornello[keras]"'),
        ("judge {songs} --human {songs}", 'needs sklearn, scipy: pip install "ritornello[judge]"'),
        ("log {songs}", "has no log.jsonl: must be a model folder that `ritornello train` wrote"),
    ],
)
def test_what_an_extra_is_needed_for_says_which(tmp_path: Path, words: str, says: str) -> None:
    places = {name: tmp_path / name for name in ("songs", "model", "new")}
    places["songs"].mkdir()
    write_model(places["model"])
    typed = [word.format(**places) for word in words.split()]
    done = subprocess.run([sys.executable, "-c", WITHOUT_EXTRAS, *typed], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1  # and no traceback
    assert {path.name for path in tmp_path.iterdir()} == {"songs", "model"}
