"""Duplicates: recall and precision on planted copies of real files, pairs in real folders, and growth."""

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

from benchmarks.corpus.copies import COPIES
from benchmarks.shared import FOLDERS, argument, benchmark, exponent, midi_files
from ritornello.corpus.checks.check import CheckSettings, check
from ritornello.corpus.duplicates.decide import KINDS, MIN_RUNS, MIN_SIMILARITY, decide
from ritornello.corpus.duplicates.sketch import EMPTY, SKETCH, runs, sketch
from ritornello.music.score import Score

SERIES = {  # of the measurement of growth: the numbers of songs
    "real": (2000, 8000, 20_000),
    "planted": (2000, 8000, 32_000, 128_000),
    "generated": (16_000, 64_000, 250_000, 1_000_000),
}

# Sketches of the songs and of their copies, made once and kept in the folder `work`


def read_songs(folders: list[Path]) -> Iterator[tuple[str, Score]]:
    """Path and song of each readable file, each content once, in the order of their hashes."""
    files: dict[str, Path] = {}
    for folder in folders:
        for path in midi_files([folder]):
            files.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    for _, path in sorted(files.items()):
        score = check(path.read_bytes(), CheckSettings()).score
        if score is not None:
            yield str(path), score


def write_sketches(folders: list[Path], work: Path) -> None:
    """Write the sketches of all songs and of six copies of each, and their exact similarities."""
    draw = np.random.default_rng(1)
    names, sets, similarity, seconds, notes = [], [], [], 0.0, 0
    previous: Score | None = None
    with (work / "real.sketches").open("wb") as real, (work / "copies.sketches").open("wb") as copies:
        for name, score in read_songs(folders):
            start = time.perf_counter()
            real.write(sketch(score))
            seconds, notes = seconds + time.perf_counter() - start, notes + len(score)
            names.append(name)
            sets.append(runs(score))
            donor, previous = previous or score, score
            for make_copy in COPIES:
                copy = make_copy(score, donor, draw)
                copies.write(sketch(copy))
                theirs = runs(copy)
                shared = len(np.intersect1d(sets[-1], theirs, assume_unique=True))
                similarity.append(shared / max(len(sets[-1]) + len(theirs) - shared, 1))
    np.save(work / "runs.npy", np.concatenate(sets))
    np.save(work / "similarity.npy", np.array(similarity, np.float32).reshape(-1, len(COPIES)))
    facts = {"names": names, "sketch_ms": 1e3 * seconds / len(names), "notes": notes / len(names)}
    (work / "facts.json").write_text(json.dumps(facts))


def write_planted(work: Path) -> None:
    """Write each real song followed by its copies: every first part of them has the same share of copies."""
    real, copies = (np.memmap(work / f"{name}.sketches", SKETCH, "r") for name in ("real", "copies"))
    with (work / "planted.sketches").open("wb") as file:
        for song in range(len(real)):
            file.write(real[song : song + 1].tobytes())
            file.write(copies[song * len(COPIES) : (song + 1) * len(COPIES)].tobytes())


def write_generated(work: Path, count: int) -> None:
    """Write `count` random sketches; 3% of each is from a real song, and one in five is a copy."""
    draw, real = np.random.default_rng(4), np.fromfile(work / "real.sketches", SKETCH)
    real = real[real["runs"] >= MIN_RUNS]
    with (work / "generated.sketches").open("wb") as file:
        for start in range(0, count, 4096):
            block = real[draw.integers(0, len(real), min(4096, count - start))].copy()
            block["notes"], block["transposed"] = draw.integers(0, 2**63, (2, len(block)))
            each = np.maximum(block["runs"][:, None] / 256, 0.01)  # runs per bin, whose least hash is drawn
            fresh = (1 - draw.random(block["bins"].shape) ** (1 / each)) * (EMPTY - 1)
            own = (draw.random(fresh.shape) < 0.97) & (block["bins"] != EMPTY)
            block["bins"] = np.where(own, fresh.astype(np.uint32), block["bins"])
            copies = np.flatnonzero(draw.random(len(block)) < 0.2)
            similarity = draw.uniform(0.3, 1, (len(copies), 1))
            model = block[draw.integers(0, len(block), len(copies))]
            keep = draw.random(model["bins"].shape) < similarity
            block["bins"][copies] = np.where(keep, model["bins"], block["bins"][copies])
            block["runs"][copies] = model["runs"]
            file.write(block.tobytes())


