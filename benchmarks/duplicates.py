"""Duplicates: recall and precision on planted copies of real files, pairs found among them, growth.

    python benchmarks/duplicates.py FOLDER... [--work DIR] [--songs 1000000] [--show 30]

Reads every MIDI file under the folders once, plants six copies of each and keeps all sketches in --work
(about 1.5 GB with a million songs), so that running again goes straight to the tables. Then it prints
1. how many copies are found, by what was done to them and by their exact likeness, and how many of all
   that is dropped repeats something else;
2. the same for the pairs that are in the folders already, against the exact likeness of all pairs;
   --show prints some of them as notes, to be looked at;
3. time, counted work and memory against the number of songs: real files, real files with copies, and
   generated sketches (20% copies, and 3% of each sketch from a real one, for what songs have in common).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from copies import MAKERS
from ritornello.corpus.checks.check import Checks, check
from ritornello.corpus.duplicates.decide import KINDS, LIKENESS, MIN_RUNS, SKETCH, decide, sketch
from ritornello.corpus.duplicates.sketch import EMPTY, runs
from ritornello.music.score import Score

# Sketches of the folders and of the copies, made once


def songs(folders: list[Path]) -> Iterator[tuple[str, Score]]:
    """The readable files under the folders, each content once, in the order of their hashes."""
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".mid", ".midi", ".kar", ".rmi") and path.is_file():
                files.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    for _, path in sorted(files.items()):
        score = check(path.read_bytes(), Checks()).score
        if score is not None:
            yield str(path), score


def plant(folders: list[Path], work: Path) -> None:
    """Write the sketches of all songs and of six copies of each, and what is exactly true of them."""
    draw = np.random.default_rng(1)
    names, sets, likeness, seconds, notes = [], [], [], 0.0, 0
    previous: Score | None = None
    with (work / "real.sketches").open("wb") as real, (work / "copies.sketches").open("wb") as copies:
        for name, score in songs(folders):
            start = time.perf_counter()
            real.write(sketch(score))
            seconds, notes = seconds + time.perf_counter() - start, notes + len(score)
            names.append(name)
            sets.append(runs(score))
            donor, previous = previous or score, score
            for make in MAKERS:
                copy = make(score, donor, draw)
                copies.write(sketch(copy))
                theirs = runs(copy)
                shared = len(np.intersect1d(sets[-1], theirs, assume_unique=True))
                likeness.append(shared / max(len(sets[-1]) + len(theirs) - shared, 1))
    np.save(work / "runs.npy", np.concatenate(sets))
    np.save(work / "likeness.npy", np.array(likeness, np.float32).reshape(-1, len(MAKERS)))
    facts = {"names": names, "sketch_ms": 1e3 * seconds / len(names), "notes": notes / len(names)}
    (work / "facts.json").write_text(json.dumps(facts))


# 1 and 2: what is found


def copies_found(work: Path) -> None:
    """Recall and precision: all real songs first, then the copies. Recall is of the songs that are kept."""
    real, copies = (np.fromfile(work / f"{name}.sketches", SKETCH) for name in ("real", "copies"))
    order = np.random.default_rng(2).permutation(len(copies)) + len(real)
    decided = decide(np.concatenate([real, copies]), np.concatenate([np.arange(len(real)), order]))
    target, known = decided.duplicate_of, decided.duplicate_of[: len(real)]
    identity = np.where(known >= 0, known, np.arange(len(real)))  # some real songs are copies already
    identity = np.concatenate([identity, np.repeat(identity, len(MAKERS))])
    dropped = target >= 0
    right = (dropped & (identity[target] == identity))[len(real) :].reshape(-1, len(MAKERS))[known < 0]
    likeness = np.load(work / "likeness.npy")[known < 0]
    print(f"\n{len(real)} real songs, {len(copies)} copies; share found, by exact likeness to the kept song")
    print(f"{'':16}{'0.5-1':>16}{'0.4-0.5':>16}{'0.2-0.4':>16}{'all':>16}")
    for place, name in [*enumerate(m.__name__ for m in MAKERS), (slice(None), "together")]:
        line = f"{name:16}"
        for low, high in ((0.5, 1.01), (0.4, 0.5), (0.2, 0.4), (-1, 2)):
            inside = (likeness[:, place] >= low) & (likeness[:, place] < high)
            line += f"{right[:, place][inside].mean():9.2%} {inside.sum():6d}" if inside.any() else " " * 16
        print(line)
    wrong = int((dropped & (identity[target] != identity))[len(real) :].sum())
    print(
        f"precision {1 - wrong / dropped[len(real) :].sum():.4%}: {wrong} of {dropped[len(real) :].sum()}",
        end="",
    )
    print(f" wrong; too few runs in {(real['runs'] < MIN_RUNS).mean():.1%} of the songs")


def exact_pairs(work: Path, counts: npt.NDArray[Any]) -> tuple[Any, Any, Any]:
    """All pairs of real songs that share a run, and their exact likeness: (P,) each, earlier before later."""
    from scipy import sparse

    song = np.repeat(np.arange(len(counts)), counts)
    _, run, uses = np.unique(np.load(work / "runs.npy"), return_inverse=True, return_counts=True)
    common = uses[run] > 1
    ones = np.ones(common.sum(), np.int32)
    table = sparse.csr_matrix((ones, (song[common], run[common])), shape=(len(counts), len(uses)))
    pairs = sparse.triu(table @ table.T, 1).tocoo()
    size = counts.astype(int)
    return pairs.row, pairs.col, pairs.data / (size[pairs.row] + size[pairs.col] - pairs.data)


def pairs_found(work: Path, show: int) -> None:
    """What the folders had already, against the exact likeness of all pairs."""
    real, facts = np.fromfile(work / "real.sketches", SKETCH), json.loads((work / "facts.json").read_text())
    decided = decide(real)
    kept = decided.duplicate_of < 0
    star = np.where(kept, np.arange(len(real)), decided.duplicate_of)
    first, second, likeness = exact_pairs(work, real["runs"])
    apt = np.minimum(real["runs"][first], real["runs"][second]) >= MIN_RUNS
    counts = np.bincount(decided.kind, minlength=len(KINDS))
    print(
        f"\n{len(real)} real songs:", ", ".join(f"{n} {kind}" for kind, n in zip(KINDS, counts, strict=True))
    )
    for low, high in ((0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 1)):
        inside = apt & (likeness >= low) & ((likeness < high) | (high == 1))
        same, both = (star[first] == star[second]) & inside, kept[first] & kept[second] & inside
        line = f"{inside.sum():5d} pairs, {same.sum():5d} in one group, {both.sum():5d} with both kept"
        print(f"  exact likeness {low}-{high}: {line}")
    exact = {(a, b): x for a, b, x in zip(first.tolist(), second.tolist(), likeness.tolist(), strict=True)}
    near = np.flatnonzero(decided.kind == KINDS.index("near"))
    value = np.array([exact.get((min(n, star[n]), max(n, star[n])), 0.0) for n in near])
    error = decided.likeness[near] - value
    print(f"  near: estimate less exact likeness {error.mean():.3f}, standard deviation {error.std():.3f}")
    print(f"  near by containment, less alike than {LIKENESS}: {(value < LIKENESS).sum()}")
    for number in np.random.default_rng(3).permutation(near)[:show]:
        print(f"\n{decided.likeness[number]:.2f}")
        present(facts["names"][star[number]])
        present(facts["names"][number])


def present(name: str) -> None:
    """Print the beginning of the pitched part of a file that has the most notes: pitch@beat."""
    score = check(Path(name).read_bytes(), Checks()).score
    assert score is not None
    pitched = ~np.array([part.is_drum for part in score.parts])[score.part]
    notes = np.flatnonzero(score.part == np.bincount(score.part, pitched).argmax())[:24]
    beats = score.onset_ticks[notes] / score.ticks_per_beat
    print(f"  {name}  {score!r}")
    print("    " + " ".join(f"{p}@{b:.4g}" for p, b in zip(score.pitch[notes], beats, strict=True)))


# 3: growth


def generate(work: Path, count: int) -> None:
    """`count` sketches drawn at random, in pieces."""
    draw, real = np.random.default_rng(4), np.fromfile(work / "real.sketches", SKETCH)
    real = real[real["runs"] >= MIN_RUNS]
    with (work / "generated.sketches").open("wb") as file:
        for start in range(0, count, 4096):
            block = real[draw.integers(0, len(real), min(4096, count - start))].copy()
            block["notes"], block["transposed"] = draw.integers(0, 2**63, (2, len(block)))
            each = np.maximum(block["runs"][:, None] / 256, 0.01)  # runs in a bin; the least of them, drawn
            fresh = (1 - draw.random(block["bins"].shape) ** (1 / each)) * (EMPTY - 1)
            own = (draw.random(fresh.shape) < 0.97) & (block["bins"] != EMPTY)
            block["bins"] = np.where(own, fresh.astype(np.uint32), block["bins"])
            copies = np.flatnonzero(draw.random(len(block)) < 0.2)
            likeness = draw.uniform(0.3, 1, (len(copies), 1))
            model = block[draw.integers(0, len(block), len(copies))]
            keep = draw.random(model["bins"].shape) < likeness
            block["bins"][copies] = np.where(keep, model["bins"], block["bins"][copies])
            block["runs"][copies] = model["runs"]
            file.write(block.tobytes())


def planted(work: Path) -> None:
    """Each real song followed by its copies, so that any first part has the same share of them."""
    real, copies = (np.memmap(work / f"{name}.sketches", SKETCH, "r") for name in ("real", "copies"))
    with (work / "planted.sketches").open("wb") as file:
        for song in range(len(real)):
            file.write(real[song : song + 1].tobytes())
            file.write(copies[song * len(MAKERS) : (song + 1) * len(MAKERS)].tobytes())


def measure(path: Path, count: int, answer: Any) -> None:
    """Decide on the first `count` sketches; sends seconds, work, songs kept and the growth of peak memory."""
    sketches = np.memmap(path, SKETCH, "r", shape=(count,))
    order = np.random.default_rng(5).permutation(count)
    before = peak_bytes()
    start = time.perf_counter()
    decided = decide(sketches, order)
    seconds = time.perf_counter() - start
    kept = int((decided.duplicate_of < 0).sum())
    answer.send({"seconds": seconds, "kept": kept, "memory": peak_bytes() - before} | decided.work)


def peak_bytes() -> int:
    """The most memory this process has held (Linux): unlike getrusage's, not the parent's before it began."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def growth(work: Path, most: int, repeats: int = 5) -> None:
    """Tables of time, work and memory, and the exponents in the number of songs."""
    sizes = {
        "real": (2000, 8000, 20_000),
        "planted": (2000, 8000, 32_000, 128_000),
        "generated": (16_000, 64_000, 250_000, 1_000_000),
    }
    spawn = multiprocessing.get_context("spawn")
    heads = ("", "seconds", "kept", "candidates", "verified", "MB read", "MB memory", "bytes a song")
    for series, counts in sizes.items():
        path = work / f"{series}.sketches"
        songs = min(path.stat().st_size // SKETCH.itemsize, most)
        print("\n" + series.ljust(10) + "".join(f"{head:>13}" for head in heads[1:]))
        points: list[tuple[int, dict[str, Any]]] = []
        for n in (n for n in counts if n <= songs):
            for _ in range(repeats if n < 500_000 else 2):
                receive, send = spawn.Pipe(duplex=False)
                process = spawn.Process(target=measure, args=(path, n, send))
                process.start()
                points.append((n, receive.recv()))
                process.join()
            best = min((m for size, m in points if size == n), key=lambda m: m["seconds"])
            row = [f"{best['seconds']:.2f}", best["kept"], best["candidates"], best["verifications"]]
            row += [round(best["bytes"] / 1e6), round(best["memory"] / 1e6), round(best["memory"] / n)]
            print(f"{n:<10}" + "".join(f"{cell:>13}" for cell in row))
        for what in ("seconds", "bytes", "candidates", "verifications") if len(points) > 2 * repeats else ():
            print(f"  {what}: " + exponent([n for n, _ in points], [m[what] for _, m in points]))


def exponent(sizes: list[int], values: list[float]) -> str:
    """Slope of log value on log size, by least squares, with its 95% interval."""
    from scipy import stats

    fit = stats.linregress(np.log(sizes), np.log(np.maximum(values, 1e-9)))
    half = stats.t.ppf(0.975, len(sizes) - 2) * fit.stderr
    return f"exponent {fit.slope:.3f}, 95% interval {fit.slope - half:.3f} to {fit.slope + half:.3f}"


def main() -> None:
    """Make what is missing in the working folder, then print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, default=Path("duplicates-work"))
    parser.add_argument("--songs", type=int, default=1_000_000, help="generated sketches")
    parser.add_argument("--show", type=int, default=0, help="pairs to print")
    options = parser.parse_args()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "facts.json").exists():
        plant(options.folders, work)
    if not (work / "planted.sketches").exists():
        planted(work)
    if not (work / "generated.sketches").exists():
        generate(work, options.songs)
    facts = json.loads((work / "facts.json").read_text())
    print(
        f"sketch: {facts['sketch_ms']:.2f} ms a song of {facts['notes']:.0f} notes, {SKETCH.itemsize} bytes"
    )
    copies_found(work)
    pairs_found(work, options.show)
    growth(work, options.songs)


if __name__ == "__main__":
    main()
