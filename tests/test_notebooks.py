"""The notebooks run from top to bottom on a small folder, and show what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from ritornello import midi
from ritornello.music.timeline import Timeline
from tests.folders import write_songs

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own packages
def test_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_songs(tmp_path / "midi", 16)
    monkeypatch.setenv("RITORNELLO_FOLDER", str(tmp_path / "midi"))
    monkeypatch.setenv("RITORNELLO_WORK", str(tmp_path / "work"))
    monkeypatch.setenv("RITORNELLO_STEPS", "20")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOKS / "original.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()

    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output for output in shown if "image/png" in output.get("data", {})]
    assert len(pictures) == 5  # a song, the curve, the losses, the predictions, the new song
    words = "".join(text(output) for output in shown)
    assert "16 of 16 files kept" in words
    for count in ("9,984", "1,176", "75", "11,235"):  # Keras's own summary
        assert count in words
    song = midi.read(tmp_path / "work" / "new_song.mid")
    assert len(Timeline.of(song)) == 16


def text(output: Any) -> str:
    return str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
