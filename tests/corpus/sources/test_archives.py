"""Songs of archives are read in order; unsafe members are refused and archive bombs stopped."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ritornello.corpus.sources import archives
from ritornello.corpus.sources.archives import ArchiveError, ArchiveMember, members
from ritornello.corpus.sources.scan import ARCHIVE_ENDINGS

MAX = 1000
PACK: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tar.bz2": bz2.compress,
    ".tar.xz": lzma.compress,
}


def tar_of(*names: str, kind: int = tarfile.PAX_FORMAT, data: bytes = b"song") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zip_of(*names: str, data: bytes = b"song", packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name in names:
            archive.writestr(name, data)
    return buffer.getvalue()


def read(folder: Path, data: bytes, ending: str, most: int = MAX) -> list[ArchiveMember]:
    path = folder / f"a{ending}"
    path.write_bytes(data)
    return list(members(os.fsencode(path), most))


@pytest.mark.parametrize("ending", [*PACK, ".zip"])
def test_songs_in_their_order_and_nothing_else(tmp_path: Path, ending: str) -> None:
    names = ("b/x.mid", "a.KAR", "read.me", "c.rmi")
    data = zip_of(*names) if ending == ".zip" else PACK[ending](tar_of(*names))
    assert read(tmp_path, data, ending) == [
        ArchiveMember(n.encode(), b"song") for n in ("b/x.mid", "a.KAR", "c.rmi")
    ]
    assert ending.encode() in ARCHIVE_ENDINGS


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_and_odd_names(tmp_path: Path, kind: int) -> None:
    names = ["d" * 80 + "/" + "e" * 80 + ".mid"]
    if kind != tarfile.USTAR_FORMAT:
        names += ["f" * 300 + ".mid", "caf\udce9.mid", "\u97f3.mid"]
    expected = [name.encode("utf-8", "surrogateescape") for name in names]
    assert [m.name for m in read(tmp_path, tar_of(*names, kind=kind), ".tar")] == expected


def test_names_in_a_zip_keep_their_bytes(tmp_path: Path) -> None:
    # without the flag for UTF-8 a name is bytes of code page 437: E9 stays E9
    data = zip_of("cafX.mid").replace(b"cafX.mid", b"caf\xe9.mid")
    assert read(tmp_path, data, ".zip") == [ArchiveMember(b"caf\xe9.mid", b"song")]
    assert read(tmp_path, zip_of("\u97f3.mid"), ".zip") == [ArchiveMember("\u97f3.mid".encode(), b"song")]


@pytest.mark.parametrize("name", ["../x.mid", "/x.mid", "a/../../x.mid", "C:\\x.mid", "..\\x.mid", "\\x.mid"])
@pytest.mark.parametrize("ending", [".tar", ".zip"])
def test_names_that_lead_out(tmp_path: Path, name: str, ending: str) -> None:
    data = tar_of(name, "ok.mid") if ending == ".tar" else zip_of(name, "ok.mid")
    assert [(m.outcome, m.data) for m in read(tmp_path, data, ending)] == [
        ("unsafe name", b""),
        ("", b"song"),
    ]


@pytest.mark.parametrize("ending", [".tar", ".zip"])
def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path, ending: str) -> None:
    data = tar_of("in.tar.gz", "in.zip") if ending == ".tar" else zip_of("in.tar.gz", "in.zip")
    assert [m.outcome for m in read(tmp_path, data, ending)] == ["nested archive"] * 2


def test_links_and_devices(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("x.mid")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert [m.outcome for m in read(tmp_path, buffer.getvalue(), ".tar")] == ["not a file"] * 4
    link = zipfile.ZipInfo("x.mid")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(link, "/etc/passwd")
    assert [m.outcome for m in read(tmp_path, buffer.getvalue(), ".zip")] == ["not a file"]


def test_refused_members_of_a_zip(tmp_path: Path) -> None:
    locked = bytearray(zip_of("x.mid"))
    locked[6] |= 1  # the flag of a password, in the member's head and in the list
    locked[locked.index(b"PK\1\2") + 8] |= 1
    assert [m.outcome for m in read(tmp_path, bytes(locked), ".zip")] == ["encrypted"]
    for packing in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert [m.outcome for m in read(tmp_path, zip_of("x.mid", packing=packing), ".zip")] == [
            "unknown packing"
        ]
    wrong = bytearray(zip_of("x.mid", data=b"song" * 9, packing=zipfile.ZIP_STORED))
    wrong[wrong.index(b"songsong")] ^= 1
    assert [m.outcome for m in read(tmp_path, bytes(wrong), ".zip")] == ["unreadable"]


@pytest.mark.parametrize("ending", [*PACK, ".zip"])
def test_a_member_is_read_one_byte_beyond_the_limit(tmp_path: Path, ending: str) -> None:
    for length in (MAX, MAX + 1, MAX + 5000):
        data = bytes(length)
        packed = zip_of("x.mid", data=data) if ending == ".zip" else PACK[ending](tar_of("x.mid", data=data))
        assert [len(m.data) for m in read(tmp_path, packed, ending)] == [min(length, MAX + 1)]


@pytest.mark.parametrize("ending", PACK)
def test_an_archive_that_is_cut_off_gives_the_songs_before(tmp_path: Path, ending: str) -> None:
    noise = os.urandom(700)
    whole = tar_of("a.mid", "b.mid", "c.mid", data=noise)[: 3 * 1536]
    path = tmp_path / f"a{ending}"
    path.write_bytes(PACK[ending](whole[: 2 * 1536 + 700]))
    names = []
    with pytest.raises(ArchiveError) as error:
        for member in members(os.fsencode(path), MAX):
            names.append(member.name)
    assert (names, error.value.outcome) == ([b"a.mid", b"b.mid"], "damaged archive")


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_packed_data_cut_off_or_changed(tmp_path: Path, ending: str) -> None:
    data = PACK[ending](tar_of("a.mid", data=os.urandom(5000)))
    for broken in (data[: len(data) // 2], data[:200] + bytes(9) + data[209:]):
        with pytest.raises(ArchiveError) as error:
            read(tmp_path, broken, ending)
        assert error.value.outcome == "damaged archive"


def test_damage_in_the_middle_is_not_taken_for_the_end(tmp_path: Path) -> None:
    data = bytearray(tar_of("a.mid", "b.mid", "c.mid", kind=tarfile.USTAR_FORMAT))
    data[1024 + 5] ^= 1  # in the second header's name: its sum is wrong now
    with pytest.raises(ArchiveError, match="byte 1024: no header where one is due"):
        read(tmp_path, bytes(data), ".tar")


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_several_packed_streams_in_one_file(tmp_path: Path, ending: str) -> None:
    data = tar_of("a.mid", "b.mid")
    halves = PACK[ending](data[:700]) + PACK[ending](data[700:])
    assert [m.name for m in read(tmp_path, halves, ending)] == [b"a.mid", b"b.mid"]


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.xz", ".zip"])
def test_a_bomb_by_its_ratio(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_BYTES", 1 << 20)
    zeros = bytes(2 << 20)
    data = zip_of("a.mid", data=zeros) if ending == ".zip" else PACK[ending](tar_of("a.mid", data=zeros))
    assert len(data) * 200 < len(zeros)
    with pytest.raises(ArchiveError, match="over 200 bytes unpacked from each byte") as error:
        read(tmp_path, data, ending, most=16 << 20)
    assert error.value.outcome == "archive bomb"


def test_a_bomb_by_its_size_at_the_limit_and_beyond(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tar_of("a.mid", "b.mid", data=os.urandom(4096))
    monkeypatch.setattr(archives, "MAX_BYTES", len(data))
    assert len(read(tmp_path, data, ".tar", most=8192)) == 2
    monkeypatch.setattr(archives, "MAX_BYTES", 9000)
    with pytest.raises(ArchiveError, match="over 9000 bytes unpacked"):
        read(tmp_path, data, ".tar", most=8192)


def test_xz_that_asks_for_much_memory(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 << 20}]
    small = bytearray(lzma.compress(tar_of("a.mid"), filters=filters))  # type: ignore[arg-type]
    with pytest.raises(ArchiveError, match=r"[Mm]emory usage limit"):
        read(tmp_path, bytes(small), ".tar.xz")


def test_headers_that_claim_gigabytes_take_no_memory(tmp_path: Path) -> None:
    header = bytearray(tar_of("x.mid", kind=tarfile.GNU_FORMAT)[:512])
    header[156:157] = b"L"
    header[124:136] = b"77777777777\0"
    header[148:156] = b"%06o\0 " % sum(header[:148] + b" " * 8 + header[156:])
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="a header of 8589934591 bytes"):
        read(tmp_path, bytes(header) + bytes(4096), ".tar")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_zip_whose_list_claims_to_be_endless(tmp_path: Path) -> None:
    data = bytearray(zip_of("x.mid"))
    at = data.index(b"PK\5\6")
    data[at + 12 : at + 16] = (1 << 31).to_bytes(4, "little")
    with pytest.raises(ArchiveError, match="over 1000000 members"):
        read(tmp_path, bytes(data), ".zip")
    with pytest.raises(ArchiveError, match="the list of its members is missing"):
        read(tmp_path, b"PK\3\4 no more", ".zip")


def test_no_such_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as error:
        list(members(os.fsencode(tmp_path / "none.zip"), MAX))
    assert error.value.outcome == "cannot open"


def test_noise_and_changed_bytes_are_survived(tmp_path: Path) -> None:
    import random

    draw = random.Random(1)
    kinds = [(ending, PACK[ending](tar_of("a.mid", "b/c.mid"))) for ending in PACK]
    for ending, data in [*kinds, (".zip", zip_of("a.mid", "b/c.mid"))]:
        for _ in range(60):
            broken = bytearray(data)
            for _ in range(draw.randint(1, 4)):
                broken[draw.randrange(len(broken))] = draw.randrange(256)
            path = tmp_path / f"n{ending}"
            path.write_bytes(broken[: draw.randint(1, len(broken))])
            try:
                list(members(os.fsencode(path), MAX))
            except ArchiveError as error:
                assert str(error)
