"""Fingerprints of songs: hashes of short runs of notes, with which passages that two songs share are found.

A model folder has the fingerprints of its training songs in `reference.npz`, so that copied passages can be
found without the corpus. The file is not needed to compose. It has plain arrays (numpy, no pickle),
compressed; two to three bytes a note. It does not contain the songs, only a hash of each run:

    songs  uint8 (B,)   JSON as UTF-8: [path, title, number of parts] of each song
    notes  int32 (P,)   how many notes each part has, song after song; more than RUN_STEPS
    runs   uint32 (R,)  hashes of RUN_STEPS successive steps, from each note that has so many after it
    bars   int16 (N,)   bars since the part's note before; for its first note, since bar 1

A step is the interval in semitones and the time since the note before, in ticks (24 a beat), at most 511. The
notes of a part are in order of onset, those of a chord in order of pitch. Drums are left out, because their
patterns are common to many songs.
"""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import Corpus
from ritornello.errors import ModelError, check_between
from ritornello.music.score import Score, rescale_ticks
from ritornello.music.timeline import Timeline
from ritornello.system.files import read_bytes, write_bytes

FILE = "reference.npz"
TICKS_PER_BEAT = 24  # the grid on which onsets are compared
RUN_STEPS = 4  # steps in a hash; parts with no more notes than that are left out
MAX_WAIT_TICKS = 511  # longer times between notes count as this
MAX_NOTES = 3_000_000  # of the songs whose fingerprints a model keeps
MAX_UNPACKED_BYTES = 256 << 20
DTYPES = {"songs": np.uint8, "notes": np.int32, "runs": np.uint32, "bars": np.int16}
UNPACKING_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
Ints = npt.NDArray[np.int64]  # of shape (n,)


class PartFingerprint(NamedTuple):
    """A part of n > RUN_STEPS notes: the hashes `runs` (n - RUN_STEPS,) and the bars (n,) of its notes."""

    runs: Ints
    bars: Ints


class SongFingerprint(NamedTuple):
    """The fingerprint of a song: its path, its title (may be empty), and `lines`, one for each part."""

    path: str
    title: str
    lines: tuple[PartFingerprint, ...]

    @property
    def notes(self) -> int:
        """The number of notes."""
        return sum(len(line.bars) for line in self.lines)

    @property
    def name(self) -> str:
        """The name of the song in a report."""
        return f"{self.title} ({self.path})" if self.title else self.path

    @classmethod
    def of(cls, song: Score, path: str = "") -> SongFingerprint:
        """Compute the fingerprint of a song."""
        ticks = rescale_ticks(song.onset_ticks.astype(np.int64), song.ticks_per_beat, TICKS_PER_BEAT)
        order = np.lexsort((song.pitch, ticks, song.part))
        order = order[~song.of_drums[order]]
        pitch: Ints = song.pitch[order].astype(np.int64)
        wait = np.minimum(np.diff(ticks[order]), MAX_WAIT_TICKS)
        runs = hash_steps((np.diff(pitch) + 127) * (MAX_WAIT_TICKS + 1) + wait)
        timeline = Timeline.of(song)
        bars = timeline.bar_of(song.onset_ticks[order]) - timeline.pickup_bars
        edges = [0, *(np.flatnonzero(np.diff(song.part[order])) + 1).tolist(), len(order)]
        lines = (
            PartFingerprint(runs[a : b - RUN_STEPS], bars[a:b])
            for a, b in pairwise(edges)
            if b - a > RUN_STEPS
        )
        title = "".join(letter if letter.isprintable() else " " for letter in song.title)
        return cls(path, " ".join(title.split()), tuple(lines))


def of_training_songs(corpus: Corpus, models: Iterable[str | Path] = ()) -> list[SongFingerprint]:
    """Return the fingerprints of a corpus' train split, and those in the folders of other `models`.

    Of a corpus at most MAX_NOTES notes are kept, of evenly spaced songs. Raises ModelError.
    """
    numbers = corpus.songs("train")
    share = min(1.0, MAX_NOTES / max(1, int(corpus.note_counts[numbers].sum())))
    count = min(len(numbers), max(1, int(share * len(numbers))))
    chosen = np.linspace(0, len(numbers) - 1, count).astype(np.int64)
    of_corpus = (SongFingerprint.of(corpus.score(n), corpus.info(n).name) for n in numbers[chosen].tolist())
    of_models = [song for model in models if (Path(model) / FILE).is_file() for song in read(model)]
    # the same song may be in several of them
    distinct = {(song.path, song.notes): song for song in (*of_models, *of_corpus) if song.lines}
    return list(distinct.values())


def write(model: Path, fingerprints: Iterable[SongFingerprint]) -> None:
    """Write reference.npz into a model folder. Raises OutputError."""
    write_bytes(model / FILE, to_bytes(fingerprints))


