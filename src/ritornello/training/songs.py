"""Encoded songs for crops: read from the cache on disk (song_cache.py), or encoded when they are needed.

The latter are kept in memory up to a limit.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import Corpus
from ritornello.errors import InputError, ScoreError
from ritornello.models.plan_vector import infer_plan, mean_velocity
from ritornello.music.pickup import without_leading_silence
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.representations.sketch import blurred
from ritornello.system.processes import available_cores
from ritornello.system.progress import Progress
from ritornello.training.batches import step_generator
from ritornello.training.pack import EncodedSong, SongHead
from ritornello.training.song_cache import SongCache

BLUR_SEED = 101
GIVEN_VARIANTS = 3  # each song has this many encodings with different given notes


class ScoreSequence(Protocol):
    """A source of songs: a list of Scores, or a split of a corpus."""

    def __len__(self) -> int: ...
    def __getitem__(self, song: int, /) -> Score: ...


class SplitScores:
    """The kept songs of one split of a corpus ("train", "valid" or "test")."""

    def __init__(self, corpus: Corpus, split: str) -> None:
        self.corpus, self.split, self.numbers = corpus, split, corpus.songs(split)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, song: int) -> Score:
        return self.corpus.score(int(self.numbers[song]))

    @property
    def notes(self) -> npt.NDArray[np.int64]:
        """The number of notes of each song, (songs,)."""
        return self.corpus.note_counts[self.numbers]

    @property
    def labels(self) -> list[tuple[str, ...]]:
        """The labels of each song, without those that too few songs have."""
        frequent = set(self.corpus.labels)
        column = self.corpus.index["labels"].take(self.numbers).to_pylist()
        return [tuple(label for label in labels if label in frequent) for labels in column]

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """The shard of each song and its row there, (songs, 2)."""
        columns = [self.corpus.index[name].take(self.numbers).to_numpy() for name in ("shard", "row")]
        return np.stack(columns, axis=1).astype(np.int64)

    @cached_property
    def draws(self) -> npt.NDArray[np.int64]:
        """The number (songs,) by which the given notes of a song are drawn: the first song in its place."""
        _, first, of_song = np.unique(self.places, axis=0, return_index=True, return_inverse=True)
        return np.asarray(first[of_song.reshape(-1)])


class EncodedSongs:
    """Songs by number, encoded with `representation`; up to `memory_mb` of those not in `cache` are kept.

    `notes` (songs,) are their numbers of notes; None counts them. A song has GIVEN_VARIANTS encodings in
    which some notes are given; these are drawn by the number of the song, or by its number in `draws`.
    """

    def __init__(
        self,
        scores: ScoreSequence,
        representation: Any,
        labels: Sequence[tuple[str, ...]] | None = None,
        notes: npt.NDArray[np.int64] | None = None,
        memory_mb: int = 1024,
        draws: npt.NDArray[np.int64] | None = None,
        cache: SongCache | None = None,
    ) -> None:
        self.scores, self.representation, self.cache = scores, representation, cache
        self.labels = list(labels) if labels is not None else [()] * len(scores)
        counts = np.array([len(scores[i]) for i in range(len(scores))]) if notes is None else notes
        self.notes = counts.astype(np.int64)
        self.draws = np.arange(len(scores)) if draws is None else draws
        self.room_bytes = memory_mb << 20
        self._number = np.arange(len(scores))  # of each song that is not dropped: its index in `scores`
        self._kept: OrderedDict[tuple[int, int], EncodedSong] = OrderedDict()
        self._refused: dict[tuple[int, int], str] = {}  # (song, variant): why it cannot be encoded

    @classmethod
    def of_split(
        cls,
        scores: SplitScores,
        representation: Any,
        memory_mb: int = 1024,
        variants: int = GIVEN_VARIANTS,
        progress: Progress | None = None,
    ) -> "EncodedSongs":
        """Open the songs of a split of a corpus; those that are not in its cache are encoded first.

        `variants` is the number of encodings with given notes that are cached of each song.
        """
        songs = cls(scores, representation, scores.labels, scores.notes, memory_mb, scores.draws)
        try:
            places = scores.corpus, scores.split, scores.places, scores.draws
            cache = SongCache(*places, representation, variants + 1)
        except TypeError:  # nothing is cached for code whose changes cannot be detected
            return songs
        cache.make(
            lambda song: list(songs._encodings(song, range(variants + 1))), available_cores(), progress
        )
        songs.cache = cache
        return songs

    def __len__(self) -> int:
        return len(self._number)

    def drop_unreadable(self) -> int:
        """Drop the songs that the representation cannot encode, and return their number."""
        good = [song for song in range(len(self)) if self._can_encode(song)]
        refused = len(self) - len(good)
        if refused:
            self._number = self._number[good]
            self.labels, self.notes = [self.labels[song] for song in good], self.notes[good]
        return refused

    def _can_encode(self, song: int) -> bool:
        try:
            self.head(song)
        except ScoreError:
            return False
        return True

    def usable(self, song: int, variant: int = 0) -> int:
        """The first song from `song` on that can be encoded. Raises InputError if none can."""
        for number in range(len(self)):
            try:
                self.head(other := (song + number) % len(self), variant)
            except ScoreError as error:
                reason = error
            else:
                return other
        raise InputError(f"no song can be encoded: {reason}")

    def head(self, song: int, variant: int = 0) -> SongHead:
        """The head of a song, in a variant. Raises ScoreError if the representation cannot encode it."""
        number = int(self._number[song])
        head = self.cache.head(number, variant) if self.cache else None
        if head is None:
            encoded = self._encoded(number, variant)
            head = SongHead(len(encoded.values), encoded.plan, encoded.range)
        return head._replace(plan=self._with_labels(head.plan, song))

    def rows(
        self, song: int, variant: int, start: int, stop: int
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """The rows of a song from `start` to before `stop`: values and `learn` (n, F). Raises ScoreError."""
        number = int(self._number[song])
        cached = self.cache.read(number, variant, start, stop) if self.cache else None
        if cached is None:
            encoded = self._encoded(number, variant)
            cached = encoded.values[start:stop], encoded.learn[start:stop]
        return cached

    def plan(self, song: int) -> Plan:
        """The plan of a song with its returns. Raises ScoreError if the representation cannot encode it."""
        number = int(self._number[song])
        plan = self.cache.plan(number) if self.cache else None
        return self._with_labels(plan or self._encoded(number, 0).plan, song)

    def song(self, song: int, variant: int = 0) -> EncodedSong:
        """Return a whole song; in `variant` 1 ... GIVEN_VARIANTS with some of its notes given.

        Raises ScoreError if the representation cannot encode it.
        """
        head = self.head(song, variant)
        values, learn = self.rows(song, variant, 0, head.rows)
        arrays = np.ascontiguousarray(values), np.ascontiguousarray(learn)
        return EncodedSong(*arrays, self.plan(song), head.range)

    def _with_labels(self, plan: Plan, song: int) -> Plan:
        labels = self.labels[song]
        return replace(plan, genres=tuple((label, 1 / len(labels)) for label in labels)) if labels else plan

    def _encoded(self, number: int, variant: int) -> EncodedSong:
        """A song of `scores`, encoded now unless it is still kept. Raises ScoreError."""
        key = number, variant
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._refused:
            try:
                (encoded,) = self._encodings(number, [variant])
            except Exception as error:  # one bad song must not end the training
                self._refused[key] = f"song {number}, {type(error).__name__}: {error}"
            else:
                return self._keep(key, encoded)
        raise ScoreError(self._refused[key])

    def _keep(self, key: tuple[int, int], encoded: EncodedSong) -> EncodedSong:
        self._kept[key] = encoded
        self.room_bytes -= _bytes(encoded)
        while self.room_bytes < 0 and len(self._kept) > 1:
            self.room_bytes += _bytes(self._kept.popitem(last=False)[1])
        return encoded

    def _encodings(self, number: int, variants: Sequence[int]) -> Iterator[EncodedSong]:
        """Encode a song of `scores` in some variants; its plan has no genres."""
        representation = self.representation
        song = without_leading_silence(self.scores[number])
        score, _ = representation.canonical(song)
        timeline = representation.timeline(score)
        if (sketch := getattr(timeline, "sketch", None)) is not None:
            draw = step_generator(BLUR_SEED, int(self.draws[number]))
            timeline = replace(timeline, sketch=blurred(sketch, draw))
        encode = _encoder(representation)
        returns = tuple(zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True))
        velocity = mean_velocity(song)  # before it is rounded to bins
        plan = replace(infer_plan(score), returns=returns, chords=(), title="", mean_velocity=velocity)
        for variant in variants:
            given = {}
            if variant:
                draw = step_generator(variant, int(self.draws[number]))
                given = {"given": representation.draw_given(score, draw)}
            values, learn = encode(score, timeline, **given)
            yield EncodedSong(values, learn, plan, representation.transposition_range(values))


def _encoder(representation: Any) -> Any:
    """The method that encodes a canonical song: `encode_canonical`, unless a subclass replaces `encode`."""
    owner = next(vars(base) for base in type(representation).__mro__ if "encode" in vars(base))
    return representation.encode_canonical if "encode_canonical" in owner else representation.encode


def _bytes(encoded: EncodedSong) -> int:
    """The memory of an encoded song."""
    return encoded.values.nbytes + encoded.learn.nbytes + 1024
