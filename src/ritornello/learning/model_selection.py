"""Choose the model that `learn` keeps: by the likelihood of held-out songs and by what the models compose.

A candidate has a network of notes, a sketch network and a temperature. The weights of its network of notes
are those of the model from which training began (the *start model*, share 0), the trained ones (share 1), or
lie between the two (Wortsman et al. 2022, *Robust fine-tuning of zero-shot models*). All candidates but the
start model have the trained sketch network. Some have a lower temperature: a network that learnt from few
songs is less certain in its own songs than in theirs, and at the usual temperature it leaps too much and
plays too many notes.

Each candidate composes with the plans of the same held-out songs and the same seed (`song_comparison`), and
predicts these songs. A candidate is *eligible* if on held-out songs

- its style is closer to human songs than that of the start model,
- the 95% interval of the ratio of both distances ends below 1 + MAX_RISK, and
- it needs fewer nats per note than the start model, with a 95% interval above 0. With share 0 it needs as
  many, and this condition does not apply.

Of the eligible candidates, the one with the lowest sum of its ranks in nats and in style is kept; if two have
the same sum, the one closer to the start. If none is eligible, the start model is kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.features import SongTable
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.style import style
from ritornello.evaluation.summary import FEWEST_SONGS, SongNats, paired_difference
from ritornello.learning import song_comparison
from ritornello.models.model import Model
from ritornello.system.progress import Progress

MAX_MEASURED_NOTES = 60_000  # measuring them takes about 7 seconds
MAX_JUDGED_SONGS = 60  # with whose plans each candidate composes
FEWEST_JUDGED = 6  # songs; with fewer there is no telling
# At 0.1 a model was kept whose interval was 0.90 to 1.08; by 60 other songs it was 18% further in style
MAX_RISK = 0.05
COOL = 0.8  # the lower temperature
SHARES_IN_WORDS = {0.25: "a quarter of the way", 0.5: "halfway", 0.75: "three quarters of the way"}


class Candidate(NamedTuple):
    """A model that may be kept, described by its differences from the start model."""

    share: float
    """How far the weights of the network of notes lie from the start model (0) to the trained one (1)."""
    temperature: float = 1.0
    """The factor by which all temperatures of sampling are multiplied."""
    has_trained_sketch: bool = True

    def __str__(self) -> str:
        """The candidate in words, as a subject of a sentence."""
        if self == START:
            return "the start model"
        if self.share == 0:
            words = "the start model with the trained sketches"
        elif self.share == 1:
            words = "the trained model"
        else:
            where = SHARES_IN_WORDS.get(self.share, f"{self.share:.0%} of the way")
            words = f"the model {where} from the start model to the trained one"
        return words if self.temperature == 1 else f"{words}, at {self.temperature:g} of the temperature,"


START = Candidate(0.0, has_trained_sketch=False)
# Besides the start model. The most promising come first, because time may not suffice for all
CANDIDATES = (
    Candidate(0.5, COOL),
    Candidate(0.5),
    Candidate(0.25, COOL),
    Candidate(0.0),
    Candidate(0.25),
    Candidate(1.0, COOL),
)


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
        return read_songs(self.corpus, self.numbers)

    def nats(self, model: Model, progress: Progress | None = None) -> list[SongNats]:
        """The negative log-likelihood of each song under a model; songs it cannot encode are left out."""
        return nats_of_songs(model, self.songs(), progress)


def read_songs(corpus: Corpus, numbers: list[int]) -> list[LabelledScore]:
    """Return the songs with these numbers, with their names and labels."""
    infos = [corpus.info(number) for number in numbers]
    pairs = zip(infos, numbers, strict=True)
    return [LabelledScore(info.name, corpus.score(number), info.labels) for info, number in pairs]


def nats_of_songs(model: Model, songs: list[LabelledScore], progress: Progress | None) -> list[SongNats]:
    """Return the negative log-likelihood of each song that a model can encode, each given its plan."""
    from ritornello.evaluation.likelihood import likelihood

    nats = []
    by_given = likelihood(
        model.network_in_torch(),
        model.representation,
        songs,
        plan_encoder=model.plan_encoder,
        has_key_frame=model.has_key_frame,
        given={"plan": ()},
    )
    for song in by_given:
        nats.append(song["plan"])
        if progress:
            progress(len(nats), len(songs), "measuring")
    return nats


def nats_per_note(nats: list[SongNats]) -> float:
    """Nats per note over all songs; infinite if there are none."""
    return sum(song.total for song in nats) / sum(song.notes for song in nats) if nats else float("inf")


@dataclass
class Comparison:
    """What was measured of each candidate; `human` has the openings of the judged songs."""

    nats: dict[float, list[SongNats]] = field(default_factory=dict)
    """By share, as neither sketches nor temperature change them."""
    composed: dict[Candidate, list[SongTable]] = field(default_factory=dict)
    human: list[SongTable] = field(default_factory=list)
    start_s: float = 0.0
    """The seconds for which the start model was measured before training."""

    @property
    def judged_songs(self) -> int:
        """The number of songs with whose plans the candidates composed."""
        return sum(map(len, self.human))

    def add(
        self,
        candidates: Mapping[Candidate, Model],
        songs: list[LabelledScore],
        seed: int,
        seconds: float | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Measure the candidates with the openings of songs from which none of them learned.

        The first call leaves out the last candidates for which `seconds` are too few, and so do later calls.
        The start model is not measured again with the songs that `add_start` had.
        """
        openings = song_comparison.openings(songs, candidates[START].representation)
        if not openings:
            return
        began, first = time.monotonic() - self.start_s, set(self.composed) <= {START}
        if self.start_s:
            candidates = {candidate: model for candidate, model in candidates.items() if candidate != START}
        else:
            self.human.append(song_comparison.human_table(openings))
        predicted: set[float] = set()
        for number, (candidate, model) in enumerate(candidates.items(), start=bool(self.start_s)):
            spent = time.monotonic() - began
            is_late = seconds is not None and number > 1 and spent * (1 + 1 / number) > seconds
            if (first and is_late) or not (first or candidate in self.composed):
                continue
            table = song_comparison.composed_table(model, openings, seed, progress)
            self.composed.setdefault(candidate, []).append(table)
            share = candidate.share
            if share in predicted or (share == START.share and self.start_s):
                continue
            predicted.add(share)
            nats = nats_of_songs(model, [opening.song for opening in openings], progress)
            self.nats.setdefault(share, []).extend(nats)

    def add_start(
        self, model: Model, songs: list[LabelledScore], seed: int, progress: Progress | None = None
    ) -> None:
        """Measure the start model before training, with the songs with which `add` measures the others."""
        began = time.monotonic()
        self.add({START: model}, songs, seed, None, progress)
        self.start_s = time.monotonic() - began

    def figures(self) -> list[dict[str, Any]]:
        """Return the figures of each candidate, and whether it is eligible; the start model comes first.

        "better_by" and "style_ratio" compare it with the start model, each with its interval.
        """
        human, start = song_comparison.joined(self.human), song_comparison.joined(self.composed[START])
        found = []
        for candidate, tables in sorted(self.composed.items(), key=lambda item: (item[0] != START, item[0])):
            composed = song_comparison.joined(tables)
            figures: dict[str, Any] = candidate._asdict()
            figures |= {"nats_per_note": nats_per_note(self.nats[candidate.share])}
            figures |= {"style": style(human, composed, {}).get("ratio")}
            if candidate != START:
                likelihood = paired_difference(self.nats[candidate.share], self.nats[START.share])
                difference = song_comparison.style_difference(human, composed, start)
                figures |= {"better_by": likelihood["better_by"], "interval": likelihood["interval"]}
                figures |= {"style_ratio": difference.ratio, "style_interval": list(difference.interval)}
                figures["eligible"] = is_eligible(figures)
            found.append(figures)
        return found


