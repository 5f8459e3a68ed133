"""The metric *originality*: the longest runs of notes that composed songs share with the training songs.

Input: human and composed songs, controls, and the fingerprints of the training songs of a model.
Validation: at least FEWEST human and FEWEST composed songs with notes that are not drums.
Metric: the median over songs of the longest shared run of notes (`originality.closest_passages`), and the
  share of songs whose run is longer than that of 95% of the human songs. Human songs share runs too. A longer
  song shares more, so each human song is cut to the number of notes of a composed one. Human songs that are
  training songs are left out.
Source: our own. Intervals: the bootstrap over songs (Efron 1979).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from ritornello.evaluation.analysed_song import Ints
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.originality import Passage, closest_passages, opening, run_lengths
from ritornello.evaluation.style import quantile_interval
from ritornello.models.fingerprints import SongFingerprint
from ritornello.music.score import Score

FEWEST = 10  # human songs, and composed songs
LIMIT_QUANTILE = 0.95  # of the human songs' runs; a composed song with a longer run counts as a copy
OVERLAP = 0.8  # a human song is a training song if one run has this share of the notes of its largest part
COPIES = 40  # the control "copies" are this many training songs; another key would not change fingerprints
ROUNDS = 1000
CONTROLS = ("bars shuffled", "n-gram", "marginals")


def copying(
    human: Sequence[Score],
    composed: Sequence[LabelledScore],
    controls: Mapping[str, Sequence[Score]],
    training: Iterable[SongFingerprint],
    seed: int = 0,
) -> dict[str, Any]:
    """Return the longest shared runs in notes: medians, maxima, and the share of songs beyond the limit.

    `training` is iterated twice. "passages" has the closest passage of each composed song, the longest first;
    "in_training" the indices of the human songs that are training songs. Without enough songs the result has
    "too_few" and "passages" only.
    """
    scores = [song.score for song in composed]
    if min(_count_with_pitches(human), _count_with_pitches(scores)) < FEWEST:
        needs = f"originality needs {FEWEST} human and {FEWEST} composed songs with a melody"
        nearest = closest_passages(_fingerprints(scores), training)
        return {"too_few": f"{needs} (drums are not compared)", "passages": passages(composed, nearest)}
    cut = _cut(human, [len(score) for score in scores], seed)
    groups = {"composed": _fingerprints(scores), "human": _fingerprints(cut)}
    groups["copies"] = list(islice(training, COPIES))
    groups |= {name: _fingerprints(controls[name]) for name in CONTROLS if name in controls}
    closest = _closest_by_group(groups, training)
    runs = {name: np.array(run_lengths(groups[name], closest[name])) for name in groups}
    in_training = runs["human"] >= OVERLAP * np.array([_size_of_largest_part(song) for song in cut])
    if (~in_training).sum() >= FEWEST:  # otherwise they would make any copy look human
        runs["human"] = runs["human"][~in_training]
    figures = _figures(runs, seed)
    return {
        **figures.pop("composed"),
        "runs": runs["composed"].tolist(),
        "human": figures.pop("human") | {"runs": runs["human"].tolist()},
        "limit": _limit(runs["human"]),
        "controls": figures,
        "discriminates": _discriminates(runs),
        "in_training": np.flatnonzero(in_training).tolist(),
        "passages": passages(composed, closest["composed"]),
    }


def passages(songs: Sequence[LabelledScore], closest: Sequence[Passage | None]) -> list[dict[str, Any]]:
    """Return the closest passages of the songs that have one, the longest first, as JSON can hold them."""
    pairs = [(song.name, passage) for song, passage in zip(songs, closest, strict=True) if passage]
    pairs.sort(key=lambda pair: -pair[1].notes)
    return [{"of": name, **passage.to_dict()} for name, passage in pairs]


def _count_with_pitches(songs: Iterable[Score]) -> int:
    """Return how many songs have a note that is not a drum."""
    return sum(not song.of_drums.all() for song in songs)


def _fingerprints(songs: Iterable[Score]) -> list[SongFingerprint]:
    return [SongFingerprint.of(song) for song in songs]


def _cut(human: Sequence[Score], lengths: Sequence[int], seed: int) -> list[Score]:
    """Cut each human song to a number of notes that is drawn from `lengths`, those of the composed songs."""
    draw = np.random.default_rng(seed)
    drawn = draw.choice(np.sort(lengths), len(human)).tolist()
    return [opening(song, length) for song, length in zip(human, drawn, strict=True)]


def _closest_by_group(
    groups: Mapping[str, Sequence[SongFingerprint]], training: Iterable[SongFingerprint]
) -> dict[str, list[Passage | None]]:
    """Return the closest passages of the songs of each group, in one search over the training songs."""
    closest = iter(closest_passages([song for group in groups.values() for song in group], training))
    return {name: list(islice(closest, len(group))) for name, group in groups.items()}


def _size_of_largest_part(song: Score) -> int:
    """Return the number of notes of the largest part that is not drums; at least 2."""
    return int(np.bincount(song.part[~song.of_drums], minlength=1).max(initial=2))


def _limit(human_runs: Ints) -> int:
    """Return the run that 95% of the human songs do not exceed."""
    return int(np.quantile(human_runs, LIMIT_QUANTILE, method="higher"))


def _figures(runs: Mapping[str, Ints], seed: int) -> dict[str, Any]:
    """Return for each group the median run with its interval, the longest, and the share beyond the limit."""
    limit, draw = _limit(runs["human"]), np.random.default_rng(seed)
    figures = {}
    for name, group in runs.items():
        medians = np.median(group[draw.integers(len(group), size=(ROUNDS, len(group)))], axis=1)
        figures[name] = {
            "median": float(np.median(group)),
            "interval": [float(end) for end in quantile_interval(medians)],
            "longest": int(group.max()),
            "beyond": float((group > limit).mean()),
        }
    return figures


def _discriminates(runs: Mapping[str, Ints]) -> bool:
    """Whether copies share more than human songs do, and noise does not."""
    copies_stand_out = bool(np.median(runs["copies"]) > _limit(runs["human"]))
    noise = runs.get("marginals", runs["human"])
    return copies_stand_out and bool(np.median(noise) <= np.median(runs["human"]))
