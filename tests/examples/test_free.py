"""The archive of free music: which pieces are chosen, and hands that become one part."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.score import Part, Score

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from bundle import free
from bundle.rights import Ledger

COLUMNS = ("path", "label", "title", "composer", "died", "repo", "licence", "rights", "parts", "notes")
HEADER = "\t".join((*COLUMNS, "seconds", "note"))


def archive(folder: Path, *rows: tuple[str, str, str, str]) -> Path:
    """An archive of pieces: path, licence, rights, remark; each piece has a right and a left hand."""
    lines = [HEADER]
    for path, licence, rights, remark in rows:
        values = dict.fromkeys(COLUMNS, "") | {"path": path, "label": path.split("/")[0]}
        values |= {"licence": licence, "rights": rights}
        lines.append("\t".join([*values.values(), "", remark]))
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        midi.write(hands(), folder / path)
    (folder / "sources.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def hands() -> Score:
    parts = [Part("Piano RH"), Part("Piano LH"), Part("Flute", 73)]
    return Score.of(480, [0, 0, 0], [480] * 3, [72, 48, 80], [80] * 3, [0, 1, 2], parts)


def test_share_alike_and_pieces_alike_to_those_held_back_are_left_out(tmp_path: Path) -> None:
    rows = [
        ("ragtime/mutopia/a.mid", "CC BY 4.0", "yes-attribution", "instrument Piano; typeset by A. Body"),
        ("piano/mutopia/b.mid", "CC BY-SA 4.0", "share-alike", ""),
        ("piano/polish/c.mid", "CC BY 4.0", "yes", ""),
        ("piano/polish/d.mid", "CC BY 4.0", "yes", ""),
    ]
    folder = archive(tmp_path, *rows)
    (folder / "like_held_back.tsv").write_text(
        "path\theld back elsewhere\tshared\npiano/polish/d.mid\tx\t0.9\n"
    )
    ledger = Ledger()
    found = list(free.songs(folder, ledger))
    assert [(source, label, name) for source, label, name, _ in found] == [
        ("polish", "piano", "c"),
        ("mutopia", "piano", "a"),  # ragtime joins piano
    ]
    assert ledger.credits == {"ragtime/mutopia/a.mid": "typeset by A. Body, CC BY 4.0"}
    assert set(ledger.files) == {"polish", "mutopia"}


def test_the_hands_of_a_pianist_are_one_part() -> None:
    joined = free.with_joined_hands(hands())
    assert joined.parts == (Part("Piano"), Part("Flute", 73))
    assert sorted(zip(joined.part.tolist(), joined.pitch.tolist(), strict=True)) == [
        (0, 48),
        (0, 72),
        (1, 80),
    ]
    assert free.with_joined_hands(joined) is joined


def test_labels_are_capped_by_an_even_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(free.MAX_PIECES, "choir", 2)
    rows = [(f"choir/polish/{name}.mid", "CC BY 4.0", "yes", "") for name in "abcd"]
    chosen = free.pieces(archive(tmp_path, *rows))
    assert len(chosen) == 2
    assert chosen == free.pieces(tmp_path)


def test_a_folder_without_the_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sources\.tsv"):
        free.pieces(tmp_path)
