"""Turn a folder of MIDI files into a corpus: list the files, read and check them, find duplicates, split."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.labels import read_labels
from ritornello.corpus.outcomes import KEPT
from ritornello.corpus.read_files import read_files
from ritornello.corpus.sources.scan import Sources, scan
from ritornello.corpus.workers.pool import Pool
from ritornello.corpus.writing.index import write_index
from ritornello.corpus.writing.shards import explain_full_disk
from ritornello.corpus.writing.state import open_for_writing
from ritornello.errors import InputError, check_between
from ritornello.system.extras import require_extra
from ritornello.system.files import file_path
from ritornello.system.progress import Progress, no_progress

if TYPE_CHECKING:
    from ritornello.corpus.workers.dask_pool import DaskPool

INDEX_BYTES_PER_FILE = 1500  # disk space while the index is made, most of it for the sketches


@dataclass(frozen=True)
class PrepareReport:
    """The result of `prepare`; dicts have the number of files of each name."""

    path: str
    files: int
    new: int  # files that were read in this run
    kept: int
    outcomes: dict[str, int]
    splits: dict[str, int]
    labels: dict[str, int]
    unused_labels: int  # rows of the table of labels that name no file
    rare_labels: dict[str, int] = field(default_factory=dict)  # left out, because they have too few songs
    gone: int = 0  # files of the corpus that are no longer in the folder

    @property
    def fates(self) -> dict[str, int]:
        """The earlier name of `outcomes`."""
        return self.outcomes


def prepare(
    folder: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    reader: Literal["symusic", "mido"] = "symusic",
    engine: Literal["pool", "dask"] = "pool",
    scheduler: str | None = None,
    labels: str | Path | None = None,
    label_depth: int | None = None,
    retry: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Read every MIDI file below `folder` into the corpus `out`; an existing corpus grows.

    Labels are the names of the folders (with `label_depth` only of folders at this depth below `folder`), or
    come from the table `labels` (.csv or .jsonl with path and label). `workers` processes (default: one per
    core) read files with the reader "symusic" or "mido"; with the engine "dask" all Dask workers of the
    scheduler at the address `scheduler` do (docs/scale.md). A second run reads only new files, and with
    `retry` also files that timed out, crashed or ran out of memory. If a run is stopped, the next one
    continues it, and gives the same corpus byte for byte. Raises InputError for a wrong argument or if no
    song can be kept, CorpusError if `out` is no corpus, OutputError if it cannot be written, FailedError if
    the Dask cluster is lost.
    """
    require_extra("train", "pyarrow")
    _check_engine(workers, engine, scheduler)
    folder, out = file_path(folder, "folder"), file_path(out)
    checks = CheckSettings(reader=reader)
    update = progress or no_progress
    labeller = read_labels(labels, label_depth)
    sources = scan(folder, skip=out)
    with open_for_writing(out, checks, retry) as state:
        unread = state.unread(sources)
        gone = state.count_gone(sources)
        count = 0
        if unread:
            pool = _dask_pool(scheduler, folder, checks, unread) if scheduler else Pool(workers, checks)
            count = read_files(folder.absolute(), unread, pool, state, update)
        update(0, 0, "finding duplicates")
        with explain_full_disk(out, lambda: sum(s["rows"] for s in state.shards) * INDEX_BYTES_PER_FILE):
            manifest = write_index(out, state.shards, state.settings, labeller)
        if not manifest["kept"]:
            fates = manifest["fates"].items()
            counts = ", ".join(f"{n} {outcome}" for outcome, n in fates if outcome != KEPT)
            raise InputError(f"no song of {str(folder)!r} can be kept: {counts}")
        state.save_touched()
    counted = {name: manifest[name] for name in ("files", "kept", "splits", "labels")}
    further: dict[str, Any] = {"unused_labels": labeller.unused, "rare_labels": labeller.rare, "gone": gone}
    return PrepareReport(str(out), new=count, outcomes=manifest["fates"], **counted, **further)


def _check_engine(workers: int | None, engine: str, scheduler: str | None) -> None:
    """Raise InputError if the options of workers, engine and scheduler contradict each other."""
    check_between("workers", workers, 1, 1024)
    if (engine == "dask") != bool(scheduler):
        raise InputError("--engine dask and --scheduler ADDRESS must be given together")
    if scheduler and workers is not None:
        raise InputError(
            f"workers {workers}: --engine dask uses all workers of the scheduler; leave --workers out"
        )


def _dask_pool(scheduler: str, folder: Path, checks: CheckSettings, sources: Sources) -> DaskPool:
    """The workers of the Dask scheduler at the address `scheduler`."""
    from ritornello.corpus.workers.dask_pool import DaskPool, probe_files  # importing it takes long

    return DaskPool(scheduler, checks, probe_files(folder.absolute(), sources))
