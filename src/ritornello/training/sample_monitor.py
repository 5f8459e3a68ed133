"""Detect during training whether the network's samples have collapsed, such as into one repeated pitch.

The loss does not show this: a network may predict songs well and still repeat one note when it is sampled. So
a few bars are composed at each measurement and compared with the same number of bars of training songs. Each
kind of collapse has a share that is too high.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ritornello.composing.options import DEFAULT_CREATIVITY
from ritornello.composing.request import Request
from ritornello.composing.sampler import sample
from ritornello.composing.sampling import SamplingParams
from ritornello.errors import ScoreError
from ritornello.models.model import Model
from ritornello.models.plan_vector import infer_plan
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.music.theory import scale
from ritornello.music.timeline import Timeline

BARS, SONGS, HUMAN_SONGS = 8, 4, 32
NO_COLLAPSE, NOT_CHECKED = "no collapse", "not checked"
MARGIN = 0.15  # a share may exceed the largest one of training songs by this
NAMES = {
    "one pitch": "repeats one pitch",
    "loop": "loops",
    "silence": "falls silent",
    "crowd": "crowds all notes together",
    "astray": "sounds random",
}


class SampleMonitor:
    """Composes with the plans of `songs`, which have `song(i)` as `training.songs.EncodedSongs` has."""

    on_songs: ClassVar[Callable[[Sequence[Score | None]], None] | None] = None
    """Called with the songs of each measurement; the studio plays them."""

    def __init__(self, songs: Any, labels: Sequence[str], has_key_frame: bool = False) -> None:
        self.representation, self.labels = songs.representation, tuple(labels)
        self.has_key_frame = has_key_frame
        chosen = np.unique(np.linspace(0, len(songs) - 1, HUMAN_SONGS).astype(int)).tolist()
        encoded = [songs.song(songs.usable(i)) for i in chosen]
        plans = [first_bars(song.plan) for song in encoded]
        self.plans = [plan for plan in plans if plan is not None][:SONGS]
        decoded = [self.representation.decode(song.values, song.plan) for song in encoded]
        of_training_songs = list(map(collapse_shares, decoded))
        self.most = {name: max(song[name] for song in of_training_songs) for name in NAMES}

    def __call__(self, network: Any, name: str, seed: int) -> str:
        """Compose with a network, which the registry calls `name`, and describe the songs in a few words."""
        if not self.plans:
            return NOT_CHECKED
        weights = {key: tensor.detach().float().cpu().numpy() for key, tensor in network.state_dict().items()}
        info = {
            "representation": {"name": self.representation.name},
            "network": {"name": name, "config": network.settings()},
            "labels": list(self.labels),
            "key_frame": self.has_key_frame,
        }
        model = Model(Path("in training"), info, weights, {})
        choices = [field.name for field in self.representation.fields if field.kind == "choice"]
        requests = [Request(plan, seed, number) for number, plan in enumerate(self.plans)]
        composed = sample(
            model, requests, SamplingParams.from_creativity(DEFAULT_CREATIVITY, choices), rules=()
        )
        songs = [self._decode(song.rows, plan) for song, plan in zip(composed, self.plans, strict=True)]
        if SampleMonitor.on_songs:
            SampleMonitor.on_songs(songs)
        return self.describe(songs)

    def _decode(self, rows: Any, plan: Plan) -> Score | None:
        """The song; None if the rows are impossible as a song, such as one of more than 256 parts."""
        try:
            song: Score = self.representation.decode(rows, plan)
        except ScoreError:
            return None
        return song

    def describe(self, songs: Sequence[Score | None]) -> str:
        """Return the most frequent fault if most of the songs have one, else NO_COLLAPSE."""
        all_faults = [self.fault(song) for song in songs]
        faults = [fault for fault in all_faults if fault]
        if 2 * len(faults) <= len(songs):
            return NO_COLLAPSE
        return max(NAMES.values(), key=faults.count)

    def fault(self, song: Score | None) -> str:
        """Return the kind of collapse whose share exceeds its limit most; "" if none does."""
        if song is None:
            return NAMES["astray"]
        if not len(song):
            return NAMES["silence"]
        beyond = {name: share - self.most[name] for name, share in collapse_shares(song).items()}
        worst = max(beyond, key=lambda name: beyond[name])
        return NAMES[worst] if beyond[worst] > MARGIN else ""


def first_bars(plan: Plan) -> Plan | None:
    """Return the plan of the first BARS bars; None if the plan has fewer."""
    if plan.bars is None or plan.bars < BARS:
        return None
    meters = tuple(meter for meter in plan.meters if meter[0] < BARS)
    returns = plan.returns and plan.returns[:BARS]
    return replace(plan, bars=BARS, meters=meters, returns=returns, chords=())


def collapse_shares(song: Score) -> dict[str, float]:
    """Return, for each kind of collapse, its share (0-1) in the first BARS bars of a song.

    one pitch: notes that repeat the pitch before in their part; loop: bars equal to the bar before; silence:
    bars without an onset; crowd: notes beyond 12 at one onset; astray: pitched notes outside the key.
    """
    timeline = Timeline.of(song)
    bar = timeline.bar_of(song.onset_ticks) if len(song) else np.zeros(0, np.int64)
    early = bar < BARS
    bar, onset, pitch, part = bar[early], song.onset_ticks[early], song.pitch[early], song.part[early]
    if not len(bar):
        return dict.fromkeys(NAMES, 0.0) | {"silence": 1.0}
    key, tones = infer_plan(song).key, pitch[~song.of_drums[early]] % 12
    order = np.lexsort((onset, part))
    same = (np.diff(part[order]) == 0) & ~song.of_drums[early][order][1:]
    repeated = same & (np.diff(pitch[order].astype(int)) == 0)
    count = min(BARS, len(timeline))
    bars = [
        frozenset(
            zip((onset[bar == b] - timeline.start_ticks[b]).tolist(), pitch[bar == b].tolist(), strict=True)
        )
        for b in range(count)
    ]
    equal = sum(a == b for a, b in pairwise(bars))
    _, together = np.unique(onset, return_counts=True)
    return {
        "one pitch": float(repeated.sum() / max(1, same.sum())),
        "loop": equal / max(1, count - 1),
        "silence": 1 - len(set(bar.tolist())) / count,
        "crowd": float(np.maximum(together - 12, 0).sum() / len(bar)),
        "astray": float(np.mean(~np.isin(tones, list(scale(*key))))) if key and len(tones) else 0.0,
    }