def read(model: str | Path) -> list[SongFingerprint]:
    """Read the fingerprints of a model folder. Raises ModelError if there are none or they are damaged."""
    file = Path(model) / FILE
    if not file.exists():
        raise ModelError(f"{str(model)!r} has no {FILE}, the fingerprints of its training songs")
    check_between(f"bytes of {str(file)!r}", file.stat().st_size, 0, MAX_UNPACKED_BYTES, ModelError)
    return from_bytes(read_bytes(file, ModelError), str(file))


def hash_steps(steps: Ints) -> Ints:
    """Return 32-bit hashes (n - RUN_STEPS + 1,) of RUN_STEPS successive steps each, of steps (n,).

    Each step is mixed with those before by the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    """
    mixed = np.zeros(max(0, len(steps) - RUN_STEPS + 1), np.uint64)
    for place in range(RUN_STEPS):
        mixed ^= steps[place : place + len(mixed)].astype(np.uint64)
        mixed += np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    top: Ints = (mixed >> np.uint64(32)).astype(np.int64)
    return top


def to_bytes(fingerprints: Iterable[SongFingerprint]) -> bytes:
    """Return the bytes of reference.npz."""
    songs: list[tuple[str, str, int]] = []
    lines: list[PartFingerprint] = []
    for song in fingerprints:
        songs.append((song.path, song.title, len(song.lines)))
        lines += song.lines
    names = json.dumps(songs, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    empty = np.zeros(0, np.int64)
    runs = np.concatenate([empty, *(line.runs for line in lines)])
    bars = np.concatenate([empty, *(np.diff(line.bars, prepend=0) for line in lines)])
    out = io.BytesIO()
    np.savez_compressed(
        out,
        songs=np.frombuffer(names, np.uint8),
        notes=np.array([len(line.bars) for line in lines], np.int32),
        runs=runs.astype(np.uint32),
        bars=bars.astype(np.int16),
    )
    return out.getvalue()


def from_bytes(data: bytes, where: str) -> list[SongFingerprint]:
    """Read the fingerprints in the bytes of reference.npz. Raises ModelError that names the file `where`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MAX_UNPACKED_BYTES:
                raise ModelError(f"{where!r} has {size} bytes unpacked: must be at most {MAX_UNPACKED_BYTES}")
            arrays = {name: _array(archive, name, np.dtype(dtype)) for name, dtype in DTYPES.items()}
        return list(_read(**arrays))
    except (ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, *UNPACKING_ERRORS) as error:
        raise ModelError(f"{where!r} is damaged: {error}") from error


def _array(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Read an array (N,) of the archive.

    Raises ValueError, before the array is read, if its header does not fit its size, or has another type.
    """
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read_header:
            raise ValueError(f"{name}.npy has version {version}: must be (1, 0) or (2, 0)")
        shape, _, actual_type = read_header[version](file)
        count, remainder = divmod(member.file_size - file.tell(), dtype.itemsize)
        if actual_type != dtype or shape != (count,) or remainder:
            raise ValueError(
                f"{name}.npy has shape {shape} and type {actual_type}: must be {(count,)} and {dtype} by its "
                "size"
            )
        array = np.frombuffer(file.read(), dtype)
    if len(array) != count:
        raise ValueError(f"{name}.npy ends after {len(array)} of {count} numbers")
    return array


def _read(songs: Any, notes: Any, runs: Any, bars: Any) -> Iterator[SongFingerprint]:
    """Yield the fingerprints in the arrays of the file. Raises ValueError if they contradict each other."""
    names = json.loads(songs.tobytes())
    if any(count < 0 for _, _, count in names):
        raise ValueError("a song has fewer than 0 parts")
    if sum(count for _, _, count in names) != len(notes) or (len(notes) and int(notes.min()) <= RUN_STEPS):
        raise ValueError(f"{len(notes)} parts do not belong to {len(names)} songs")
    total = int(notes.sum())
    if len(bars) != total or len(runs) != total - RUN_STEPS * len(notes):
        raise ValueError(f"{total} notes, but {len(runs)} runs and {len(bars)} bars")
    ends = np.cumsum(notes, dtype=np.int64).tolist()
    lines = iter(enumerate(zip([0, *ends[:-1]], ends, strict=True)))
    runs = runs.astype(np.int64)
    for path, title, count in names:
        of_song = [next(lines) for _ in range(count)]
        yield SongFingerprint(
            str(path),
            str(title),
            tuple(
                PartFingerprint(
                    runs[a - RUN_STEPS * n : b - RUN_STEPS * (n + 1)], np.cumsum(bars[a:b], dtype=np.int64)
                )
                for n, (a, b) in of_song
            ),
        )
