"""Songs in a folder, from Python."""

from __future__ import annotations

from pathlib import Path

import ritornello as r
from tests.composing.models import write_model


def test_songs_are_written_with_numbers_and_a_page_that_escapes_their_plans(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    songs = r.compose_many(tmp_path / "model", 2, bars=2, seed=1)
    assert r.write_songs(songs, tmp_path / "out") == [tmp_path / "out" / f"{n}.mid" for n in (1, 2)]
    assert (tmp_path / "out" / "2.mid").read_bytes() == songs[1].to_bytes()
    page = (tmp_path / "out" / "index.html").read_text()
    assert "<title>2 songs</title>" in page and page.count("<img") == 2
    assert r.replay(tmp_path / "out" / "1.json").to_bytes() == songs[0].to_bytes()
