"""Choose the better of two models by nats per note on held-out songs, each given the plan of the song."""

from typing import Any

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.summary import FEWEST_SONGS, SongNats, paired_difference
from ritornello.models.model import Model
from ritornello.system.progress import Progress

MAX_MEASURED_NOTES = 60_000  # measuring them takes about 7 seconds


class HeldOutSongs:
    """Songs that were not trained on, evenly spaced so that they have about MAX_MEASURED_NOTES.

    They are those of `side`, "valid" or "test", or of both if one has too few for a confidence interval.
    """

    def __init__(self, corpus: Corpus, side: str) -> None:
        other = {"valid": "test", "test": "valid"}[side]
        numbers = corpus.songs(side)
        if len(numbers) < FEWEST_SONGS:
            numbers = np.sort(np.concatenate([numbers, corpus.songs(other)]))
        notes = int(corpus.note_counts[numbers].sum())
        count = max(FEWEST_SONGS, len(numbers) * MAX_MEASURED_NOTES // max(1, notes))
        if count < len(numbers):
            numbers = numbers[np.linspace(0, len(numbers) - 1, count).astype(np.int64)]
        self.corpus, self.numbers = corpus, numbers.tolist()

    def __len__(self) -> int:
        return len(self.numbers)

    def songs(self) -> list[LabelledScore]:
        """The songs with their names and labels."""
        infos = [self.corpus.info(number) for number in self.numbers]
        return [
            LabelledScore(i.name, self.corpus.score(n), i.labels)
            for i, n in zip(infos, self.numbers, strict=True)
        ]

    def nats(self, model: Model, progress: Progress | None = None) -> list[SongNats]:
        """The negative log-likelihood of each song under a model; songs it cannot encode are left out."""
        from ritornello.evaluation.likelihood import likelihood

        nats = []
        by_given = likelihood(
            model.network_in_torch(),
            model.representation,
            self.songs(),
            plan_encoder=model.plan_encoder,
            has_key_frame=model.has_key_frame,
            given={"plan": ()},
        )
        for song in by_given:
            nats.append(song["plan"])
            if progress:
                progress(len(nats), len(self), "measuring")
        return nats


def nats_per_note(nats: list[SongNats]) -> float:
    """Nats per note over all songs; infinite if there are none."""
    return sum(song.total for song in nats) / sum(song.notes for song in nats) if nats else float("inf")


def select(trained: list[SongNats], bundled: list[SongNats]) -> dict[str, Any]:
    """Which model is better, as "kept" ("learnt" or "bundled"), and by how much the trained one is better.

    See `evaluation.summary.paired_difference`.
    """
    if not {song.song for song in trained} & {song.song for song in bundled}:
        return {"kept": "learnt", "why": "no held-out song can be encoded by both models"}
    difference = paired_difference(trained, bundled)
    return {"kept": "learnt" if difference["better_by"] >= 0 else "bundled", **difference}


def describe_selection(selection: dict[str, Any]) -> str:
    """A selection as one line for the terminal."""
    kept, other = "the trained model", "the bundled model"
    if selection["kept"] != "learnt":
        kept, other = other, kept
    if "better_by" not in selection:
        return f"{kept}: {selection['why']}"
    songs = f"{selection['songs']} held-out song{'s' * (selection['songs'] > 1)}"
    by, interval = selection["better_by"], selection["interval"]
    text = f"{kept}: {abs(by):.2f} nats per note better than {other} on {songs}"
    if interval is None:
        return text + ", too few for a confidence interval"
    low, high = interval if by >= 0 else [-bound for bound in reversed(interval)]
    chance = "" if low > 0 else "; the difference may be chance"
    return f"{text} (95% interval {low:.2f} to {high:.2f}{chance})"
