"""What a model remembers of songs: by hand, there and back, and damaged."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import ModelError
from ritornello.models import fingerprints
from ritornello.models.fingerprints import RUN_STEPS, PartFingerprint, SongFingerprint, from_bytes, to_bytes
from ritornello.music.score import Part, Score
from tests.folders import wandering
from tests.scores import scores


def same(one: SongFingerprint, other: SongFingerprint) -> bool:
    lines = zip(one.lines, other.lines, strict=True)
    return one[:2] == other[:2] and all(
        np.array_equal(a, b) for pair in lines for a, b in zip(*pair, strict=True)
    )


def splitmix(value: int) -> int:
    """The finalizer of SplitMix64 in whole numbers."""
    most = (1 << 64) - 1
    value = (value + 0x9E3779B97F4A7C15) & most
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & most
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & most
    return value ^ (value >> 31)


def test_runs_by_hand() -> None:
    """A chord from the lowest up, then down after a bar, and up twice by a beat; drums have no line."""
    song = Score.of(
        96, [0, 0, 384, 480, 576, 672, 0, 96, 192, 288, 384], [96] * 11,
        [67, 60, 62, 64, 65, 67, *[36] * 5], [80] * 11, [0] * 6 + [1] * 5,
        [Part("a"), Part("drums", 0, True)], title="A\x1b\n song",
    )  # fmt: skip
    melody = SongFingerprint.of(song, "a.mid")
    assert (melody.path, melody.title, melody.name, melody.notes) == ("a.mid", "A song", "A song (a.mid)", 6)
    (line,) = melody.lines
    steps = [(7, 0), (-5, 96), (2, 24), (1, 24), (2, 24)]  # at 24 ticks a beat
    hashes = []
    for first in range(2):
        found = 0
        for interval, wait in steps[first : first + 4]:
            found = splitmix(found ^ ((interval + 127) * 512 + wait))
        hashes.append(found >> 32)
    assert line.runs.tolist() == hashes
    assert line.bars.tolist() == [0, 0, 1, 1, 1, 1]


def test_a_file_holds_no_step() -> None:
    """Two parts of the same steps but for one have no run in common near it: steps cannot be read off."""
    one, other = (SongFingerprint.of(tune).lines[0] for tune in (rising(12), rising(12, 6)))
    assert np.flatnonzero(one.runs != other.runs).tolist() == [2, 3, 4, 5, 6]


def rising(count: int, higher: int | None = None) -> Score:
    """A scale of whole tones of which one may be a semitone higher."""
    pitches = [40 + 2 * n + (n == higher) for n in range(count)]
    return Score.of(4, [4 * n for n in range(count)], [4] * count, pitches, [80] * count)


@given(st.lists(scores(), max_size=3))
def test_there_and_back(songs: list[Score]) -> None:
    before = [SongFingerprint.of(song, f"songs/{number} \u00e9.mid") for number, song in enumerate(songs)]
    after = from_bytes(to_bytes(before), "x")
    assert len(before) == len(after)
    assert all(map(same, before, after))


def test_a_long_wait_counts_as_the_longest() -> None:
    far, further = (
        Score.of(24, [0, wait, wait + 1, wait + 2, wait + 3], [1] * 5, [60] * 5, [80] * 5)
        for wait in (511, 2000)
    )
    assert (
        SongFingerprint.of(far).lines[0].runs.tolist() == SongFingerprint.of(further).lines[0].runs.tolist()
    )


def test_it_is_small() -> None:
    found = to_bytes([SongFingerprint.of(wandering(seed, 400), "") for seed in range(50)])
    assert len(found) < 50 * 400 * 5


def test_the_file_of_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no reference\.npz, the fingerprints of its training songs"):
        fingerprints.read(tmp_path)
    kept = SongFingerprint.of(replace(wandering(1), title="One"), "1.mid")
    fingerprints.write(tmp_path, [kept])
    (found,) = fingerprints.read(tmp_path)
    assert same(found, kept)


def damaged() -> dict[str, bytes]:
    good = to_bytes([SongFingerprint.of(wandering(1), "1.mid")])
    short = SongFingerprint(
        "1.mid", "", (PartFingerprint(np.zeros(0, np.int64), np.zeros(RUN_STEPS, np.int64)),)
    )
    return {
        "nothing": b"",
        "no archive": b"PK" + bytes(99),
        "cut": good[: len(good) // 2],
        "too few notes": to_bytes([short]),
    }


@pytest.mark.parametrize("case", damaged())
def test_a_damaged_file_is_one_clear_line(case: str) -> None:
    with pytest.raises(ModelError, match=r"'m/reference\.npz' is damaged: "):
        from_bytes(damaged()[case], "m/reference.npz")


def test_a_file_that_would_swell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(ModelError, match="bytes unpacked: must be at most 100"):
        from_bytes(to_bytes([SongFingerprint.of(wandering(1), "1.mid")]), "x")


def test_an_array_whose_header_claims_more_than_its_file_has() -> None:
    out = io.BytesIO()
    header = {"descr": "<u4", "fortran_order": False, "shape": (2**40,)}
    with zipfile.ZipFile(out, "w") as archive:
        for name, dtype in fingerprints.DTYPES.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array_header_1_0(file, header | {"descr": np.dtype(dtype).str})
                file.write(bytes(8))
    with pytest.raises(
        ModelError, match=r"songs.npy has shape \(1099511627776,\) and type uint8: must be \(8,\)"
    ):
        from_bytes(out.getvalue(), "x")


def test_a_song_with_a_negative_number_of_parts() -> None:
    good = np.load(io.BytesIO(to_bytes([SongFingerprint.of(wandering(1), "1.mid")])))
    arrays = {name: good[name] for name in fingerprints.DTYPES}
    arrays["songs"] = np.frombuffer(b'[["a","",-1],["b","",2]]', np.uint8)
    out = io.BytesIO()
    np.savez(out, **arrays)
    with pytest.raises(ModelError, match="fewer than 0 parts"):
        from_bytes(out.getvalue(), "x")
