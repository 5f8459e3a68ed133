"""The files of a folder that are listed: endings, order, links, circular links, unusual names."""

import os
import unicodedata
from pathlib import Path

import pytest

from ritornello.corpus.sources.scan import scan
from ritornello.errors import InputError

POSIX = pytest.mark.skipif(os.name != "posix", reason="links, pipes and bytes in names as POSIX has them")


def paths(folder: Path, skip: str = "out") -> list[bytes]:
    return [source.path for source in scan(folder, folder / skip)]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_endings_in_any_case_and_in_order_of_bytes(tmp_path: Path) -> None:
    touch(
        tmp_path, "b.MID", "a.midi", "c/d.kar", "c/e.rmi", "c.mid", "x.mp3", "y.mid.txt", "z.tar.gz", "u.zip"
    )
    assert paths(tmp_path) == [b"a.midi", b"b.MID", b"c.mid", b"c/d.kar", b"c/e.rmi", b"u.zip", b"z.tar.gz"]


def test_size_and_time_are_noted(tmp_path: Path) -> None:
    touch(tmp_path, "a.mid")
    os.utime(tmp_path / "a.mid", ns=(5, 1_000_000_007))
    assert [tuple(source) for source in scan(tmp_path, tmp_path / "out")] == [(b"a.mid", 1, 1_000_000_007, 0)]


def test_the_corpus_inside_is_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.mid", "out/b.mid", "sub/out/c.mid")
    assert paths(tmp_path) == [b"a.mid", b"sub/out/c.mid"]


def test_not_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.mid")
    with pytest.raises(InputError, match="is a file: must be a folder of MIDI files"):
        scan(tmp_path / "a.mid", tmp_path / "out")
    with pytest.raises(InputError, match="does not exist"):
        scan(tmp_path / "none", tmp_path / "out")


@POSIX
def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.mid", "b/y.mid")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b" / "self").symlink_to("self")
    (tmp_path / "b" / "other.mid").symlink_to(tmp_path / "a" / "x.mid")
    (tmp_path / "c").symlink_to(tmp_path / "b")  # the same folder twice: it counts once
    assert paths(tmp_path) == [b"a/x.mid", b"b/other.mid", b"b/y.mid"]


@POSIX
def test_a_link_to_nothing_and_a_pipe_are_listed(tmp_path: Path) -> None:
    (tmp_path / "gone.mid").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.mid")
    sizes = {source.path: source.size for source in scan(tmp_path, tmp_path / "out")}
    assert sizes == {b"gone.mid": 0, b"pipe.mid": -1}


@POSIX
def test_names_that_are_not_utf_8_and_two_forms_of_one_name(tmp_path: Path) -> None:
    odd = [b"caf\xe9.mid", b"line\nbreak.mid", unicodedata.normalize("NFC", "\u00e9.mid").encode()]
    odd.append(unicodedata.normalize("NFD", "\u00e9.mid").encode())
    for name in odd:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert paths(tmp_path) == sorted(odd)


def test_a_folder_with_the_name_of_a_song_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "album.mid/one.mid")
    assert paths(tmp_path) == [b"album.mid/one.mid"]
