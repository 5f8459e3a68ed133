"""A corpus on disk gives back every note; a damaged one raises an error that says what is wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ritornello import midi
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import CorpusError
from ritornello.music.score import Score
from tests.scores import tune


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Score]]:
    """A corpus of twelve different songs, and their Scores."""
    base = tmp_path_factory.mktemp("made")
    songs = [varied(number) for number in range(12)]
    for number, song in enumerate(songs):
        midi.write(song, base / "in" / "folk" / f"{number:02d}.mid")
    prepare(base / "in", base / "corpus", workers=1)
    return base / "corpus", songs


def varied(number: int) -> Score:
    """A song of 40 random notes, seeded by `number`."""
    draw = np.random.default_rng(number)
    onset = np.arange(40) * 120 * (1 + number % 3)
    return Score.of(480, onset, np.full(40, 110), draw.integers(40, 90, 40), draw.integers(1, 128, 40),
                    parts=tune().parts[:1], tempi=tune().tempi, meters=tune().meters, keys=tune().keys,
                    chords=tune().chords, markers=tune().markers, title=f"Song {number}")  # fmt: skip


def test_scores_come_back_as_they_were_read(made: tuple[Path, list[Score]]) -> None:
    corpus = Corpus.open(made[0])
    assert len(corpus) == 12
    for song, score in enumerate(made[1]):
        assert corpus.info(song).name == f"folk/{song:02d}.mid"
        assert corpus.score(song) == score
        assert corpus.note_counts[song] == len(score)


def test_songs_are_split_and_labelled(made: tuple[Path, list[Score]]) -> None:
    corpus = Corpus.open(made[0])
    assert corpus.labels == ("folk",)
    splits = [corpus.songs(split).tolist() for split in ("train", "valid", "test")]
    assert sorted(splits[0] + splits[1] + splits[2]) == corpus.songs().tolist() == list(range(12))
    for name, songs in zip(("train", "valid", "test"), splits, strict=True):
        assert all(
            corpus.info(song).split == name and corpus.info(song).labels == ("folk",) for song in songs
        )


def test_the_split_comes_from_the_hash(made: tuple[Path, list[Score]]) -> None:
    corpus = Corpus.open(made[0])
    for song in range(12):
        info = corpus.info(song)
        remainder = int(info.hash[:16], 16) % 10
        assert info.split == ("valid" if remainder == 8 else "test" if remainder == 9 else "train")


@pytest.fixture
def copy(made: tuple[Path, list[Score]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "corpus"))


def test_a_number_out_of_range(made: tuple[Path, list[Score]]) -> None:
    with pytest.raises(CorpusError, match="song 12: must be 0-11"):
        Corpus.open(made[0]).info(12)
    with pytest.raises(CorpusError, match="split 'dev': must be one of train, valid, test"):
        Corpus.open(made[0]).songs("dev")


def test_a_folder_that_is_not_a_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        Corpus.open(tmp_path / "nothing")
    with pytest.raises(CorpusError, match=r"has no manifest\.json"):
        Corpus.open(tmp_path)
    (tmp_path / "manifest.json").write_text("[" * 5000)
    with pytest.raises(CorpusError, match=r"manifest\.json cannot be read"):
        Corpus.open(tmp_path)
    with pytest.raises(CorpusError, match="is a file"):
        Corpus.open(tmp_path / "manifest.json")


def test_a_newer_version(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_bytes())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"version": 99}))
    with pytest.raises(CorpusError, match="version 99: must be at most 1"):
        Corpus.open(copy)


@pytest.mark.parametrize("name", ["pitch.npy", "songs.parquet", "onset_ticks.npy"])
def test_a_shard_that_is_cut_off_is_named_when_opened(copy: Path, name: str) -> None:
    file = copy / "shards" / "00000" / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorpusError, match=f"shard 00000.*damaged: {name} has .* bytes: must have"):
        Corpus.open(copy)
    file.unlink()
    with pytest.raises(CorpusError, match=f"shard 00000.*damaged: {name} is missing"):
        Corpus.open(copy)


@pytest.mark.parametrize("name", ["pitch.npy", "songs.parquet", "duration_ticks.npy"])
def test_a_flipped_bit_is_noticed_before_first_use(copy: Path, name: str) -> None:
    file = copy / "shards" / "00000" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    corpus = Corpus.open(copy)
    with pytest.raises(CorpusError, match=f"shard 00000.*{name} has changed"):
        corpus.score(0)


def test_an_index_that_is_cut_off_is_named_when_opened(copy: Path) -> None:
    (file,) = copy.glob("index-*.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorpusError, match=rf"index in .* is damaged: {file.name} has .* bytes: must have"):
        Corpus.open(copy)


def test_a_flipped_bit_in_the_index(copy: Path) -> None:
    (file,) = copy.glob("index-*.parquet")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(CorpusError, match=r"index.*has changed"):
        Corpus.open(copy).info(0)
