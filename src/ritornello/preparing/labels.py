"""Labels: from the folders a song lies in, or from a table that somebody wrote."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

MIN_SONGS = 8  # that a label needs


class Labeller:
    """The labels of every path: those of `table` where it names the path, else from its folders."""

    def __init__(self, table: Mapping[bytes, list[str]] | None = None) -> None:
        self.table = table or {}

    def labels(self, path: bytes) -> list[str]:
        """The labels of a file by its path in the prepared folder."""
        return self.table[path] if path in self.table else from_folders(path)


def from_folders(path: bytes) -> list[str]:
    """The labels of a path: `classical/bach/x.mid` has classical and classical/bach.

    Names are brought to one Unicode form (NFC), so that folders from a Mac and from elsewhere are one label.
    """
    names = unicodedata.normalize("NFC", path.decode("utf-8", "backslashreplace")).split("/")[:-1]
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]
