"""A cache on disk of the encoded songs of a split of a corpus, which is made once and read by each training.

    CORPUS/encoded/notes-<version>/train/00000-00.pack    the songs of 256 rows of a shard (pack.py)

The version is a hash of the code that encodes and of the representation's own settings (code_version.py), so
songs are encoded again if either changes; of older versions only the newest is kept. If the folder of the
corpus is read-only, the packs are in the user's cache folder. A song that is not in the cache, for any
reason, is encoded when it is needed.
"""

import hashlib
import json
import mmap
import shutil
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import Corpus
from ritornello.errors import InputError, OutputError, ScoreError
from ritornello.music.plan import Plan
from ritornello.system.files import output_errors
from ritornello.system.lock import locked
from ritornello.system.made_files import cache_folder
from ritornello.system.processes import in_processes
from ritornello.system.progress import Progress, no_progress
from ritornello.training.code_version import version_name
from ritornello.training.pack import EncodedSong, Pack, PackedSong, RowCodec, SongHead, write_pack

PACK_ROWS = 256  # a pack has the songs of this many rows of a shard
MAX_OPEN_PACKS, MAX_HEADS = 256, 8192
MAPPED_BY_A_READ, MAX_MAPPED = 1 << 18, 1 << 26  # bytes that one read, and all reads, map to memory
KEPT_VERSIONS = 1  # older versions of the packs: another release of Ritornello may use the corpus too
LOCK_PATIENCE_S = 60.0  # after this time without a new pack, the lock of another process is ignored
Answer = TypeVar("Answer")
Encode = Callable[[int], list[EncodedSong]]  # of a song of the split: its encodings