def is_eligible(figures: Mapping[str, Any]) -> bool:
    """Whether a candidate composes closer to human songs than the start model, and predicts no worse."""
    low = figures["interval"][0] if figures["interval"] else figures["better_by"]
    predicts = low > 0 or figures["share"] == START.share
    return bool(predicts and figures["style_ratio"] < 1 and figures["style_interval"][1] < 1 + MAX_RISK)


def best_candidate(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the eligible candidate with the lowest sum of ranks, or the start model if none is eligible."""
    eligible = [each for each in figures if each.get("eligible")]
    if not eligible:
        return figures[0]

    def rank(each: dict[str, Any], name: str) -> int:
        return sum(other[name] < each[name] for other in eligible)

    return min(
        eligible, key=lambda each: (rank(each, "nats_per_note") + rank(each, "style_ratio"), each["share"])
    )


def candidate_of(figures: Mapping[str, Any]) -> Candidate:
    """Return the candidate to which figures belong."""
    return Candidate(*(figures[name] for name in Candidate._fields))


def reason(figures: list[dict[str, Any]], kept: Mapping[str, Any], start: str, songs: int) -> str:
    """Say in a sentence which candidate is kept and why; `start` names the start model in words."""
    judged = f"{songs} songs that it did not learn from"
    if (candidate := candidate_of(kept)) != START:
        text = f"{candidate} is kept: on {judged}, it {_compared(kept)} than the start model"
    elif len(figures) == 1:
        text = f"the start model is kept: there was no time to compare others on {judged}"
    else:
        closest = min(figures[1:], key=lambda each: (each["style_ratio"], each["share"]))
        compared = f"{candidate_of(closest)} {_compared(closest)}"
        text = f"the start model is kept: on {judged}, {compared} than the start model"
    return text.replace("the start model", start)


def _compared(figures: Mapping[str, Any]) -> str:
    """The difference of a candidate from the start model in nats and in style, each with its 95% interval."""
    low, high = figures["style_interval"]
    closer = _oriented(100 * (1 - figures["style_ratio"]), (100 * (1 - high), 100 * (1 - low)))
    style = f"{closer[0]:.0f}% {'closer' if figures['style_ratio'] <= 1 else 'further'} in style"
    style = f"composes {style} (95% interval {closer[1]:.0f}% to {closer[2]:.0f}%)"
    if figures["share"] == START.share:
        return style
    less = _oriented(figures["better_by"], figures["interval"])
    nats = f"needs {less[0]:.2f} nats per note {'less' if figures['better_by'] > 0 else 'more'}"
    if figures["interval"]:
        nats += f" (95% interval {less[1]:.2f} to {less[2]:.2f})"
    return f"{nats}, and {style}"


def _oriented(value: float, interval: Sequence[float] | None) -> tuple[float, float, float]:
    """The absolute value of a difference, and its interval in that direction."""
    low, high = interval or (value, value)
    return (value, low, high) if value >= 0 else (-value, -high, -low)
