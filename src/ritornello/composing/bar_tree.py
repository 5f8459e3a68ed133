"""The class BarTree: what followed in bars that begin alike."""

from __future__ import annotations

from typing import Any

Tree = dict[tuple[int, int, int], Any]  # by note (tick in the bar, part, pitch): the tree after it


class BarTree:
    """The notes of all bars as a tree in which bars that begin alike share a branch."""

    def __init__(self) -> None:
        self._root: Tree = {}
        self._branch = self._root
        self.bar = -1
        """The bar of the last note."""
        self.continuations = self._root
        """The notes that followed in earlier bars that begin as the bar of the last note does."""

    def add(self, bar: int, tick: int, part: int, pitch: int) -> None:
        """Add the next note, which begins `tick` ticks after the start of its bar."""
        if bar > self.bar:
            self.bar, self._branch, self.continuations = bar, self._root, self._root
        note = tick, part, pitch
        self.continuations = self.continuations.get(note, {})
        self._branch = self._branch.setdefault(note, {})
