"""The labels of a model: what their songs are like, and how well the model composes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ritornello.models.model import Model

MOST_METERS = 2
TEMPO_QUANTILES = (0.1, 0.9)  # most songs are between the two
# The highest AUC with which the detector of `judge` tells a model's songs from people's (0.5 is a guess)
MARKS = (
    (0.65, "hard to tell from people's songs"),
    (0.8, "sometimes told from people's songs"),
    (0.9, "mostly told from people's songs"),
    (1.0, "nearly always told from people's songs"),
)
NO_MARK = "not judged"


class Genre(NamedTuple):
    """A label of a model. Parts, meters and tempi are those of the plans that the model stores."""

    label: str
    songs: int
    """Songs of the corpus with the label, with held-out ones; if the model has no such number, its plans."""
    parts: tuple[str, ...]
    """The most frequent instruments, in order of frequency."""
    meters: tuple[str, ...] = ()
    """The most frequent meters."""
    tempo_bpm: tuple[int, int] = (0, 0)
    """The lowest and the highest tempo of the middle eight of ten songs."""
    auc: float | None = None
    """How well the detector of `judge` tells composed songs from held-out ones, 0.5-1; None if not judged."""

    @property
    def mark(self) -> str:
        """How well the model composes songs of the label, in words."""
        if self.auc is None:
            return NO_MARK
        words = next(text for most, text in MARKS if self.auc <= most or most == 1)
        return f"{words} (AUC {self.auc:.2f})"


def genres_of(model: Model, most_parts: int) -> list[Genre]:
    """The labels of a model; `most_parts` instruments are named of each."""
    judged = model.info.get("measured", {}).get("judged", {})
    return [_genre(model, label, most_parts, judged.get(label, {})) for label in model.all_labels]


def _genre(model: Model, label: str, most_parts: int, judged: Mapping[str, Any]) -> Genre:
    plans = [plan for plan in model.plans if label in dict(plan.genres)]
    meters = (plan.only_main_meter().meters[0] for plan in plans)
    tempi = sorted(round(plan.bpm) for plan in plans) or [0]
    low, high = (tempi[int(quantile * (len(tempi) - 1))] for quantile in TEMPO_QUANTILES)
    return Genre(
        label,
        model.info.get("data", {}).get("songs_by_label", {}).get(label, len(plans)),
        _most_frequent((part.instrument for plan in plans for part in set(plan.parts)), most_parts),
        _most_frequent((f"{numerator}/{denominator}" for _, numerator, denominator in meters), MOST_METERS),
        (low, high),
        judged.get("auc"),
    )


def _most_frequent(names: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(name for name, _ in Counter(names).most_common(most))
