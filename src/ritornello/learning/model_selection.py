"""Contest: held-out songs, and which of two models predicts them better, the songs being paired.

A model is told each song's plan, as it is when it composes. Compared are nats per note, of whole songs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.summary import FEWEST_SONGS, paired_difference
from ritornello.models.model import Model

if TYPE_CHECKING:
    from ritornello.evaluation.likelihood import SongNats

MOST_NOTES = 60_000  # of held-out songs, in so many seconds or fewer


class HeldOut:
    """Songs that no training saw, about MOST_NOTES of them at even distances, and `what` they are in words.

    Those of `side`, and where these are too few for an interval, of the other held-out side too.
    """

    def __init__(self, corpus: Corpus, side: str) -> None:
        other = {"valid": "test", "test": "valid"}[side]
        numbers = corpus.songs(side)
        if len(numbers) < FEWEST_SONGS:
            numbers = np.sort(np.concatenate([numbers, corpus.songs(other)]))
        notes = int(corpus.note_counts[numbers].sum())
        count = max(FEWEST_SONGS, len(numbers) * MOST_NOTES // max(1, notes))
        if count < len(numbers):
            numbers = numbers[np.linspace(0, len(numbers) - 1, count).astype(np.int64)]
        self.corpus, self.numbers = corpus, numbers.tolist()

    def __len__(self) -> int:
        return len(self.numbers)

    def songs(self) -> list[LabelledScore]:
        """The songs."""
        infos = [self.corpus.info(number) for number in self.numbers]
        return [
            LabelledScore(i.name, self.corpus.score(n), i.labels)
            for i, n in zip(infos, self.numbers, strict=True)
        ]

    def nats(self, model: Model, progress: Callable[[int, int, str], None] | None = None) -> list[SongNats]:
        """What each song costs a model."""
        from ritornello.evaluation.likelihood import likelihood

        found = []
        accounts = likelihood(
            model.network_in_torch(),
            model.representation,
            self.songs(),
            plan_encoder=model.plan_encoder,
            given={"plan": ()},
        )
        for account in accounts:
            found.append(account["plan"])
            if progress:
                progress(len(found), len(self), "measuring")
        return found


def per_note(nats: list[SongNats]) -> float:
    """Nats per note over all songs; infinite where there are none."""
    return sum(song.total for song in nats) / sum(song.notes for song in nats) if nats else float("inf")


def judged(learnt: list[SongNats], bundled: list[SongNats]) -> dict[str, Any]:
    """Which of the two is kept, and by how much the learnt is better (`summary.paired_difference`)."""
    if not {song.song for song in learnt} & {song.song for song in bundled}:
        return {"kept": "learnt", "why": "no held-out song can be read by both"}
    found = paired_difference(learnt, bundled)
    return {"kept": "learnt" if found["better_by"] >= 0 else "bundled", **found}


def in_words(found: dict[str, Any]) -> str:
    """A judgement for people."""
    kept = "what was learnt" if found["kept"] == "learnt" else "the bundled model"
    if "better_by" not in found:
        return f"{kept}: {found['why']}"
    other = "the bundled model" if found["kept"] == "learnt" else "what was learnt"
    songs = f"{found['songs']} held-out song{'s' * (found['songs'] > 1)}"
    by = abs(found["better_by"])
    text = f"{kept}: {by:.2f} nats a note better than {other} on {songs}"
    if found["interval"] is None:
        return text + ", too few for an interval"
    low, high = found["interval"] if found["better_by"] >= 0 else [-x for x in reversed(found["interval"])]
    sure = "" if low > 0 else "; it may be chance"
    return f"{text} ({low:.2f} to {high:.2f}{sure})"
