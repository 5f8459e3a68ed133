"""Learn from a folder of MIDI files and compose songs in one call: `learn`.

    run_paths          the folders of the model, the corpus and the songs
    resource_estimate  time, memory and disk space, before the work begins
    pipeline           after `prepare` has made the corpus; last it composes songs and compares them:
    start_trials         train from each start for a short time, from the best one to the end
    candidates           the model from which training began, the trained model, and weights between them
    cross_validation     measure them with songs from which they did not learn, by cross-validation if few
    own_feel             train the networks of `--feel`, if songs of the folder are performed
    model_selection      keep the best of them by likelihood and by what they compose (song_comparison)

The same steps exist as the commands prepare, train, measure and compose.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ritornello.composing import compose
from ritornello.composing.options import MAX_SONGS
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import InputError, check_between
from ritornello.learning.resource_estimate import END_S, TimeBudget, estimate_resources
from ritornello.learning.run_paths import RunPaths, Say
from ritornello.models.model import Model
from ritornello.system.extras import require_extra
from ritornello.system.progress import Progress
from ritornello.training.config import TRAIN_LIMITS

STARTS = ("auto", "bundled", "nothing")
DEFAULT_MINUTES = 20.0


@dataclass(frozen=True)
class LearnResult:
    """What `learn` made: the model folder, the files of the songs, and a report as plain data."""

    model: Path
    songs: tuple[Path, ...]
    report: dict[str, Any]


def learn(
    folder: str | Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    out: str | Path | None = None,
    start: str = "auto",
    songs: int = 3,
    seed: int | None = None,
    workers: int | None = None,
    labels: str | Path | None = None,
    label_depth: int | None = None,
    say: Say | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> LearnResult:
    """Train a model on the MIDI files below `folder`, and compose `songs` with it.

    All of it takes `minutes` (20), or training takes `steps`.
    The model is written to `out` (default: FOLDER-model), the songs to FOLDER-songs. Training
    starts from the bundled model or from random weights ("nothing"), whichever is better after a short trial
    ("auto"). Of the model from which training began, the trained one and models with weights between the two,
    the one that is best in likelihood and in what it composes is kept (`model_selection`); with the start
    "nothing" the bundled model is not used at all. `labels` and `label_depth` are those of `prepare`,
    `settings` those of `train`. `say` gets a line of text after each stage.

    A second call continues the training, or, if the files in the folder have changed, starts from the model
    trained before. Raises InputError, OutputError, FailedError. Raises KeyboardInterrupt after Ctrl-C, when
    the best model so far is saved and songs are composed.
    """
    require_extra("train", "torch", "pyarrow")
    from ritornello.learning.pipeline import LearnPipeline

    say, duration = say or (lambda stage, text: None), _duration(minutes, steps)
    budget = TimeBudget(None, {"songs": END_S})
    _check(start, songs, seed, duration, settings)
    bundled, paths = _bundled_model(start), RunPaths.of(folder, out)
    size = settings.get("network_config", {}).get("size")
    starts = 1 + 2 * (bundled is not None)  # one for cross-validation
    estimate = estimate_resources(
        paths, minutes=duration.get("minutes"), workers=workers, size=size, starts=starts
    )
    estimate.check(paths.model)
    budget.total_s = estimate.seconds
    say("estimate", str(estimate))
    with paths.locked():
        report = _prepare(paths, workers, (labels, label_depth), say, progress)
        settings = {"seed": seed or 0, **settings}
        corpus = Corpus.open(paths.corpus)
        pipeline = LearnPipeline(paths, corpus, bundled, start, duration, settings, budget, say)
        learned, stopped = pipeline.run(songs, seed, progress)
    report |= learned
    report["expected"] |= {name: value for name, value in asdict(estimate).items() if name != "files"}
    report["seconds"] = round(budget.spent_s, 1)
    if stopped:
        saved = f"{str(paths.model)!r} has the best model so far"
        raise KeyboardInterrupt(f"stopped; {saved}, the same command continues")
    return LearnResult(paths.model, tuple(map(Path, report["songs"])), report)


def _prepare(
    paths: RunPaths,
    workers: int | None,
    labels: tuple[str | Path | None, int | None],
    say: Say,
    progress: Progress | None,
) -> dict[str, Any]:
    """Make the corpus, with `labels` and `label_depth`; returns the numbers of files and of kept files."""
    options: dict[str, Any] = dict(zip(("labels", "label_depth"), labels, strict=True))
    prepared = prepare(paths.folder, paths.corpus, workers=workers, progress=progress, **options)
    rejected = prepared.files - prepared.kept
    hint = f", {rejected:,} not (reasons: ritornello doctor {paths.folder})" if rejected else ""
    say("files", f"{prepared.files:,} files   {prepared.kept:,} kept{hint}")
    return {"files": prepared.files, "kept_files": prepared.kept}


def _duration(minutes: float | None, steps: int | None) -> dict[str, Any]:
    """The length of training as {"minutes": ...} or {"steps": ...}. Raises InputError if both are given."""
    if minutes is not None and steps is not None:
        raise InputError("minutes and steps are given: give only one of the two")
    if steps is not None:
        return {"steps": steps}
    return {"minutes": DEFAULT_MINUTES if minutes is None else minutes}


def _check(
    start: str, songs: int, seed: int | None, duration: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Raise InputError if a value is out of range, before any work."""
    from ritornello.learning.start_trials import check_network

    if start not in STARTS:
        raise InputError(f"start {start!r}: must be one of {', '.join(STARTS)}")
    check_between("songs", songs, 0, MAX_SONGS)
    for name, value in {**duration, "seed": seed}.items():
        check_between(name, value, *TRAIN_LIMITS[name])
    check_network(settings.get("network", "lstm"))


def _bundled_model(start: str) -> Model | None:
    """The bundled model, or None if `start` excludes it. Raises ModelError if it is required and missing."""
    exists = (compose.BUNDLED / "model.json").is_file()
    if start == "nothing" or (start == "auto" and not exists):
        return None
    return compose.opened_model(None)
