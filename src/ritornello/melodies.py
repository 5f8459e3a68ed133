"""Melodies: songs as steps from note to note, by which a shared passage is found again, and named.

A model folder has those of the songs that it learnt from in `reference.npz`, so that a song can be held
against them without a corpus. The model composes without it: it may be deleted, say before songs are given
away that are not one's own. The file is plain arrays (numpy, no pickle), deflated; about half a byte a note:

    songs     uint8 (B,)   JSON as UTF-8: [[path, title, parts], ...] a song
    notes     int32 (P,)   how many notes each part has, song after song; at least two
    interval  int8 (N,)    semitones from the part's note before; 0 at its first
    wait      uint16 (N,)  ticks of 24 a beat since that note's onset, at most 511; 0 at its first
    bars      int16 (N,)   bars since that note's bar; since the song's first at its first note

The notes of a part stand in order of onset, those of a chord from the lowest up. Drums are left out:
everybody plays the same patterns. On which pitch a part begins, how long notes last and how loud they are is
not there.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus import Corpus
from ritornello.errors import ModelError
from ritornello.files import write_bytes
from ritornello.score import Score, scaled
from ritornello.timeline import Timeline

FILE = "reference.npz"
TICKS_PER_BEAT = 24  # onsets are compared on this grid
LONGEST_WAIT = 511  # ticks; longer waits count as so long
MOST_NOTES = 3_000_000  # of the songs that a model keeps
MOST_UNPACKED_BYTES = 256 << 20
Ints = npt.NDArray[np.int64]


class Line(NamedTuple):
    """A part of two notes or more: `steps` (n - 1,), each one number, and the `bars` (n,) of its notes."""

    steps: Ints
    bars: Ints


class Melody(NamedTuple):
    """A song's path, its title (may be empty) and its lines."""

    path: str
    title: str
    lines: tuple[Line, ...]

    @property
    def notes(self) -> int:
        """Of all lines."""
        return sum(len(line.bars) for line in self.lines)

    @property
    def name(self) -> str:
        """What it is called in a report."""
        return f"{self.title} ({self.path})" if self.title else self.path

    @classmethod
    def of(cls, song: Score, path: str = "") -> Melody:
        """That of a song."""
        ticks = scaled(song.onset_ticks.astype(np.int64), song.ticks_per_beat, TICKS_PER_BEAT)
        order = np.lexsort((song.pitch, ticks, song.part))
        order = order[~song.of_drums[order]]
        pitch: Ints = song.pitch[order].astype(np.int64)
        steps = _step(np.asarray(np.diff(pitch)), np.asarray(np.diff(ticks[order])))
        bars = Timeline.of(song).bar_of(song.onset_ticks[order])
        edges = [0, *(np.flatnonzero(np.diff(song.part[order])) + 1).tolist(), len(order)]
        lines = (Line(steps[a : b - 1], bars[a:b]) for a, b in pairwise(edges) if b - a > 1)
        title = "".join(letter if letter.isprintable() else " " for letter in song.title)
        return cls(path, " ".join(title.split()), tuple(lines))


def learnt_from(corpus: Corpus, init: str | Path | None = None) -> list[Melody]:
    """The melodies of a corpus' train side, and those that the model `init` had learnt from before.

    Of a corpus at most MOST_NOTES notes are kept, songs at even distances.
    """
    numbers = corpus.songs("train")
    share = min(1.0, MOST_NOTES / max(1, int(corpus.note_counts[numbers].sum())))
    count = min(len(numbers), max(1, int(share * len(numbers))))
    chosen = np.linspace(0, len(numbers) - 1, count).astype(np.int64)
    found = (Melody.of(corpus.score(n), corpus.info(n).name) for n in numbers[chosen].tolist())
    before = read(init) if init and (Path(init) / FILE).is_file() else []
    known = {(melody.path, melody.notes): melody for melody in (*before, *found) if melody.lines}
    return list(known.values())


def write(model: Path, melodies: Iterable[Melody]) -> None:
    """Write reference.npz into a model folder. Raises OutputError."""
    write_bytes(model / FILE, packed(melodies))


def read(model: str | Path) -> list[Melody]:
    """The melodies of a model folder. Raises ModelError: it has none, or they are damaged."""
    file = Path(model) / FILE
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{str(model)!r} holds no {FILE}, the songs that it learnt from") from None
    except OSError as error:
        raise ModelError(f"cannot read {str(file)!r}: {error.strerror}") from error
    return unpacked(data, str(file))


def packed(melodies: Iterable[Melody]) -> bytes:
    """The bytes of reference.npz."""
    songs, notes = [], []
    columns: dict[str, list[Ints]] = {"interval": [], "wait": [], "bars": []}
    for melody in melodies:
        songs.append([melody.path, melody.title, len(melody.lines)])
        for line in melody.lines:
            interval, wait = _parted(line.steps)
            notes.append(len(line.bars))
            columns["interval"].append(np.append(0, interval))
            columns["wait"].append(np.append(0, wait))
            columns["bars"].append(np.diff(line.bars, prepend=0))
    kinds = {"interval": np.int8, "wait": np.uint16, "bars": np.int16}
    arrays: dict[str, Any] = {
        name: np.concatenate([np.zeros(0, np.int64), *columns[name]]).astype(kind)
        for name, kind in kinds.items()
    }
    said = json.dumps(songs, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    out = io.BytesIO()
    np.savez_compressed(out, songs=np.frombuffer(said, np.uint8), notes=np.array(notes, np.int32), **arrays)
    return out.getvalue()


def unpacked(data: bytes, where: str) -> list[Melody]:
    """The melodies in the bytes of reference.npz. Raises ModelError that names the file `where`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_UNPACKED_BYTES:
            raise ValueError(f"{size} bytes unpacked, at most {MOST_UNPACKED_BYTES}")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("songs", "notes", "interval", "wait", "bars")}
        return list(_read(**arrays))
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{where!r} is damaged: {error}") from error


def _read(songs: Any, notes: Any, interval: Any, wait: Any, bars: Any) -> Iterator[Melody]:
    """Raises ValueError where the arrays do not belong together."""
    said = json.loads(songs.tobytes())
    if int(notes.sum()) != len(interval) or not len(interval) == len(wait) == len(bars):
        raise ValueError(
            f"{int(notes.sum())} notes, and columns of {len(interval)}, {len(wait)}, {len(bars)}"
        )
    if sum(count for _, _, count in said) != len(notes) or (len(notes) and int(notes.min()) < 2):
        raise ValueError(f"{len(notes)} parts do not belong to {len(said)} songs")
    steps = _step(interval.astype(np.int64), wait.astype(np.int64))
    ends = np.cumsum(notes, dtype=np.int64).tolist()
    lines = iter(zip([0, *ends[:-1]], ends, strict=True))
    for path, title, count in said:
        mine = [next(lines) for _ in range(count)]
        yield Melody(
            str(path),
            str(title),
            tuple(Line(steps[a + 1 : b], np.cumsum(bars[a:b], dtype=np.int64)) for a, b in mine),
        )


def _step(interval: Ints, wait: Ints) -> Ints:
    """A step as one number."""
    return (interval + 127) * (LONGEST_WAIT + 1) + np.minimum(wait, LONGEST_WAIT)


def _parted(step: Ints) -> tuple[Ints, Ints]:
    """The interval and the wait of a step."""
    return step // (LONGEST_WAIT + 1) - 127, step % (LONGEST_WAIT + 1)
