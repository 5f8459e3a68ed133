"""Compare composed songs with human songs by all metrics, which are also computed for the controls.

    style > detector > variety > originality (if the training songs are known) > coherence (without controls)

No metric is reported alone: copies fail originality, noise fails style and the detector, one good song that
is repeated fails variety. Nothing here reads a file. The same songs and seed give the same report.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol

import numpy as np

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.coherence_table import coherence
from ritornello.evaluation.controls import CONTROLS, control_songs, one_song_repeated
from ritornello.evaluation.copying import copying
from ritornello.evaluation.detector import detector
from ritornello.evaluation.features import FEATURES, SongTable, song_table
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.style import style
from ritornello.evaluation.variety import ONE_SONG, variety
from ritornello.models.fingerprints import SongFingerprint
from ritornello.system.progress import Progress, no_progress
from ritornello.system.version import __version__

EVALUATOR = 2  # a version, raised whenever a figure may change for the same songs
FEWEST_OF_LABEL = 40  # with fewer human songs of a label there is a warning
LENGTH_RATIO = 1.5  # from this ratio of the median bars of both sets on there is a warning
FEWEST = 2  # the least number of songs of each set
METRICS = ("style", "detector", "variety", "originality")


class SongSet(NamedTuple):
    """Songs to compare: a sample of a folder or corpus."""

    where: str  # its path
    hash: str  # of all its songs
    song_count: int  # how many songs are there, in the sample or not
    songs: Sequence[LabelledScore]  # the sample
    skipped: dict[str, str]  # songs that were not used: the reason of each by name

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of the set in a report."""
        bars = [len(AnalysedSong(song.score).timeline) for song in self.songs]
        return {
            "where": self.where,
            "hash": self.hash,
            "found": self.song_count,
            "used": len(self.songs),
            "notes": sum(len(song.score) for song in self.songs),
            "median_bars": float(np.median(bars)) if bars else 0.0,
            "skipped": dict(self.skipped),
        }


class TrainingFingerprints(Protocol):
    """The fingerprints of the training songs of a model; they can be iterated more than once."""

    where: str

    @property
    def hash(self) -> str:
        """The hash of all of them."""
        ...

    def __iter__(self) -> Iterator[SongFingerprint]: ...