# 1 and 2: which duplicates are found


def print_planted(work: Path) -> None:
    """Print recall (of the real songs that are kept) and precision; all copies come after the real songs."""
    real, copies = (np.fromfile(work / f"{name}.sketches", SKETCH) for name in ("real", "copies"))
    order = np.random.default_rng(2).permutation(len(copies)) + len(real)
    decided = decide(np.concatenate([real, copies]), np.concatenate([np.arange(len(real)), order]))
    target, known = decided.duplicate_of, decided.duplicate_of[: len(real)]
    identity = np.where(known >= 0, known, np.arange(len(real)))  # some real songs are copies already
    identity = np.concatenate([identity, np.repeat(identity, len(COPIES))])
    dropped = target >= 0
    right = (dropped & (identity[target] == identity))[len(real) :].reshape(-1, len(COPIES))[known < 0]
    similarity = np.load(work / "similarity.npy")[known < 0]
    print(
        f"\n{len(real)} real songs, {len(copies)} copies; share found, by exact similarity to the kept song"
    )
    print(f"{'':16}{'0.5-1':>16}{'0.4-0.5':>16}{'0.2-0.4':>16}{'all':>16}")
    for place, name in [*enumerate(copy.__name__ for copy in COPIES), (slice(None), "together")]:
        line = f"{name:16}"
        for low, high in ((0.5, 1.01), (0.4, 0.5), (0.2, 0.4), (-1, 2)):
            inside = (similarity[:, place] >= low) & (similarity[:, place] < high)
            line += f"{right[:, place][inside].mean():9.2%} {inside.sum():6d}" if inside.any() else " " * 16
        print(line)
    wrong = int((dropped & (identity[target] != identity))[len(real) :].sum())
    all_dropped = dropped[len(real) :].sum()
    print(f"precision {1 - wrong / all_dropped:.4%}: {wrong} of {all_dropped} wrong;", end=" ")
    print(f"too few runs in {(real['runs'] < MIN_RUNS).mean():.1%} of the songs")


def exact_pairs(work: Path, counts: npt.NDArray[Any]) -> tuple[Any, Any, Any]:
    """All pairs of real songs that share a run: first (P,), second (P,), exact similarity (P,)."""
    from scipy import sparse

    song = np.repeat(np.arange(len(counts)), counts)
    _, run, uses = np.unique(np.load(work / "runs.npy"), return_inverse=True, return_counts=True)
    common = uses[run] > 1
    ones = np.ones(common.sum(), np.int32)
    table = sparse.csr_matrix((ones, (song[common], run[common])), shape=(len(counts), len(uses)))
    pairs = sparse.triu(table @ table.T, 1).tocoo()
    size = counts.astype(int)
    return pairs.row, pairs.col, pairs.data / (size[pairs.row] + size[pairs.col] - pairs.data)


def print_real(work: Path, show: int) -> None:
    """Print which duplicates the folders hold, compared with the exact similarity of all pairs."""
    real, facts = np.fromfile(work / "real.sketches", SKETCH), json.loads((work / "facts.json").read_text())
    decided = decide(real)
    kept = decided.duplicate_of < 0
    group = np.where(kept, np.arange(len(real)), decided.duplicate_of)
    first, second, similarity = exact_pairs(work, real["runs"])
    enough = np.minimum(real["runs"][first], real["runs"][second]) >= MIN_RUNS
    counts = np.bincount(decided.kind, minlength=len(KINDS))
    kinds = ", ".join(f"{count} {kind}" for kind, count in zip(KINDS, counts, strict=True))
    print(f"\n{len(real)} real songs: {kinds}")
    for low, high in ((0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 1)):
        inside = enough & (similarity >= low) & ((similarity < high) | (high == 1))
        same, both = (group[first] == group[second]) & inside, kept[first] & kept[second] & inside
        line = f"{inside.sum():5d} pairs, {same.sum():5d} in one group, {both.sum():5d} with both kept"
        print(f"  exact similarity {low}-{high}: {line}")
    exact = {(a, b): x for a, b, x in zip(first.tolist(), second.tolist(), similarity.tolist(), strict=True)}
    near = np.flatnonzero(decided.kind == KINDS.index("near"))
    value = np.array([exact.get((min(n, group[n]), max(n, group[n])), 0.0) for n in near])
    error = decided.similarity[near] - value
    if len(near):
        print(f"  near: estimated less exact similarity: {error.mean():.3f}, deviation {error.std():.3f}")
    print(
        f"  near by containment, with a similarity below {MIN_SIMILARITY}: {(value < MIN_SIMILARITY).sum()}"
    )
    for number in np.random.default_rng(3).permutation(near)[:show]:
        print(f"\n{decided.similarity[number]:.2f}")
        print_notes(facts["names"][group[number]])
        print_notes(facts["names"][number])


