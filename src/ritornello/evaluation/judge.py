"""Judgement: judging for people: reads the songs, compares them, finds what was copied, writes the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ritornello.composing.compose import BUNDLED
from ritornello.corpus.checks.check import check
from ritornello.errors import InputError, MidiError
from ritornello.evaluation.compare import FEWEST, SongSet, TrainingFingerprints, compare
from ritornello.evaluation.inputs import CHECKS, CorpusSongs, FolderSongs, LabelledScore, open_songs
from ritornello.evaluation.originality import closest_passages, excerpt, opening
from ritornello.evaluation.song_description import describe_song
from ritornello.models import fingerprints
from ritornello.models.fingerprints import SongFingerprint
from ritornello.music.score import Score
from ritornello.system.extras import require_extra
from ritornello.system.files import check_writable, sha256_file, write_bytes

Progress = Callable[[int, int, str], None]  # done, total, what
Where: TypeAlias = "str | Path | None"
MOST = 200  # songs of a side
MINUTES = (0.1, 100_000.0)
PAIRS = 6  # passages that the page shows beside each other


def judge(
    composed: str | Path,
    human: str | Path | None = None,
    *,
    model: str | Path | None = None,
    corpus: str | Path | None = None,
    html: str | Path | None = None,
    most: int = MOST,
    max_minutes: float = 60.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Judge a folder (or corpus) of songs against human ones; or one song, a .mid file, by itself.

    A folder gets the report of `judging.comparison`, a file that of `judging.portrait`; human songs then
    say how usual its figures are. The songs that a `model` learnt from are looked for in the composed ones;
    for one song those of the bundled model, if none is named. `corpus` is what was learnt from, a corpus or a
    folder, in the place of the model's record: then `html`, a page to write, shows what is alike. At most
    `most` songs of each side are used, drawn by `seed`; longer ones than `max_minutes` are not. Raises
    InputError, ModelError, MidiError, OutputError.
    """
    _check(most, max_minutes, seed)
    if html:
        check_writable(Path(html))
    limits: dict[str, Any] = {"most": most, "max_s": 60 * max_minutes, "seed": seed, "progress": progress}
    of = _of_a_song if Path(composed).is_file() else _of_a_folder
    found, ours, learnt = of(Path(composed), human, model, corpus, limits)
    if html:
        _write_page(Path(html), found, ours, learnt)
    return found


Found: TypeAlias = (
    "tuple[dict[str, Any], dict[str, Score], TrainingFingerprints | None]"  # the report, the songs by name
)


def _of_a_song(path: Path, human: Where, model: Where, corpus: Where, limits: dict[str, Any]) -> Found:
    """The portrait of one song, the closest passage in it."""
    learnt = _learnt(model or (BUNDLED if (BUNDLED / fingerprints.FILE).is_file() else None), corpus)
    song = _song(path, limits["max_s"])
    others = [other.score for other in _group(human, **limits).songs] if human else []
    found = {"file": str(path), **describe_song(song, others)}
    found["closest"] = _closest(song, others, learnt) if learnt else None
    return found, {"": song}, learnt


def _of_a_folder(path: Path, human: Where, model: Where, corpus: Where, limits: dict[str, Any]) -> Found:
    """The comparison of many songs."""
    if human is None:
        raise InputError(f"{str(path)!r} is a folder: --human FOLDER must say what to compare it with")
    require_extra("judge", "sklearn", "scipy")
    learnt = _learnt(model, corpus)
    ours, theirs = _group(path, **limits), _group(human, **limits)
    found = compare(ours, theirs, learnt, seed=limits["seed"], progress=limits["progress"])
    return found, {song.name: song.score for song in ours.songs}, learnt


def _check(most: int, max_minutes: float, seed: int) -> None:
    """Raises InputError for what is out of range."""
    if not 2 <= most <= 100_000:
        raise InputError(f"at most {most} songs, must be 2-100000")
    if not MINUTES[0] <= max_minutes <= MINUTES[1]:
        raise InputError(f"max-minutes {max_minutes}, must be {MINUTES[0]:g}-{MINUTES[1]:g}")
    if not 0 <= seed < 1 << 63:
        raise InputError(f"seed {seed}, must be 0-{(1 << 63) - 1}")


class _OfModel:
    """The songs that a model learnt from, as it remembers them."""

    def __init__(self, path: str | Path) -> None:
        self.where, self.melodies = str(path), fingerprints.read(path)
        self.hash = sha256_file(Path(path) / fingerprints.FILE)

    def __iter__(self) -> Iterator[SongFingerprint]:
        return iter(self.melodies)


