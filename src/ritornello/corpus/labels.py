"""The labels of songs: the names of their folders, or the rows of a table that the user wrote."""

import csv
import json
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ritornello.corpus.sources.scan import ARCHIVE_ENDINGS
from ritornello.errors import InputError, check_between

MIN_SONGS = 8  # a label with fewer songs is left out of the corpus
MAX_LABEL_DEPTH = 100  # levels of folders


class Labeller:
    """Gives each path its labels.

    They are the labels that `table` has for the path, or for the nearest of its folders (keys as `path_text`
    writes them). If the table has none, the labels are the names of all its folders, or with `depth` of the
    folder at this depth below the prepared one (1: directly in it). Raises InputError for a depth out of
    range.
    """

    def __init__(self, table: Mapping[str, tuple[str, ...]] | None = None, depth: int | None = None) -> None:
        check_between("label_depth", depth, 1, MAX_LABEL_DEPTH)
        self.table, self.depth = table or {}, depth
        self.used: set[str] = set()
        self.rare: dict[str, int] = {}  # labels that are left out of the corpus, with their number of songs

    def labels(self, path: bytes) -> tuple[str, ...]:
        """The labels of a file by its path in the prepared folder."""
        name = path_text(path) if self.table else ""
        while name:
            if name in self.table:
                self.used.add(name)
                return self.table[name]
            name = name.rpartition("/")[0]
        return _folder_labels(path.rpartition(b"/")[0], self.depth)

    @property
    def unused(self) -> int:
        """How many paths of the table have no song, once `labels` was called for all songs."""
        return len(self.table) - len(self.used)


def path_text(path: bytes) -> str:
    """A path as text in Unicode form NFC, with undecodable bytes as \\x..

    macOS stores accents as separate characters (NFD); in one form, the same name is equal on all systems.
    """
    return unicodedata.normalize("NFC", path.decode("utf-8", "backslashreplace"))


@lru_cache(maxsize=1 << 16)
def _folder_labels(folder: bytes, depth: int | None) -> tuple[str, ...]:
    """The labels of songs in a folder: of `classical/bach` classical and classical/bach; at depth 2 bach.

    The name of an archive is not a label: its songs get the labels they would have if unpacked in its place.
    """
    names = [
        path_text(name) for name in folder.split(b"/") if name and not name.lower().endswith(ARCHIVE_ENDINGS)
    ]
    if depth is not None:
        return tuple(names[depth - 1 : depth])
    return tuple("/".join(names[:end]) for end in range(1, len(names) + 1))


def read_labels(file: str | Path | None, depth: int | None = None) -> Labeller:
    """Read labels from a .csv with the columns path and label, or a .jsonl with objects of path and label(s).

    Paths of songs or folders are relative to the prepared folder, with "/". A path may have several rows.
    Labels of the table replace the names of folders (see Labeller). Without a file (None), all labels are
    names of folders. Raises InputError, which names the line.
    """
    if not file:
        return Labeller(depth=depth)
    file = Path(file)
    rows = {".csv": _csv_rows, ".jsonl": _jsonl_rows}.get(file.suffix.lower())
    if not rows:
        raise InputError(f"labels {str(file)!r}: must be a .csv or a .jsonl file")
    table: dict[str, tuple[str, ...]] = {}
    try:
        for line, path, labels in rows(file):
            if not (isinstance(path, str) and path and all(isinstance(x, str) and x for x in labels)):
                raise InputError(f"{str(file)!r}, line {line}: must have a path and a label, both text")
            name = unicodedata.normalize("NFC", path.replace("\\", "/").removeprefix("./").rstrip("/"))
            new = [unicodedata.normalize("NFC", label.strip()) for label in labels]
            table[name] = tuple(dict.fromkeys([*table.get(name, ()), *new]))
    except OSError as error:
        raise InputError(f"cannot read {str(file)!r}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{str(file)!r} is not a table in UTF-8: {error}") from error
    return Labeller(table, depth)


def _csv_rows(file: Path) -> Iterator[tuple[int, Any, list[Any]]]:
    """Line number, path and labels of each row."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if not {"path", "label"} <= set(reader.fieldnames or ()):
            raise InputError(
                f"{str(file)!r}, line 1: the columns are {reader.fieldnames}: must be path and label"
            )
        for row in reader:
            yield reader.line_num, row["path"], [row["label"]]


def _jsonl_rows(file: Path) -> Iterator[tuple[int, Any, list[Any]]]:
    """Line number, path and labels of each object."""
    with file.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                labels = row.get("labels", row.get("label"))
                yield number, row.get("path"), labels if isinstance(labels, list) else [labels]
            except (ValueError, AttributeError, RecursionError) as error:
                raise InputError(f"{str(file)!r}, line {number}: must be a JSON object") from error
