"""Labels from folders and from tables."""

import unicodedata
from pathlib import Path

import pytest

from ritornello.corpus.labels import Labeller, read_labels
from ritornello.errors import InputError


def test_from_folders() -> None:
    labels = Labeller().labels
    assert labels(b"x.mid") == ()
    assert labels(b"classical/bach/x.mid") == ("classical", "classical/bach")
    assert labels(b"sets/old.tar.gz/rock/x.mid") == ("sets", "sets/rock")


def test_from_the_folder_at_one_depth() -> None:
    paths = (b"x.mid", b"a/x.mid", b"a/rock/x.mid", b"b/rock/queen/live/x.mid", b"sets/old.zip/rock/x.mid")
    assert [Labeller(depth=1).labels(path) for path in paths] == [(), ("a",), ("a",), ("b",), ("sets",)]
    assert [Labeller(depth=2).labels(path) for path in paths] == [(), (), *[("rock",)] * 3]
    assert Labeller(depth=3).labels(paths[3]) == ("queen",)
    for depth in (0, 101):
        with pytest.raises(InputError, match=rf"label_depth {depth}\D.*1.100"):
            Labeller(depth=depth)


def test_a_row_of_a_folder_is_of_all_songs_below_and_the_nearest_wins(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("path,label\na/,rock\na/b/c,jazz\na/x.mid,folk\nz,none\n")
    labeller = read_labels(tmp_path / "l.csv", 2)
    for path, labels in ((b"a/y.mid", "rock"), (b"a/b/c/d/x.mid", "jazz"), (b"a/x.mid", "folk")):
        assert labeller.labels(path) == (labels,)
    assert labeller.labels(b"ab/deep/x.mid") == ("deep",)
    assert labeller.unused == 1


def test_one_label_for_both_unicode_forms_and_escapes_for_undecodable_bytes() -> None:
    labels = Labeller().labels
    forms = [unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    assert {labels(f"{form}/x.mid".encode()) for form in forms} == {(forms[0],)}
    assert labels(b"caf\xe9/x.mid") == ("caf\\xe9",)


def test_a_csv(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(
        "label,path,year\nrock,a/x.mid,1970\nslow,a/x.mid,\n jazz ,./b\\y.mid,\n", encoding="utf-8-sig"
    )
    labeller = read_labels(table)
    assert labeller.labels(b"a/x.mid") == ("rock", "slow")
    assert labeller.labels(b"b/y.mid") == ("jazz",)
    assert labeller.labels(b"a/other.mid") == ("a",)
    assert labeller.used == {"a/x.mid", "b/y.mid"}


def test_jsonl(tmp_path: Path) -> None:
    table = tmp_path / "labels.jsonl"
    table.write_text('{"path": "x.mid", "labels": ["a", "b"]}\n\n{"path": "y.mid", "label": "c"}\n')
    labels = read_labels(table).labels
    assert (labels(b"x.mid"), labels(b"y.mid")) == (("a", "b"), ("c",))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.txt", "", r"l\.txt': must be a \.csv or a \.jsonl file"),
        ("l.csv", "file,genre\n", r"line 1: the columns are \['file', 'genre'\]: must be path and label"),
        ("l.csv", "", "line 1: the columns are None"),
        ("l.csv", "path,label\nx.mid,\n", "line 2: must have a path and a label"),
        ("l.jsonl", '{"path": "x"}', "line 1: must have a path and a label"),
        ("l.jsonl", '{"path": "x", "label": 5}', "line 1: must have a path and a label"),
        ("l.jsonl", "[]", "line 1: must be a JSON object"),
        ("l.jsonl", "{}\n{", "line 1: must have"),
        ("l.jsonl", "[" * 100_000, "line 1: must be a JSON object"),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_labels(tmp_path / name)


def test_no_table_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "l.csv").write_bytes(b"path,label\n\xff\xfe,x\n")
    with pytest.raises(InputError, match="is not a table in UTF-8"):
        read_labels(tmp_path / "l.csv")