def compare(
    composed: SongSet,
    human: SongSet,
    training: TrainingFingerprints | None = None,
    *,
    seam_bar: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the report of all metrics of `composed` against `human`, as JSON can hold it.

    A metric that has too few songs gives the reason under "too_few". "originality" is None without
    `training`. With `seam_bar`, "coherence" also compares the bars before and after the beginning of this bar
    (from 0).
    """
    update, numbers = progress or no_progress, count(1)

    def report_step(step: str) -> None:
        update(next(numbers), len(CONTROLS) + 6, f"comparing  {step}")

    scores = {"composed": [s.score for s in composed.songs], "human": [s.score for s in human.songs]}
    controls = control_songs(scores["human"], seed)
    report_step("controls")
    one_song = song_table([AnalysedSong(song) for song in one_song_repeated(scores["human"], seed)])
    tables = {}
    for name, songs in (scores | controls).items():
        tables[name] = song_table([AnalysedSong(song) for song in songs])
        report_step(name)
    ours, theirs = tables.pop("composed"), tables.pop("human")
    result: dict[str, Any] = {"ritornello": __version__, "evaluator": EVALUATOR, "seed": seed}
    result |= {"composed": composed.to_dict(), "human": human.to_dict()}
    result["style"] = style(theirs, ours, tables, seed)
    report_step("style")
    result["detector"] = detector(theirs, ours, tables, seed)
    report_step("detector")
    result["variety"] = variety(theirs, ours, {ONE_SONG: one_song, **tables}, seed)
    result["originality"] = None
    if training is not None:
        originality = copying(scores["human"], composed.songs, controls, training, seed)
        result["originality"] = originality | {"where": training.where, "hash": training.hash}
    result["labels"] = compare_labels(composed, human, ours, theirs, seed)
    _add_coherence(result, composed, human, seam_bar)
    result["shapes"] = mean_histograms(ours, theirs)
    result["remarks"] = warnings(result)
    report_step("all")
    return result


def _add_coherence(report: dict[str, Any], composed: SongSet, human: SongSet, seam_bar: int | None) -> None:
    """Add "coherence" to the report and to each of its labels."""
    bars = round(report["composed"]["median_bars"])
    for label, figures in ((None, report), *report["labels"].items()):
        composed_scores, human_scores = (
            [song.score for song in group.songs if label is None or label in song.labels]
            for group in (composed, human)
        )
        figures["coherence"] = coherence(composed_scores, human_scores, bars=bars, seam_bar=seam_bar)


def compare_labels(
    composed: SongSet, human: SongSet, ours: SongTable, theirs: SongTable, seed: int
) -> dict[str, Any]:
    """Return style, detector and variety for each label that both sets have.

    "few" says that fewer than FEWEST_OF_LABEL human songs have the label.
    """
    figures_of_label: dict[str, Any] = {}
    common = {label for song in composed.songs for label in song.labels}
    for label in sorted(common & {label for song in human.songs for label in song.labels}):
        of_composed, of_human = (
            np.flatnonzero([label in song.labels for song in group.songs]) for group in (composed, human)
        )
        pair = (theirs.select(of_human), ours.select(of_composed))
        keys = ("too_few", "ratio", "interval", "within_1.5")
        figures_of_label[label] = {
            "composed": len(of_composed),
            "human": len(of_human),
            "few": len(of_human) < FEWEST_OF_LABEL,
            "style": {key: value for key, value in style(*pair, {}, seed).items() if key in keys},
            "detector": detector(*pair, {}, seed),
            "variety": variety(*pair, {}, seed),
        }
    return figures_of_label


def mean_histograms(ours: SongTable, theirs: SongTable) -> dict[str, Any]:
    """Return for each feature its bins and the mean histograms of composed and of human songs, for plots."""

    def mean(histograms: Any) -> list[float]:
        having = histograms[np.isfinite(histograms[:, 0])]
        return [round(float(share), 5) for share in having.mean(axis=0)] if len(having) else []

    return {
        feature.name: {
            "bins": feature.bins.round(6).tolist(),
            "composed": mean(ours.histograms[feature.name]),
            "human": mean(theirs.histograms[feature.name]),
        }
        for feature in FEATURES
    }


def warnings(report: dict[str, Any]) -> list[str]:
    """Return warnings about the figures of a report, a sentence each."""
    metrics = {name: report[name] for name in METRICS if report[name]}
    sentences = [figures["too_few"] for figures in metrics.values() if "too_few" in figures]
    ours, theirs = report["composed"], report["human"]
    bars = ours["median_bars"], theirs["median_bars"]
    if min(bars) and max(bars) / min(bars) > LENGTH_RATIO:
        sentences.append(
            f"composed songs have {bars[0]:.0f} bars, human ones {bars[1]:.0f} (medians): range, repeats and "
            "different pitches depend on the length"
        )
    if skipped := len(ours["skipped"]):
        sentences.append(
            f"{skipped} composed songs could not be judged and count in no figure, though songs without "
            "notes or of one repeated note are the worst"
        )
    if few := [name for name, label in report["labels"].items() if label["few"]]:
        sentences.append(
            f"few human songs of {', '.join(few)} (fewer than {FEWEST_OF_LABEL}): their figures are uncertain"
        )
    if ours["hash"] == theirs["hash"]:
        sentences.append("both sets are the same files: the figures mean nothing")
    if trained_on := len((report["originality"] or {}).get("in_training", ())):
        sentences.append(
            f"{trained_on} of the {theirs['used']} human songs are training songs, not held out: "
            "the model looks better here than it is"
        )
    codec = report["detector"].get("controls", {}).get("codec")
    if codec and codec["interval"][0] > 0.6:
        sentences.append(
            f"the codec alone reveals human songs (AUC {codec['auc']:.2f}): "
            "its grid of 24 ticks a beat and its bins of velocity change them, whatever the model"
        )
    for name, figures in metrics.items():
        if figures.get("discriminates") is False:
            sentences.append(f"{name} does not discriminate here: it cannot rank the controls")
    return sentences