def print_notes(name: str) -> None:
    """Print the first notes of the pitched part of a file that has the most: pitch@beat."""
    score = check(Path(name).read_bytes(), CheckSettings()).score
    assert score is not None
    notes = np.flatnonzero(score.part == np.bincount(score.part, ~score.of_drums).argmax())[:24]
    beats = score.onset_ticks[notes] / score.ticks_per_beat
    print(f"  {name}  {score!r}")
    print("    " + " ".join(f"{p}@{b:.4g}" for p, b in zip(score.pitch[notes], beats, strict=True)))


# 3: growth


def measure(path: Path, count: int, answer: Any) -> None:
    """In a process of its own, decide on the first `count` sketches and send what it took."""
    sketches = np.memmap(path, SKETCH, "r", shape=(count,))
    order = np.random.default_rng(5).permutation(count)
    before = peak_bytes()
    start = time.perf_counter()
    decided = decide(sketches, order)
    seconds = time.perf_counter() - start
    kept = int((decided.duplicate_of < 0).sum())
    answer.send({"seconds": seconds, "kept": kept, "memory": peak_bytes() - before} | decided.work)


def peak_bytes() -> int:
    """The largest memory of this process (Linux); that of getrusage counts its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def print_growth(work: Path, most: int, repeats: int = 5) -> None:
    """Print time, work and memory by the number of songs, and the exponents."""
    spawn = multiprocessing.get_context("spawn")
    heads = ("seconds", "kept", "candidates", "verified", "MB read", "MB memory", "bytes/song")
    for series, counts in SERIES.items():
        path = work / f"{series}.sketches"
        songs = min(path.stat().st_size // SKETCH.itemsize, most)
        print("\n" + series.ljust(10) + "".join(f"{head:>13}" for head in heads))
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


@benchmark(
    FOLDERS,
    argument("--work", type=Path, default=Path("duplicates-work"), help="where the sketches are kept"),
    argument("--songs", type=int, default=1_000_000, help="generated sketches"),
    argument("--show", type=int, default=0, help="near pairs whose first notes are printed"),
)
def duplicates(options: argparse.Namespace) -> None:
    """Plant six copies of each MIDI file, and measure which duplicates are found and what it costs.

    1. The share of the copies that is found, by how they were changed and by their exact similarity (Jaccard,
       over runs of notes) to the original; and the share of dropped songs that are indeed duplicates.
    2. The same for the pairs that the folders hold already, compared with the similarity of all pairs.
    3. Time, counted work and memory by the number of songs: of real files, of real files with their copies,
       and of generated sketches (a fifth are copies, and 3% of each sketch is from a real file).

    All sketches are kept in --work (about 1.5 GB with a million songs), so that a second run only measures.
    """
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "facts.json").exists():
        write_sketches(options.folders, work)
    if not (work / "planted.sketches").exists():
        write_planted(work)
    if not (work / "generated.sketches").exists():
        write_generated(work, options.songs)
    facts = json.loads((work / "facts.json").read_text())
    took = f"{facts['sketch_ms']:.2f} ms per song of {facts['notes']:.0f} notes"
    print(f"sketch: {took}, {SKETCH.itemsize} bytes")
    print_planted(work)
    print_real(work, options.show)
    print_growth(work, options.songs)
