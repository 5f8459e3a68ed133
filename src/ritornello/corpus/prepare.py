"""From a folder of MIDI files to a corpus: scan > read and check > copies > split."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.labels import Labeller, read_labels
from ritornello.corpus.outcomes import FATES, KEPT
from ritornello.corpus.read_files import Progress, read
from ritornello.corpus.sources.scan import Sources, scan
from ritornello.corpus.workers.pool import Pool
from ritornello.corpus.writing.disk_space import space
from ritornello.corpus.writing.index import write_index
from ritornello.corpus.writing.journal import journal
from ritornello.errors import InputError, check_between
from ritornello.system.extras import require_extra

if TYPE_CHECKING:
    from ritornello.corpus.workers.dask_pool import Cluster

CORES = os.cpu_count() or 1
INDEX_BYTES = 1500  # for each file while the index is being made, most of it for sketches side by side

__all__ = ["FATES", "Checks", "Report", "build_corpus", "prepare"]


@dataclass(frozen=True)
class Report:
    """What became of a folder; `fates`, `splits` and `labels` count files by name.

    `new` files were read now. `unused_labels` rows of the table of labels name no file.
    """

    path: str
    files: int
    new: int
    kept: int
    fates: dict[str, int]
    splits: dict[str, int]
    labels: dict[str, int]
    unused_labels: int


def prepare(
    folder: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    reader: Literal["symusic", "mido"] = "symusic",
    engine: Literal["pool", "dask"] = "pool",
    scheduler: str | None = None,
    labels: str | Path | None = None,
    retry: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Read every MIDI file below `folder` into the corpus `out`; returns a Report.

    Labels are the folders' names, or come from the table `labels` (.csv or .jsonl with path and label).
    `workers` processes read (default: one a core), with the reader "symusic" or "mido". The engine "dask" has
    the Dask workers of `scheduler`, an address, do it instead (docs/scale.md). Run again, it reads
    only what is new, with `retry` also what timed out, crashed or ran out of memory.
    Raises InputError, CorpusError, FailedError, OutputError.
    """
    require_extra("train", "pyarrow")
    if workers is not None:
        check_between("workers", workers, 1, 1024)
    if (engine == "dask") != bool(scheduler):
        raise InputError(
            "the engine dask and a scheduler's address go together: --engine dask --scheduler ADDRESS"
        )
    if scheduler and workers is not None:
        raise InputError(f"workers {workers}: the engine dask takes all workers of its scheduler, give none")
    how: dict[str, Any] = {"labels": labels, "retry": retry, "progress": progress}
    return build_corpus(
        folder, out, workers=workers, scheduler=scheduler, checks=Checks(reader=reader), **how
    )


def build_corpus(
    folder: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    checks: Checks | None = None,
    labels: str | Path | None = None,
    retry: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Read every MIDI file under `folder` into the corpus `out`, which may exist and then only grows.

    `workers` processes read (default: one a core), or all Dask workers of the scheduler at the address
    `scheduler` (cluster.py). `labels` is a .csv or .jsonl that overrides the folders' names. With `retry`
    what timed out, crashed or ran out of memory earlier is read again.
    `progress(done, total, text)` is called now and then.
    Stopped at any moment and run again, it goes on and ends with the same corpus byte for byte.
    Raises InputError (nothing to read), CorpusError (`out` is something else), OutputError (disk full),
    FailedError (the cluster is lost).
    """
    folder, out, checks = Path(folder), Path(out), checks or Checks()
    tell = progress or (lambda done, total, text: None)
    labeller = read_labels(labels) if labels else Labeller()
    sources = scan(folder, skip=out)
    if not sources:
        raise InputError(f"{str(folder)!r} holds no .mid, .midi, .kar or .rmi file, nor an archive")
    with journal(out, checks, retry) as state:
        new = state.new(sources)
        pool = _cluster(scheduler, folder, checks, new) if scheduler else Pool(workers or CORES, checks)
        count = read(folder.absolute(), new, pool, state, tell) if new else 0
        tell(0, 0, "copies")
        with space(out, lambda: sum(shard["rows"] for shard in state.shards) * INDEX_BYTES):
            manifest = write_index(out, state.shards, state.settings, labeller)
        if not manifest["kept"]:
            fates = ", ".join(f"{n} {fate}" for fate, n in manifest["fates"].items() if fate != KEPT)
            raise InputError(f"no song of {str(folder)!r} can be kept: {fates}")
        state.remember()
    counted = {name: manifest[name] for name in ("files", "kept", "fates", "splits", "labels")}
    unused = len(labeller.table) - len(labeller.used)
    return Report(str(out), new=count, unused_labels=unused, **counted)


def _cluster(scheduler: str, folder: Path, checks: Checks, new: Sources) -> Pool | Cluster:
    """The workers of the Dask scheduler at an address."""
    from ritornello.corpus.workers.dask_pool import Cluster, witnesses  # half of what starting takes

    return Cluster(scheduler, checks, witnesses(folder.absolute(), new))
