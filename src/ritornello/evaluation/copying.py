"""Copying: the longest runs that composed songs share with training songs, beside human ones and controls.

Human songs share runs too. Each human song is cut to as many notes as a composed one has, for a longer song
shares more by being longer. (How a run is found: `originality.py`.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.originality import Passage, closest_passages, opening, run_lengths
from ritornello.evaluation.style import SHARE
from ritornello.models.fingerprints import SongFingerprint
from ritornello.music.score import Score

FEWEST = 10  # songs of each
BEYOND = 0.95  # of the human songs have shorter runs than a song that is said to copy
OVERLAP = 0.8  # of the notes of a human song's largest part in one run: it is a training song itself
COPIED = 40  # training songs that are the control "copies": in another key they would be the same melodies
ROUNDS = 1000  # of the bootstrap by song
CONTROLS = ("bars shuffled", "n-gram", "marginals")


def copying(
    human: Sequence[Score],
    composed: Sequence[LabelledScore],
    made: Mapping[str, Sequence[Score]],
    training: Iterable[SongFingerprint],
    seed: int = 0,
) -> dict[str, Any]:
    """Runs in notes: medians, longest, and the share of songs beyond what 95% of the human songs share.

    `training` are the songs that were learnt from; they are gone through twice. "passages" has the closest
    one of each composed song, the longest first. "in_training" are the human songs (numbers) that are
    training songs themselves; they are left out.
    """
    if min(_with_melody(human), _with_melody(_scores(composed))) < FEWEST:
        needs = f"originality needs {FEWEST} human and {FEWEST} composed songs with a melody"
        few = {"too_few": f"{needs} (drums are not compared)"}
        return few | {
            "passages": passages(composed, closest_passages(_melodies(_scores(composed)), training))
        }
    cut = _cut(human, [len(song.score) for song in composed], seed)
    groups = {"composed": _melodies(_scores(composed)), "human": _melodies(cut)}
    groups["copies"] = list(islice(training, COPIED))
    groups |= {name: _melodies(made[name]) for name in CONTROLS if name in made}
    found = _closest_by_group(groups, training)
    runs = {name: np.array(run_lengths(groups[name], found[name])) for name in groups}
    known = runs["human"] >= OVERLAP * np.array([_longest_part(song) for song in cut])
    if (~known).sum() >= FEWEST:  # they would make any copy look human
        runs["human"] = runs["human"][~known]
    figures = _figures(runs, seed)
    return {
        **figures.pop("composed"),
        "runs": runs["composed"].tolist(),
        "human": figures.pop("human") | {"runs": runs["human"].tolist()},
        "limit": _limit(runs["human"]),
        "controls": figures,
        "discriminates": _ranks(runs),
        "in_training": np.flatnonzero(known).tolist(),
        "passages": passages(composed, found["composed"]),
    }


def passages(songs: Sequence[LabelledScore], found: Sequence[Passage | None]) -> list[dict[str, Any]]:
    """The closest passage of each song that has any, the longest first, as JSON can hold it."""
    having = [(song.name, passage) for song, passage in zip(songs, found, strict=True) if passage]
    having.sort(key=lambda pair: -pair[1].notes)
    return [{"of": name, **passage.plain()} for name, passage in having]


def _scores(songs: Sequence[LabelledScore]) -> list[Score]:
    return [song.score for song in songs]


def _with_melody(songs: Iterable[Score]) -> int:
    """How many songs have a note that no drum plays."""
    return sum(not song.of_drums.all() for song in songs)


def _melodies(songs: Iterable[Score]) -> list[SongFingerprint]:
    return [SongFingerprint.of(song) for song in songs]


def _cut(human: Sequence[Score], sizes: Sequence[int], seed: int) -> list[Score]:
    """The openings of the human songs, as long as composed songs are."""
    draw = np.random.default_rng(seed)
    lengths = draw.choice(np.sort(sizes), len(human)).tolist()
    return [opening(song, length) for song, length in zip(human, lengths, strict=True)]


def _closest_by_group(
    groups: Mapping[str, Sequence[SongFingerprint]], training: Iterable[SongFingerprint]
) -> dict[str, list[Passage | None]]:
    """The closest passages of all groups, looked for at once."""
    passages = iter(closest_passages([song for group in groups.values() for song in group], training))
    return {name: list(islice(passages, len(group))) for name, group in groups.items()}


def _longest_part(song: Score) -> int:
    """The notes of the largest part; at least two."""
    return int(np.bincount(song.part[~song.of_drums], minlength=1).max(initial=2))


def _limit(human: npt.NDArray[Any]) -> int:
    return int(np.quantile(human, BEYOND, method="higher"))


def _figures(runs: Mapping[str, npt.NDArray[Any]], seed: int) -> dict[str, Any]:
    """By group the median run with its interval, the longest, and the share of songs beyond the limit."""
    limit, draw = _limit(runs["human"]), np.random.default_rng(seed)
    found = {}
    for name, of in runs.items():
        medians = np.median(of[draw.integers(len(of), size=(ROUNDS, len(of)))], axis=1)
        found[name] = {
            "median": float(np.median(of)),
            "interval": [float(end) for end in np.quantile(medians, [(1 - SHARE) / 2, (1 + SHARE) / 2])],
            "longest": int(of.max()),
            "beyond": float((of > limit).mean()),
        }
    return found


def _ranks(runs: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Whether copies share more than human songs do, and noise does not."""
    copied = bool(np.median(runs["copies"]) > _limit(runs["human"]))
    noise = runs.get("marginals", runs["human"])
    return copied and bool(np.median(noise) <= np.median(runs["human"]))
