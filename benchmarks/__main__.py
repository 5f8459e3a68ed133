"""The entry of the benchmarks: lists them, or runs one.

    python -m benchmarks                    lists all
    python -m benchmarks NAME --help        explains one
    python -m benchmarks NAME [options]     runs it

It is started in the root of the repository, with Ritornello installed or with src in PYTHONPATH.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.shared import Benchmark
from ritornello.errors import RitornelloError

GROUPS: dict[str, dict[str, tuple[str, str]]] = {  # of names: the module, what it measures
    "Corpus": {
        "prepare": (
            "corpus.prepare",
            "Speed and memory of `prepare`, compared with mido, MidiTok and symusic",
        ),
        "cluster": (
            "corpus.workers",
            "Speed of `prepare` with Dask, compared with its own pool of processes",
        ),
        "robust": ("corpus.workers", "Outcome of thousands of MIDI files with random damage"),
        "duplicates": ("corpus.duplicates", "Recall, precision and growth of the search for duplicates"),
    },
    "Representation": {
        "rows": ("notes", "Rows per second of encoding songs as `notes`, and of its cursor"),
        "candidates": ("notes", "How often the candidates echo and alone predict the next note"),
        "chords": ("notes", "How often estimated chords agree with labelled ones"),
    },
    "Training and likelihood": {
        "pop": ("pop.pop", "Nats per note on pop piano after equal time: Ritornello, ablations, MidiTok"),
        "rivals": (
            "pop.rivals",
            "Train MidiTok's REMI with GPT-2 or an LSTM (runs where miditok is installed)",
        ),
        "rival-songs": ("pop.remi", "Sample songs from a GPT-2 that `rivals` trained (same)"),
        "cache": ("cache", "Nats per note of an LSTM with a cache of its song, instead of candidates"),
        "groups": (
            "groups",
            "Nats per note by collection and training time, and the worth of given notes",
        ),
        "velocity-bins": ("ablations", "Nats per note with 32 and with 16 velocity bins"),
        "interval-loss": ("ablations", "Nats per note and pitches in key with the interval loss of 2018"),
        "frame": ("frame", "Nats per note of networks that learn songs in one key, and of those that do not"),
        "sketch-fields": ("frame", "What each part of the sketch, and each candidate, is worth to a model"),
        "keys": ("keys", "How often estimated keys are those of the key signature"),
        "labels": ("labels", "Nats per note of each label, next to an n-gram and the model before"),
        "jsb": ("chorales.jsb", "Nats per token on Bach's chorales, a standard benchmark"),
        "original": ("original", "Errors of the network of 2018, compared with simple baselines"),
        "original-losses": ("original", "The network of 2018 with several losses and seeds"),
        "original-scale": (
            "original_scale",
            "The network of 2018 from 100,000 files to a song: time, memory",
        ),
        "speed": ("speed", "Notes per second of training, compared with other tools and with the peak"),
        "loader": ("speed", "Rows per second and memory of the batches of a large corpus"),
        "learn": ("learn", "What `learn` forecasts, compared with what it then needs"),
    },
    "Composing": {
        "compose": (
            "compose.songs",
            "Songs of the bundled model, compared with human songs that are new to it",
        ),
        "reencode": ("reencode", "Whether songs drawn at temperature 1 are encoded as they were drawn"),
        "melody": ("compose.rules", "Dissonance of songs composed around a given melody"),
        "shapes": ("compose.shapes", "Density, register, loops and variations: what is asked, what is heard"),
        "rules": ("compose.rules", "How many notes of human songs each sampling rule would forbid"),
        "chart": ("compose.chart", "Chord tones, basses and scales of songs by a chord chart or in a mode"),
        "steps": ("compose.steps", "Notes per second of the numpy steps, compared with torch and midigpt"),
        "coherence": (
            "coherence.coherence",
            "Whether songs of all labels hold together: ends, keys, parts",
        ),
        "sketches": ("coherence.sketches", "Form, motifs, chords and density of sketches, next to people's"),
        "given-sketches": (
            "coherence.given_sketches",
            "How well the detector distinguishes songs from people's and from drawn sketches",
        ),
        "judge": ("judge.judge", "Songs of several models and folders, judged by the same human songs"),
    },
    "Other": {
        "feel": ("feel", "How close performed drums are to those of people, beside Gaussian jitter"),
        "jam": ("jam", "Lateness of planned notes in jams, and notes that do not end"),
        "studio": (
            "studio",
            "The studio: first page, note and sound, many clients, memory after jobs",
        ),
        "audio": ("audio", "Speed and fidelity of the synthesizer, compared with FluidSynth"),
        "install": ("install", "Megabytes of the base install"),
    },
}
BENCHMARKS = {name: entry for group in GROUPS.values() for name, entry in group.items()}


def find(name: str) -> Benchmark:
    """The benchmark of a name; importing it may take seconds."""
    module = import_module(f"benchmarks.{BENCHMARKS[name][0]}")
    found: Benchmark = getattr(module, name.replace("-", "_"))
    return found


def listing() -> str:
    """All names with a line each."""
    lines = [(__doc__ or "").partition("\n\n")[2].strip("\n")]
    for group, entries in GROUPS.items():
        lines += ["", group, *(f"  {name:<16}{summary}" for name, (_, summary) in entries.items())]
    return "\n".join(lines)


def main(words: Sequence[str]) -> int:
    """Run a benchmark, or list all; returns the exit code."""
    if not words or words[0] in ("-h", "--help"):
        print(listing())
        return 0
    name, *rest = words
    if name not in BENCHMARKS:
        close = difflib.get_close_matches(name, BENCHMARKS, n=1)
        hint = f", did you mean {close[0]!r}?" if close else "; `python -m benchmarks` lists all"
        print(f"no benchmark is named {name!r}{hint}", file=sys.stderr)
        return 2
    try:
        find(name).run(name, BENCHMARKS[name][1], rest)
    except RitornelloError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
