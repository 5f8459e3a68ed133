"""Train the network of drum feel that ships with Ritornello, on the Groove MIDI Dataset.

    python examples/bundle/drum_feel.py --groove DIR --out src/ritornello/performing/drums.safetensors

DIR is the unpacked data set with its info.csv. The official train split is learned from, the validation split
is measured after each epoch; the test split is not read (`python -m benchmarks feel` measures it).
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from ritornello import midi
from ritornello.performing.drum_hits import recording_of
from ritornello.performing.feel_network import DRUMS
from ritornello.performing.grid_notes import Recording
from ritornello.system.files import write_bytes
from ritornello.training.feel_training import EPOCHS, train_feel_network

CREDIT = 'Learned from the "Groove MIDI Dataset" by Google LLC, CC BY 4.0; '
CREDIT += "Gillick, Roberts, Engel, Eck and Bamman, "
CREDIT += '"Learning to Groove with Inverse Sequence Transformations", ICML 2019.'


def recordings(folder: Path, split: str) -> list[Recording]:
    """The recordings of a split of the data set, in the order of its table."""
    with (folder / "info.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split]
    return [
        recording_of(midi.read(folder / row["midi_filename"]), row["style"].split("/")[0], float(row["bpm"]))
        for row in rows
    ]


def main() -> int:
    """Train and write the weights; returns the exit code."""
    from safetensors.numpy import save

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groove", type=Path, required=True, help="the folder that has info.csv")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors to write")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    splits = [recordings(options.groove, split) for split in ("train", "validation")]

    def print_nats(epoch: int, nats: dict[str, float]) -> None:
        print(epoch + 1, " ".join(f"{name} {value:.4f}" for name, value in nats.items()), flush=True)

    weights = train_feel_network(DRUMS, *splits, epochs=options.epochs, on_epoch=print_nats)
    write_bytes(options.out, save(weights, metadata={"data": CREDIT}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
