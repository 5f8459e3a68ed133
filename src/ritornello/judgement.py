"""Judgement: judging for people: reads the songs, compares them, writes the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.errors import InputError, MidiError
from ritornello.files import check_writable, write_bytes
from ritornello.judged import CHECKS, Files, Side, songs
from ritornello.judging import Song
from ritornello.judging.comparison import FEWEST, Group, compare
from ritornello.judging.portrait import portrait
from ritornello.preparing.checking.check import check
from ritornello.score import Score
from ritornello.workflow import require

Progress = Callable[[int, int, str], None]  # done, total, what
MOST = 200  # songs of a side
MINUTES = (0.1, 100_000.0)


def judge(
    composed: str | Path,
    human: str | Path | None = None,
    *,
    corpus: str | Path | None = None,
    html: str | Path | None = None,
    most: int = MOST,
    max_minutes: float = 60.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Judge a folder (or corpus) of songs against human ones; or one song, a .mid file, by itself.

    A folder gets the report of `judging.comparison`, a file that of `judging.portrait`; human songs then
    say how usual its figures are. `corpus` is what a model learnt from, a corpus or a folder: its songs are
    looked for in the composed ones. `html` is a page to write (of a folder). At most `most` songs of each
    side are used, drawn by `seed`; longer ones than `max_minutes` are not. Raises InputError, OutputError.
    """
    if not 2 <= most <= 100_000:
        raise InputError(f"at most {most} songs, must be 2-100000")
    if not MINUTES[0] <= max_minutes <= MINUTES[1]:
        raise InputError(f"max-minutes {max_minutes}, must be {MINUTES[0]:g}-{MINUTES[1]:g}")
    if not 0 <= seed < 1 << 63:
        raise InputError(f"seed {seed}, must be 0-{(1 << 63) - 1}")
    limits: dict[str, Any] = {"most": most, "max_s": 60 * max_minutes, "seed": seed}
    if Path(composed).is_file():
        if html or corpus:
            raise InputError(f"{str(composed)!r} is one song: a page and originality need a folder of songs")
        others = _group(human, **limits, progress=progress) if human else None
        return _one(Path(composed), 60 * max_minutes, [song.score for song in others.songs] if others else [])
    if human is None:
        raise InputError(f"{str(composed)!r} is a folder: --human FOLDER must say what to compare it with")
    require("judge", "sklearn", "scipy")
    if html:
        check_writable(Path(html))
    ours = _group(composed, **limits, progress=progress)
    theirs = _group(human, **limits, progress=progress)
    learnt = _Learnt(corpus) if corpus else None
    found = compare(ours, theirs, learnt, seed=seed, progress=progress)
    if html:
        from ritornello.judging.page import page

        write_bytes(Path(html), page(found).encode())
    return found


class _Learnt:
    """The songs that a model learnt from, of a corpus its training side; read anew each time."""

    def __init__(self, path: str | Path) -> None:
        self.where = str(path)
        self.songs = songs(path, "train" if (Path(path) / "manifest.json").is_file() else None)

    @property
    def hash(self) -> str:
        """Of the corpus, or of the files once they are read."""
        return self.songs.hash

    def __iter__(self) -> Iterator[Score]:
        for song in self.songs:
            yield song.score


def _one(path: Path, max_s: float, human: list[Score]) -> dict[str, Any]:
    """The portrait of the song in a file. Raises MidiError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MidiError(f"cannot read {str(path)!r}: {error.strerror}") from error
    found = check(data, CHECKS)
    if found.score is None:
        raise MidiError(f"{path.name!r}: {found.fate}: {found.reason}")
    if reason := _too_long(found.score, max_s):
        raise MidiError(f"{path.name!r} {reason}")
    return {"file": str(path), **portrait(found.score, human)}


def _too_long(score: Score, max_s: float) -> str:
    """Why a song is not judged, or nothing."""
    if score.duration_s <= max_s:
        return ""
    return f"lasts {score.duration_s / 60:.0f} minutes, at most {max_s / 60:g} (--max-minutes)"


def _group(path: str | Path, *, most: int, max_s: float, seed: int, progress: Progress | None) -> Group:
    """At most so many songs of a corpus or folder, each as likely as any other; in a fixed order.

    Vitter's algorithm R (1985): one pass, and no more in memory than are kept. Raises InputError.
    """
    heard, draw = songs(path), np.random.default_rng(seed)
    kept: list[tuple[int, Song]] = []
    count = 0
    for count, song in enumerate(_short(heard, max_s), start=1):
        place = count - 1 if count <= most else int(draw.integers(count))
        if count <= most:
            kept.append((count, song))
        elif place < most:
            kept[place] = (count, song)
        if progress:
            progress(count, max(count, len(heard) - len(heard.skipped)), f"reading {Path(path).name}")
    if count < FEWEST:
        reasons = "; ".join(f"{name!r}: {why}" for name, why in list(heard.skipped.items())[:3])
        raise InputError(
            f"{count} songs in {str(path)!r} can be judged, must be at least {FEWEST}"
            + (f" ({reasons})" if reasons else "")
        )
    return Group(str(path), heard.hash, count, [song for _, song in sorted(kept)], heard.skipped)


def _short(heard: Side | Files, max_s: float) -> Iterator[Song]:
    """The songs that are not too long; the others are remembered as skipped."""
    for song in heard:
        if reason := _too_long(song.score, max_s):
            heard.skipped[song.name] = reason
        else:
            yield song
