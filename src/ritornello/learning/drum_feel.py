"""Drum feel of the user's own: drums that are performed, not quantised, train a network of `performing`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.learning.run_paths import Say
from ritornello.performing.drum_hits import Recording, recording_of
from ritornello.performing.drum_network import WEIGHTS, DrumNetwork, bundled
from ritornello.performing.manners import MANNERS, style_of_labels
from ritornello.performing.perform import is_played
from ritornello.system.files import write_bytes

FEWEST_SONGS, FEWEST_HELD_OUT, FEWEST_HITS = 8, 2, 3000  # with performed drums
MOST_SONGS = 2000
MOST_HITS_SEEN = 3_000_000  # in training, about a minute on one core
EPOCHS = (4, 40)  # the fewest and the most
LEAST_DEVIATION = 8.0  # of the velocities of performed drums


def learn_drum_feel(corpus: Corpus, model: Path, say: Say) -> dict[str, Any]:
    """Train a network on the performed drums of a corpus, and write it to the model folder if it is better.

    It is if it predicts those of the songs held out better than the network that ships. Returns the report.
    Raises OutputError.
    """
    train = performed_drums(corpus, "train")
    held_out = performed_drums(corpus, "valid") + performed_drums(corpus, "test")
    hits = sum(len(recording.velocity) for recording in train)
    report: dict[str, Any] = {"performed": len(train) + len(held_out), "hits": hits, "kept": False}
    if len(train) < FEWEST_SONGS or len(held_out) < FEWEST_HELD_OUT or hits < FEWEST_HITS:
        return report
    from safetensors.numpy import save

    from ritornello.training.drum_training import nats_per_hit, train_drum_network

    epochs = int(np.clip(MOST_HITS_SEEN // hits, *EPOCHS))
    weights = train_drum_network(train, held_out, epochs=epochs)
    nats = {
        name: sum(nats_per_hit(network, held_out).values())
        for name, network in (("own", DrumNetwork(weights)), ("bundled", bundled()))
    }
    report |= {"nats_per_hit": nats, "kept": nats["own"] < nats["bundled"]}
    if report["kept"]:
        write_bytes(model / WEIGHTS.name, save(weights))
    kept = "own drums of --feel are kept" if report["kept"] else "the drums that ship stay"
    figures = f"{nats['own']:.2f} nats per hit, those that ship {nats['bundled']:.2f}"
    say("feel", f"{report['performed']} songs have performed drums   {figures}: {kept}")
    return report


def performed_drums(corpus: Corpus, split: str) -> list[Recording]:
    """Return the recordings of those songs of a split whose drums are performed, not quantised."""
    found = []
    for number in corpus.songs(split)[:MOST_SONGS]:
        score = corpus.score(number)
        drums = np.flatnonzero(score.of_drums)
        if len(drums) and is_played(score, drums) and score.velocity[drums].std() >= LEAST_DEVIATION:
            style = style_of_labels(corpus.info(number).labels)
            found.append(recording_of(score, MANNERS[style].drums if style else ""))
    return found