class _OfCorpus:
    """The same, of a corpus its training side, or the files of a folder; read anew each time."""

    def __init__(self, path: str | Path) -> None:
        self.where = str(path)
        self.songs = open_songs(path, "train" if (Path(path) / "manifest.json").is_file() else None)

    @property
    def hash(self) -> str:
        """Of the corpus, or of the files once they are read."""
        return self.songs.hash

    def __iter__(self) -> Iterator[SongFingerprint]:
        return (SongFingerprint.of(song.score, song.name) for song in self.songs)

    def scores(self, numbers: set[int]) -> dict[int, Score]:
        """Some of the songs, by their place."""
        return {number: song.score for number, song in enumerate(self.songs) if number in numbers}


def _learnt(model: str | Path | None, corpus: str | Path | None) -> TrainingFingerprints | None:
    """What was learnt from, if it is known."""
    if corpus:
        return _OfCorpus(corpus)
    return _OfModel(model) if model else None


def _song(path: Path, max_s: float) -> Score:
    """The song in a file. Raises MidiError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MidiError(f"cannot read {str(path)!r}: {error.strerror}") from error
    found = check(data, CHECKS)
    if found.score is None:
        raise MidiError(f"{path.name!r}: {found.outcome}: {found.reason}")
    if reason := _too_long(found.score, max_s):
        raise MidiError(f"{path.name!r} {reason}")
    return found.score


def _closest(song: Score, human: Sequence[Score], learnt: TrainingFingerprints) -> dict[str, Any]:
    """The closest passage of one song; "human" is the median of the openings of human songs."""
    queries = [SongFingerprint.of(song), *(SongFingerprint.of(opening(other, len(song))) for other in human)]
    mine, *others = closest_passages(queries, learnt)
    runs = [passage.notes for passage in others if passage]
    return {
        "where": learnt.where,
        "passage": mine.to_dict() if mine else None,
        "human": float(np.median(runs)) if runs else None,
    }


def _write_page(
    path: Path, found: dict[str, Any], ours: Mapping[str, Score], learnt: TrainingFingerprints | None
) -> None:
    """The report as a page, with both sides of the closest passages where the songs are at hand."""
    from ritornello.evaluation import comparison_page, description_page

    if "file" in found:
        passages = [(found["closest"] or {}).get("passage")]
    else:
        passages = (found["originality"] or {}).get("passages", [])[:PAIRS]
    pairs = _pairs([passage for passage in passages if passage], ours, learnt)
    text = description_page.page(found, pairs) if "file" in found else comparison_page.page(found, pairs)
    write_bytes(path, text.encode())


def _pairs(
    passages: Sequence[dict[str, Any]], ours: Mapping[str, Score], learnt: TrainingFingerprints | None
) -> list[tuple[dict[str, Any], str, str]]:
    """Passages with the piano rolls (SVG) of both sides; none where the songs learnt from are not at hand."""
    if not isinstance(learnt, _OfCorpus):
        return []
    from ritornello.rendering import roll

    theirs = learnt.scores({passage["song"] for passage in passages})
    found = []
    for passage in passages:
        one = excerpt(ours[passage.get("of", "")], passage["bars"], passage["line"])
        other = excerpt(theirs[passage["song"]], passage["there"], passage["there_line"])
        found.append((passage, roll.svg(one), roll.svg(other)))
    return found


def _too_long(score: Score, max_s: float) -> str:
    """Why a song is not judged, or nothing."""
    if score.duration_s <= max_s:
        return ""
    return f"lasts {score.duration_s / 60:.0f} minutes, at most {max_s / 60:g} (--max-minutes)"


def _group(path: str | Path, *, most: int, max_s: float, seed: int, progress: Progress | None) -> SongSet:
    """At most so many songs of a corpus or folder, each as likely as any other; in a fixed order.

    Vitter's algorithm R (1985): one pass, and no more in memory than are kept. Raises InputError.
    """
    heard, draw = open_songs(path), np.random.default_rng(seed)
    kept: list[tuple[int, LabelledScore]] = []
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
    return SongSet(str(path), heard.hash, count, [song for _, song in sorted(kept)], heard.skipped)


def _short(heard: CorpusSongs | FolderSongs, max_s: float) -> Iterator[LabelledScore]:
    """The songs that are not too long; the others are remembered as skipped."""
    for song in heard:
        if reason := _too_long(song.score, max_s):
            heard.skipped[song.name] = reason
        else:
            yield song