class SongCache:
    """The packs of a split of a corpus: `places` (songs, 2) are the shard and the row of each of its songs.

    A song may occur several times. `draws` (songs,) are the numbers by which its given notes are drawn.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        places: npt.NDArray[np.int64],
        draws: npt.NDArray[np.int64],
        representation: Any,
        encodings: int,
    ) -> None:
        """`encodings` is how many encodings each song has. Raises TypeError as `version_name` does."""
        self.corpus, self.draws, self.encodings = corpus, draws, encodings
        self.codec = RowCodec(representation.fields)
        self.name = Path("encoded", version_name(representation), split)
        self.folder = corpus.path / self.name
        self.rows = places[:, 1]
        pack = np.stack([places[:, 0], places[:, 1] // PACK_ROWS], axis=1)
        self.packs, of_song = np.unique(pack, axis=0, return_inverse=True)
        self.pack_of = of_song.reshape(-1)
        self._open: OrderedDict[int, tuple[Pack, dict[int, int]] | None] = OrderedDict()
        self._heads: dict[tuple[int, int], SongHead] = {}
        self._mapped = 0

    def make(self, encode: Encode, processes: int, progress: Progress | None = None) -> None:
        """Encode the songs whose packs are missing with several processes, and write their packs.

        If another process does so, wait for it. Ctrl-C loses only songs that are not yet in a pack.
        """
        progress = progress or no_progress
        for folder in (self.corpus.path, cache_folder() / self.corpus.hash[:16]):
            self.folder = folder / self.name
            self._open.clear()
            if not (missing := self._missing()):
                return
            try:
                with output_errors(self.folder):
                    self.folder.mkdir(parents=True, exist_ok=True)
                self._delete_old_versions()
                with self._alone(progress):
                    if missing := self._missing():  # the other process may have written them
                        self._write(missing, encode, processes, progress)
                return
            except OutputError as error:
                reason = str(error)
        progress(1, 1, f"songs are encoded when they are needed, as this failed: {reason}")

    def _delete_old_versions(self) -> None:
        """Delete the packs of older versions of the representation, except for the newest KEPT_VERSIONS."""
        present = self.folder.parent
        name = present.name.rpartition("-")[0]
        older = [
            path
            for path in present.parent.glob(f"{name}-*")
            if path != present and path.name.rpartition("-")[0] == name and not path.is_symlink()
        ]
        for path in sorted(older, key=lambda path: path.stat().st_mtime)[: -KEPT_VERSIONS or None]:
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """Hold the lock of the folder; wait while another process writes packs."""
        left, since = self._missing(), time.monotonic()
        with ExitStack() as stack:
            while left:
                try:
                    stack.enter_context(locked(self.folder / "lock"))
                    break
                except InputError:  # another process has it
                    done = len(self.packs) - len(left)
                    progress(done, len(self.packs), "waiting for songs that another process encodes")
                    time.sleep(0.2)
                still = self._missing()
                since = since if len(still) == len(left) else time.monotonic()
                left = still
                if time.monotonic() - since > LOCK_PATIENCE_S:  # such as a file system without locks
                    break
            yield

    def _missing(self) -> list[int]:
        """The packs that must be made."""
        self._open.clear()
        return [pack for pack in range(len(self.packs)) if self._pack(pack) is None]

    def _songs(self, pack: int) -> npt.NDArray[np.int64]:
        """The songs of a pack, each once, in the order of their rows."""
        start, stop = np.searchsorted(self._sorted[1], (pack, pack + 1))
        songs = self._sorted[0][start:stop]
        _, first = np.unique(self.rows[songs], return_index=True)
        return songs[first]

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The songs in the order of their packs, and these packs."""
        order = np.argsort(self.pack_of, kind="stable")
        return order, self.pack_of[order]

    def _write(self, packs: list[int], encode: Encode, processes: int, progress: Progress) -> None:
        """Encode the songs of these packs, and write each pack when its songs are encoded."""
        songs = [self._songs(pack).tolist() for pack in packs]
        in_order = [song for each in songs for song in each]
        function = partial(self._packed, encode)
        results = in_processes(
            function, in_order, processes, partial(self._left_out, reason="it ends its process")
        )
        done, left_out = 0, ""
        with closing(results):
            for pack, songs_of_pack in zip(packs, songs, strict=True):
                packed = []
                for song in islice(results, len(songs_of_pack)):
                    packed.append(song)
                    done += 1
                    left_out = left_out or (song.reason and f"  left out: {song.reason}")
                    progress(done, len(in_order), f"encoding songs, once{left_out}")
                write_pack(self._path(pack), packed, self._source(pack))
                self._open.pop(pack, None)  # it was open as missing

    def _packed(self, encode: Encode, song: int) -> PackedSong:
        """A song as it is stored; without encodings, if the representation cannot encode it."""
        try:
            return self.codec.pack(int(self.rows[song]), int(self.draws[song]), encode(song))
        except Exception as error:  # one bad song must not stop the others
            return self._left_out(song, f"{type(error).__name__}: {error}")

    def _left_out(self, song: int, reason: str) -> PackedSong:
        return PackedSong(int(self.rows[song]), int(self.draws[song]), reason=f"song {song}, {reason}")

    def _path(self, pack: int) -> Path:
        shard, number = self.packs[pack].tolist()
        return self.folder / f"{shard:05d}-{number:02d}.pack"

    def _source(self, pack: int) -> bytes:
        """The hash (32 bytes) of the shard's files, from which the songs of a pack are encoded."""
        files = self.corpus.manifest["shards"][int(self.packs[pack, 0])]["files"]
        return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).digest()

    def _pack(self, pack: int) -> tuple[Pack, dict[int, int]] | None:
        """An open pack and the places of its songs by row; None if it is missing, damaged or outdated."""
        if pack in self._open:
            self._open.move_to_end(pack)
            return self._open[pack]
        opened = None
        try:
            pack_file = Pack(self._path(pack), self.codec)
            songs = self._songs(pack)
            names = ("row", self.rows), ("draw", self.draws)
            same = all(np.array_equal(pack_file.songs[name], expected[songs]) for name, expected in names)
            if same and pack_file.source == self._source(pack) and pack_file.has_encodings(self.encodings):
                opened = pack_file, {row: place for place, row in enumerate(pack_file.songs["row"].tolist())}
        except (OSError, ValueError):
            pass
        self._open[pack] = opened
        if len(self._open) > MAX_OPEN_PACKS:
            self._open.popitem(last=False)
        return opened

    def _from_pack(self, song: int, read: Callable[[Pack, int], Answer]) -> Answer | None:
        """Call `read` with the pack of a song and its place there; return None if the song is not in a pack.

        Raises ScoreError if the representation cannot encode the song.
        """
        opened = self._pack(int(self.pack_of[song]))
        if opened is None:
            return None
        pack, places = opened
        place = places[int(self.rows[song])]
        try:
            if reason := pack.refused(place):
                raise ScoreError(reason)
            return read(pack, place) if pack.has(place) else None
        except (OSError, ValueError):  # damaged
            return None

    def head(self, song: int, encoding: int) -> SongHead | None:
        """The head of a song in one of its encodings, or None if it is not in the cache."""
        head = self._heads.get((song, encoding))
        if head is None and (head := self._from_pack(song, lambda pack, place: pack.head(place, encoding))):
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            self._heads[song, encoding] = head
        return head

    def plan(self, song: int) -> Plan | None:
        """The whole plan of a song without genres, or None if it is not in the cache."""
        return self._from_pack(song, lambda pack, place: pack.plan(place))

    def read(
        self, song: int, encoding: int, start: int, stop: int
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]] | None:
        """The rows `start` to before `stop` of a song: values and `learn`; None if it is not in the cache."""
        self._forget_mapped()
        return self._from_pack(song, lambda pack, place: pack.rows(place, encoding, start, stop))

    def _forget_mapped(self) -> None:
        """From time to time release the memory of mapped files; the system keeps them while there is room."""
        self._mapped += MAPPED_BY_A_READ
        if self._mapped > MAX_MAPPED and hasattr(mmap, "MADV_DONTNEED"):
            for opened in self._open.values():
                if opened:
                    opened[0].data.madvise(mmap.MADV_DONTNEED)
            self._mapped = 0
