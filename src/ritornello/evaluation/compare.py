"""Comparison: composed songs against human ones, by all metrics at once, with the ladder beside each.

    style > detector > variety > originality (where the songs that were learnt from are at hand)

Copying fails originality, noise fails style and detector, one good song repeated fails variety: none of
them is reported alone. Nothing here reads a file, so the same songs and seed give the same report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.controls import CONTROLS, controls, repeated
from ritornello.evaluation.copying import copying
from ritornello.evaluation.detector import detector
from ritornello.evaluation.features import FEATURES, Table, table
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.style import style
from ritornello.evaluation.variety import SAME, variety
from ritornello.models.fingerprints import SongFingerprint
from ritornello.system.version import __version__

EVALUATOR = 2  # goes up whenever a figure may change for the same songs
FEWEST_OF_LABEL = 40  # human songs of a label, for figures that count
LENGTHS_APART = 1.5  # median bars of the one over the other, from which on it is said
FEWEST = 2  # songs, for any comparison
METRICS = ("style", "detector", "variety", "originality")
Progress = Callable[[int, int, str], None]  # done, total, what


class SongSet(NamedTuple):
    """Songs to compare: whence, the hash of all that was there, how many, and why some were not read."""

    where: str
    hash: str
    found: int
    songs: Sequence[LabelledScore]
    skipped: dict[str, str]

    def described(self) -> dict[str, Any]:
        """The group in a report."""
        bars = [len(AnalysedSong(song.score).timeline) for song in self.songs]
        return {
            "where": self.where,
            "hash": self.hash,
            "found": self.found,
            "used": len(self.songs),
            "notes": sum(len(song.score) for song in self.songs),
            "median_bars": float(np.median(bars)) if bars else 0.0,
            "skipped": dict(self.skipped),
        }


class TrainingMelodies(Protocol):
    """The melodies of the songs that a model learnt from, which may be gone through more than once."""

    where: str

    @property
    def hash(self) -> str:
        """Of all of them."""
        ...

    def __iter__(self) -> Iterator[SongFingerprint]: ...


def compare(
    composed: SongSet,
    human: SongSet,
    learnt: TrainingMelodies | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The report: all metrics of `composed` against `human`, as JSON can hold it.

    A metric for which there are too few songs says so under "too_few", with the least number. Originality is
    None without the songs that a model has `learnt` from.
    """
    tell = _Steps(progress)
    scores = {side: [song.score for song in group.songs] for side, group in _sides(composed, human)}
    made = controls(scores["human"], seed)
    tell("controls")
    tables = {SAME: table([AnalysedSong(song) for song in repeated(scores["human"], seed)])}
    for name, songs in (scores | made).items():
        tables[name] = table([AnalysedSong(song) for song in songs])
        tell(name)
    ours, theirs = tables.pop("composed"), tables.pop("human")
    ladder = {name: rows for name, rows in tables.items() if name != SAME}
    result: dict[str, Any] = {"ritornello": __version__, "evaluator": EVALUATOR, "seed": seed}
    result |= {side: group.described() for side, group in _sides(composed, human)}
    result["style"] = style(theirs, ours, ladder, seed)
    tell("style")
    result["detector"] = detector(theirs, ours, ladder, seed)
    tell("detector")
    result["variety"] = variety(theirs, ours, tables, seed)
    result["originality"] = None
    if learnt is not None:
        found = copying(scores["human"], composed.songs, made, learnt, seed)
        result["originality"] = found | {"where": learnt.where, "hash": learnt.hash}
    result["labels"] = by_label(composed, human, ours, theirs, seed)
    result["shapes"] = shapes(ours, theirs)
    result["remarks"] = remarks(result)
    tell("all")
    return result


def _sides(composed: SongSet, human: SongSet) -> tuple[tuple[str, SongSet], ...]:
    return ("composed", composed), ("human", human)


class _Steps:
    """Progress in steps of about equal length."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.done, self.total = progress, 0, len(CONTROLS) + 6

    def __call__(self, what: str) -> None:
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total, f"comparing  {what}")


def by_label(composed: SongSet, human: SongSet, ours: Table, theirs: Table, seed: int) -> dict[str, Any]:
    """Style, detector and variety of each label that both have.

    "few" says that fewer than FEWEST_OF_LABEL human songs have it: figures with their intervals, no verdict.
    """
    found: dict[str, Any] = {}
    common = {label for song in composed.songs for label in song.labels}
    for label in sorted(common & {label for song in human.songs for label in song.labels}):
        mine, others = (
            np.flatnonzero([label in song.labels for song in group.songs]) for group in (composed, human)
        )
        pair = (theirs.some(others), ours.some(mine))
        style_of = style(*pair, {}, seed)
        kept = ("too_few", "ratio", "interval", "within_1.5")
        found[label] = {
            "composed": len(mine),
            "human": len(others),
            "few": len(others) < FEWEST_OF_LABEL,
            "style": {name: value for name, value in style_of.items() if name in kept},
            "detector": detector(*pair, {}, seed),
            "variety": variety(*pair, {}, seed),
        }
    return found


def shapes(ours: Table, theirs: Table) -> dict[str, Any]:
    """By feature the mean shares of its bins, of composed and of human songs, for plots."""

    def mean(rows: Any) -> list[float]:
        heard = rows[np.isfinite(rows[:, 0])]
        return [round(float(share), 5) for share in heard.mean(axis=0)] if len(heard) else []

    return {
        feature.name: {
            "bins": feature.bins.round(6).tolist(),
            "composed": mean(ours.shares[feature.name]),
            "human": mean(theirs.shares[feature.name]),
        }
        for feature in FEATURES
    }


def remarks(report: dict[str, Any]) -> list[str]:
    """What one must know to read the figures, in words."""
    metrics = {name: report[name] for name in METRICS if report[name]}
    said = [found["too_few"] for found in metrics.values() if "too_few" in found]
    ours, theirs = report["composed"], report["human"]
    bars = ours["median_bars"], theirs["median_bars"]
    if min(bars) and max(bars) / min(bars) > LENGTHS_APART:
        said.append(
            f"composed songs have {bars[0]:.0f} bars, human ones {bars[1]:.0f} (medians): range, repeats and "
            "different pitches depend on the length"
        )
    if unread := len(ours["skipped"]):
        said.append(
            f"{unread} composed songs could not be judged and count in no figure: songs without "
            "notes or of one repeated note are the worst there are"
        )
    if few := [name for name, about in report["labels"].items() if about["few"]]:
        said.append(
            f"few human songs of {', '.join(few)} (fewer than {FEWEST_OF_LABEL}): "
            "their figures are guesses, no verdicts"
        )
    if ours["hash"] == theirs["hash"]:
        said.append("both sides are the same files: this says nothing")
    if known := len((report["originality"] or {}).get("in_training", ())):
        said.append(
            f"{known} of the {theirs['used']} human songs are among those learnt from, not held out: "
            "a model looks better here than it is"
        )
    table_alone = report["detector"].get("controls", {}).get("codec")
    if table_alone and table_alone["interval"][0] > 0.6:
        said.append(
            f"the codec alone gives human songs away (AUC {table_alone['auc']:.2f}): "
            "its grid of 24 ticks a beat and its bins of velocity change them, whatever a model does"
        )
    for name, found in metrics.items():
        if found.get("discriminates") is False:
            said.append(f"{name} does not discriminate here: it cannot rank the ladder of controls")
    return said
