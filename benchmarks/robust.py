"""Real files with bytes changed at random, through the workers: no crash, no hang, every file a fate.

    python benchmarks/robust.py FOLDER... [--mutations 20000] [--seed 1] [--workers 2] [--readers 300]

Each mutation is a file drawn from the folders and changed in one of the ways below; its seed is that of the
run and its number, so that any of them can be made again. --readers says how many are also read by mido and
compared with what symusic makes of them, note for note.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.workers.pool import Pool
from ritornello.corpus.workers.worker import Job
from ritornello.errors import MidiError
from ritornello.midi import parse
from ritornello.music.score import Score

LOST = ("crashed", "timed out", "out of memory")


def mutated(files: list[Path], seed: int, number: int) -> bytes:
    """Mutation `number` of the run with this seed."""
    draw = random.Random(f"{seed} {number}")
    data = bytearray(draw.choice(files).read_bytes())
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        at = draw.randrange(len(data) + 1)
        length = draw.choice((1, 1, 2, 4, 64))
        kind = draw.choice((0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 4, 2, 3, 5))
        if kind == 0:  # a bit
            data[at : at + 1] = bytes(byte ^ 1 << draw.randrange(8) for byte in data[at : at + 1])
        elif kind == 1:  # noise in place of what is there
            data[at : at + length] = draw.randbytes(length)
        elif kind == 2:  # noise between
            data[at:at] = draw.randbytes(length)
        elif kind == 3:  # a piece left out
            del data[at : at + length]
        elif kind == 4:  # extreme numbers
            data[at : at + length] = draw.choice((b"\xff", b"\x00", b"\x80", b"\x7f")) * length
        elif draw.random() < 0.2:  # cut off
            del data[at:]
        else:  # a piece twice
            data[at:at] = data[at : at + 16 * length]
    return bytes(data)


def batches(files: list[Path], seed: int, count: int) -> Iterator[list[Job]]:
    """All mutations, 32 at a time."""
    for start in range(0, count, 32):
        numbers = range(start, min(start + 32, count))
        yield [Job(b"%d" % number, mutated(files, seed, number)) for number in numbers]


def both_readers(files: list[Path], seed: int, count: int) -> Counter[str]:
    """How often the readers agree, and where they do not, in what."""
    found: Counter[str] = Counter()
    for number in range(count):
        data = mutated(files, seed, number)
        scores: list[Score | None] = []
        for reader in ("symusic", "mido"):
            try:
                scores.append(parse(data, reader=reader).score)  # type: ignore[arg-type]
            except MidiError:
                scores.append(None)
        fast, reference = scores
        if fast is None or reference is None:
            alone = "neither reads it" if fast is reference else "only symusic" if fast else "only mido"
            found[alone] += 1
        elif fast == reference:
            found["they agree"] += 1
        else:
            found["they differ"] += 1
            print(f"  the readers differ: seed {seed}, mutation {number}")
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--readers", type=int, default=300)
    options = parser.parse_args()
    endings = (".mid", ".midi", ".kar", ".rmi")
    files = sorted(
        p for f in options.folders for p in f.rglob("*") if p.suffix.lower() in endings and p.is_file()
    )
    fates: Counter[str] = Counter()
    start, number = time.perf_counter(), 0
    with Pool(options.workers, Checks()) as pool:
        for result in pool.run(batches(files, options.seed, options.mutations)):
            for row in result.rows:
                fates[row["fate"]] += 1
                if row["fate"] in LOST:
                    print(f"  {row['fate']}: seed {options.seed}, mutation {number}: {row['reason']}")
                number += 1
    seconds = time.perf_counter() - start
    print(f"seed {options.seed}: {number} mutations of {len(files)} files in {seconds:.0f} s: {dict(fates)}")
    print(f"crashed, hung or out of memory: {sum(fates[fate] for fate in LOST)}")
    print(f"both readers, {options.readers}: {dict(both_readers(files, options.seed, options.readers))}")


if __name__ == "__main__":
    main()
