"""Labels: from the folders a song lies in, or from a table that somebody wrote."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ritornello.corpus.sources.scan import ARCHIVES
from ritornello.errors import InputError

MIN_SONGS = 8  # that a label needs


class Labeller:
    """The labels of every path: those of a table where it names the path, else its folders.

    `table` is by path as text (`text`), `used` the paths of it that were asked for.
    """

    def __init__(self, table: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.table = table or {}
        self.used: set[str] = set()

    def labels(self, path: bytes) -> tuple[str, ...]:
        """The labels of a file by its path in the prepared folder."""
        if self.table and (name := text(path)) in self.table:
            self.used.add(name)
            return self.table[name]
        return _of_folder(path.rpartition(b"/")[0])


def text(path: bytes) -> str:
    """A path as text in one Unicode form (NFC), undecodable bytes written as \\x..

    So a name is the same whether it comes from a Mac, which takes accents apart, or from elsewhere.
    """
    return unicodedata.normalize("NFC", path.decode("utf-8", "backslashreplace"))


@lru_cache(maxsize=1 << 16)
def _of_folder(folder: bytes) -> tuple[str, ...]:
    """The labels of all songs in a folder: `classical/bach` has classical and classical/bach.

    An archive's own name is none: its songs have the labels that they would have unpacked in its place.
    """
    names = [text(name) for name in folder.split(b"/") if name and not name.lower().endswith(ARCHIVES)]
    return tuple("/".join(names[: depth + 1]) for depth in range(len(names)))


def read_labels(file: str | Path) -> Labeller:
    """Labels from a .csv with the columns path and label, or a .jsonl with objects of path and label(s).

    Paths are relative to the prepared folder, with "/". Several rows for a path add up; a path that is named
    has these labels and not its folders. Raises InputError with the line.
    """
    file = Path(file)
    rows = {".csv": _csv_rows, ".jsonl": _jsonl_rows}.get(file.suffix.lower())
    if not rows:
        raise InputError(f"labels {str(file)!r}, must be a .csv or a .jsonl file")
    table: dict[str, tuple[str, ...]] = {}
    try:
        for line, path, labels in rows(file):
            if not (isinstance(path, str) and path and all(isinstance(x, str) and x for x in labels)):
                raise InputError(f"{str(file)!r}, line {line}: must have a path and a label, both text")
            name = unicodedata.normalize("NFC", path.replace("\\", "/").removeprefix("./"))
            new = [unicodedata.normalize("NFC", label.strip()) for label in labels]
            table[name] = tuple(dict.fromkeys([*table.get(name, ()), *new]))
    except OSError as error:
        raise InputError(f"cannot read {str(file)!r}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{str(file)!r} is not a table in UTF-8: {error}") from error
    return Labeller(table)


def _csv_rows(file: Path) -> Iterator[tuple[int, Any, list[Any]]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if not {"path", "label"} <= set(reader.fieldnames or ()):
            raise InputError(
                f"{str(file)!r}, line 1: the columns are {reader.fieldnames}, must be path and label"
            )
        for row in reader:
            yield reader.line_num, row["path"], [row["label"]]


def _jsonl_rows(file: Path) -> Iterator[tuple[int, Any, list[Any]]]:
    with file.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                found = row.get("labels", row.get("label"))
                yield number, row.get("path"), found if isinstance(found, list) else [found]
            except (ValueError, AttributeError, RecursionError) as error:
                raise InputError(f"{str(file)!r}, line {number}: is no JSON object") from error
