"""Estimated keys: how often they are those of the key signature, and how often songs end on their tonic."""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.shared import CORPUS, argument, benchmark, table
from ritornello import Corpus
from ritornello.music import theory
from ritornello.music.key_estimate import estimate_key

CASES = {"pitches alone": (False, False), "and last bass note": (True, False), "and signature": (True, True)}


@benchmark(
    CORPUS,
    argument("--labels", nargs="+", help="default: all labels of the corpus"),
    argument("--songs", type=int, default=250, help="of each label, drawn by the seed (default: 250)"),
    argument("--seed", type=int, default=0),
)
def keys(options: argparse.Namespace) -> None:
    """Estimate the keys of training songs from their pitches, also with the last bass note and the signature.

    "= signature" is of songs whose only key signature has sharps or flats, so it is fair only where the
    signature is not read; "tonic" is the share of songs whose lowest note at the end is the tonic of the
    estimated key.
    """
    corpus = Corpus.open(options.corpus)
    rows = []
    for label in options.labels or corpus.labels:
        numbers = [n for n in corpus.songs("train").tolist() if label in corpus.info(n).labels]
        drawn = np.random.default_rng(options.seed).permutation(numbers)[: options.songs].tolist()
        same: dict[str, list[bool]] = {case: [] for case in CASES}
        ends: dict[str, list[bool]] = {case: [] for case in CASES}
        for number in drawn:
            score = corpus.score(number)
            pitched = ~score.of_drums
            if not pitched.any():
                continue
            onset, duration = score.onset_ticks[pitched].astype(np.int64), score.duration_ticks[pitched]
            pitch = score.pitch[pitched]
            bass = int(pitch[(onset <= onset.max()) & (onset + duration > onset.max())].min(initial=127)) % 12
            sharps = {key.sharps for key in score.keys}
            signature = score.keys[0] if len(score.keys) == 1 else None
            weights = np.bincount(pitch % 12, duration, 12).astype(np.float64)
            for case, (uses_bass, uses_signature) in CASES.items():
                given_sharps = next(iter(sharps)) if uses_signature and len(sharps) == 1 else 0
                key = estimate_key(weights, bass if uses_bass else None, given_sharps)
                ends[case].append(theory.key_tonic(*key) == bass)
                if signature and signature.sharps:
                    same[case].append(tuple(key) == (signature.sharps, signature.is_minor))
        shares = [f"{np.mean(found):.0%}" if found else "" for found in (*same.values(), *ends.values())]
        rows.append([label, len(drawn), len(same["pitches alone"]), *shares])
        print(*rows[-1], flush=True)
    head = ["label", "songs", "with signature", *(f"= signature: {case}" for case in CASES)]
    print(table([*head, *(f"tonic: {case}" for case in CASES)], rows))
