"""The cache on disk: the same batches as without it, made once, whole after any interruption."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import InputError, OutputError
from ritornello.midi.writing import write
from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.score import Part, Score
from ritornello.representations.chorale import Chorale
from ritornello.representations.notes import Notes
from ritornello.training import song_cache
from ritornello.training.crops import Crops
from ritornello.training.pack import EncodedSong
from ritornello.training.song_cache import SongCache
from ritornello.training.songs import GIVEN_VARIANTS, EncodedSongs, SplitScores

FILES, NOTES = 24, 700  # more rows than a block has


def _song(draw: np.random.Generator) -> Score:
    """A song that repeats itself, in three parts."""
    onset = np.cumsum(draw.integers(0, 5, NOTES // 2)) * 120
    half = [onset, draw.integers(40, 90, NOTES // 2), draw.integers(1, 128, NOTES // 2)]
    columns = [np.concatenate([column, column]) for column in half]
    columns[0][NOTES // 2 :] += onset[-1] + 480
    part = draw.integers(0, 3, NOTES)
    parts = [Part("", 0), Part("", 40), Part("", 0, True)]
    return Score.of(480, columns[0], np.full(NOTES, 240), *columns[1:], part, parts)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("songs") / "files"
    (folder / "label").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for number in range(FILES):
        write(_song(draw), folder / "label" / f"{number:02}.mid")
    prepare(folder, folder.parent / "corpus", workers=1)
    return folder.parent / "corpus"


@pytest.fixture
def corpus(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """A copy of the corpus, of which a pack has the songs of eight rows."""
    monkeypatch.setattr(song_cache, "PACK_ROWS", 8)
    monkeypatch.setenv("RITORNELLO_CACHE", str(tmp_path / "cache"))
    return Corpus.open(shutil.copytree(prepared, tmp_path / "corpus"))


def without_cache(corpus: Corpus, representation: Any = None) -> EncodedSongs:
    scores = SplitScores(corpus, "train")
    rows = representation or Notes()
    return EncodedSongs(scores, rows, scores.labels, scores.notes, draws=scores.draws)


def open_songs(corpus: Corpus, representation: Any = None, **settings: Any) -> EncodedSongs:
    return EncodedSongs.of_split(SplitScores(corpus, "train"), representation or Notes(), **settings)


def packs(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.pack"))


def same_batches(one: EncodedSongs, other: EncodedSongs) -> None:
    a, b = (Crops(songs, PlanEncoder(("label",)), 64, 5, has_key_frame=True) for songs in (one, other))
    for step in range(12):
        for x, y in zip(a.batch(step, 8), b.batch(step, 8), strict=True):
            assert np.array_equal(x, y) and x.dtype == y.dtype  # type: ignore[union-attr, arg-type]
    for x, y in zip(a.sample(4096), b.sample(4096), strict=True):
        assert np.array_equal(x, y)  # type: ignore[arg-type]


def never(*_: object) -> Iterator[EncodedSong]:
    raise AssertionError("a song is encoded")


def test_batches_and_songs_are_the_same_with_and_without_it(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, cached = without_cache(corpus), open_songs(corpus)
    for song in range(len(plain)):
        for variant in range(GIVEN_VARIANTS + 1):
            one, other = plain.song(song, variant), cached.song(song, variant)
            assert np.array_equal(one.values, other.values) and one.values.dtype == other.values.dtype
            assert np.array_equal(one.learn, other.learn)
            assert (one.plan, one.range) == (other.plan, other.range)
            assert len(one.values) > 2 * 256  # several blocks
    same_batches(cached, plain)
    assert not cached._kept
    monkeypatch.setattr(EncodedSongs, "_encodings", never)  # made once
    same_batches(open_songs(corpus), plain)
    assert cached.plan(1).genres == (("label", 1.0),)


def test_a_note_takes_at_most_40_bytes(corpus: Corpus) -> None:
    songs = open_songs(corpus)
    assert sum(path.stat().st_size for path in packs(corpus.path)) <= 40 * int(songs.notes.sum())


def test_entries_of_the_same_song_share_their_encodings(corpus: Corpus) -> None:
    scores = SplitScores(corpus, "train")
    places, draws = (np.tile(each, (50, *[1] * (each.ndim - 1))) for each in (scores.places, scores.draws))
    cache = SongCache(corpus, "train", places, draws.reshape(-1), Notes(), GIVEN_VARIANTS + 1)
    cache.make(lambda song: list(without_cache(corpus)._encodings(song % len(scores), range(4))), 1)
    before = [path.stat().st_mtime_ns for path in packs(corpus.path)]
    songs = open_songs(corpus)
    assert [path.stat().st_mtime_ns for path in packs(corpus.path)] == before
    last = len(places) - 1
    assert songs.cache is not None and cache.head(last, 2) == songs.cache.head(last % len(scores), 2)
    assert cache.plan(last) is not None and cache.plan(last) == songs.cache.plan(last % len(scores))


def test_other_code_makes_it_anew(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    open_songs(corpus)
    count = len(packs(corpus.path))
    monkeypatch.setattr(song_cache, "version_name", lambda _: "notes-other")
    same_batches(open_songs(corpus), without_cache(corpus))
    assert len(packs(corpus.path)) == 2 * count


def test_of_older_versions_the_newest_is_kept(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for number in range(4):
        monkeypatch.setattr(song_cache, "version_name", lambda _, number=number: f"notes-{number}")
        open_songs(corpus)
        made.append(sorted(path.name for path in (corpus.path / "encoded").iterdir()))
        os.utime(corpus.path / "encoded" / f"notes-{number}", (number, number))
    assert made == [["notes-0"], ["notes-0", "notes-1"], ["notes-1", "notes-2"], ["notes-2", "notes-3"]]


@pytest.mark.parametrize("damage", ["cut", "frame", "tables", "gone", "other songs"])
def test_a_damaged_pack_does_no_harm(corpus: Corpus, damage: str) -> None:
    songs = open_songs(corpus)
    path = packs(corpus.path)[0]
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "gone":
        path.unlink()
    elif damage == "other songs":
        shutil.copy(packs(corpus.path)[1], path)
    else:
        place = 3 if damage == "frame" else len(data) - 300
        data[place : place + 200] = bytes(200)
        path.write_bytes(data)
    assert songs.cache is not None
    songs.cache._open.clear()
    same_batches(songs, without_cache(corpus))
    if damage != "frame":  # it is noticed at the start
        open_songs(corpus)
        assert path.stat().st_size == len(data)


def test_ctrl_c_keeps_the_packs_that_are_finished(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[int, int]] = []

    def stop(count: int, total: int, description: str) -> None:
        done.append((count, total))
        if count == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_songs(corpus, progress=stop)
    assert done[0][0] == 1 and done[-1][0] < done[-1][1]
    finished = len(packs(corpus.path))
    assert finished >= 1 and not list(corpus.path.rglob("*.tmp"))
    again: list[int] = []
    same_batches(open_songs(corpus, progress=lambda *given: again.append(given[1])), without_cache(corpus))
    assert 0 < again[0] < done[0][1]  # only the songs of the other packs
    assert len(packs(corpus.path)) > finished


class RefusesOne(Notes):
    """Like notes, but it cannot encode the songs whose first pitch is that of song 3."""

    pitch = 0

    def encode_canonical(self, song: Score, *more: Any, **given: Any) -> Any:
        if song.pitch[0] == type(self).pitch:
            raise IndexError("a bad song")
        return super().encode_canonical(song, *more, **given)

    def encode(self, score: Score, *more: Any, **given: Any) -> Any:
        return self.encode_canonical(score, *more, **given)


def test_one_bad_song_is_left_out(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = SplitScores(corpus, "train")
    monkeypatch.setattr(RefusesOne, "pitch", Notes().canonical(scores[3])[0].pitch[0])
    texts: list[str] = []
    songs = open_songs(corpus, RefusesOne(), progress=lambda *given: texts.append(given[2]))
    assert "encoding songs, once  left out: song 3, IndexError: a bad song" in texts[-1]
    assert songs.usable(3) == 4 and songs.usable(2) == 2
    same_batches(songs, without_cache(corpus, RefusesOne()))
    monkeypatch.setattr(EncodedSongs, "_encodings", never)
    assert songs.drop_unreadable() >= 1


def test_songs_of_which_none_can_be_encoded_are_an_error(corpus: Corpus) -> None:
    songs = open_songs(corpus, Chorale())
    with pytest.raises(InputError, match=r"no song can be encoded: song \d+, ScoreError: "):
        songs.usable(0)
    assert songs.drop_unreadable() == len(SplitScores(corpus, "train"))
    assert len(songs) == 0


def test_where_the_corpus_cannot_be_written_the_packs_are_in_the_users_cache(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pack = song_cache.write_pack

    def refuse(path: Path, *more: Any) -> None:
        if corpus.path in path.parents:
            raise OutputError(f"cannot write {str(path)!r}: Read-only file system")
        write_pack(path, *more)

    monkeypatch.setattr(song_cache, "write_pack", refuse)
    same_batches(open_songs(corpus), without_cache(corpus))
    assert not packs(corpus.path) and packs(tmp_path / "cache")
    monkeypatch.setattr(EncodedSongs, "_encodings", never)
    open_songs(corpus)


def test_without_any_place_songs_are_encoded_when_needed(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: Any) -> None:
        raise OutputError(f"cannot write {path.name!r}: No space left on device")

    monkeypatch.setattr(song_cache, "write_pack", refuse)
    texts: list[str] = []
    same_batches(open_songs(corpus, progress=lambda *given: texts.append(given[2])), without_cache(corpus))
    assert texts[-1].startswith("songs are encoded when they are needed, as this failed: cannot write")


def test_code_without_a_file_has_no_cache(corpus: Corpus) -> None:
    namespace: dict[str, Any] = {"Notes": Notes, "__name__": "nowhere"}
    exec("class Mine(Notes): pass", namespace)
    songs = open_songs(corpus, namespace["Mine"]())
    assert songs.cache is None and not packs(corpus.path)
    same_batches(songs, without_cache(corpus))


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="it needs to fork")
def test_two_processes_share_it(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, encodings = tmp_path / "log", EncodedSongs._encodings

    def logged(self: EncodedSongs, number: int, variants: Sequence[int]) -> Iterator[EncodedSong]:
        with log.open("a") as file:
            file.write(f"{number}\n")
        return encodings(self, number, variants)

    monkeypatch.setattr(EncodedSongs, "_encodings", logged)
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=open_songs, args=(corpus,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    numbers = log.read_text().split()
    assert len(numbers) == len(set(numbers)) == len(SplitScores(corpus, "train"))
