"""Joins the stages for people: from a folder to a corpus, to a model, to what it is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ritornello.errors import InputError, ModelError, check_between
from ritornello.model import Model
from ritornello.score import Score

if TYPE_CHECKING:
    from ritornello.rendering.export import Exported

Progress = Callable[[int, int, str], None]  # done, total, what
TRAIN_LIMITS: dict[str, tuple[float, float]] = {
    "steps": (1, 10**9),
    "minutes": (0.01, 10**6),
    "epochs": (0.01, 10**6),
    "batch": (1, 65536),
    "learning_rate": (0, 10),
    "patience": (0, 10**6),
    "memory_mb": (1, 10**6),
    "seed": (0, (1 << 63) - 1),
    "threads": (1, 1024),
}


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
) -> Any:
    """Read every MIDI file below `folder` into the corpus `out`; returns a `preparing.Report`.

    Labels are the folders' names, or come from the table `labels` (.csv or .jsonl with path and label).
    `workers` processes read (default: one a core), with the reader "symusic" or "mido". The engine "dask" has
    the Dask workers of `scheduler`, an address, do it instead (docs/scale.md). Run again, it reads
    only what is new, with `retry` also what timed out, crashed or ran out of memory.
    Raises InputError, CorpusError, FailedError, OutputError.
    """
    require("train", "pyarrow")
    from ritornello.preparing import Checks
    from ritornello.preparing import prepare as run

    if workers is not None:
        check_between("workers", workers, 1, 1024)
    if (engine == "dask") != bool(scheduler):
        raise InputError(
            "the engine dask and a scheduler's address go together: --engine dask --scheduler ADDRESS"
        )
    if scheduler and workers is not None:
        raise InputError(f"workers {workers}: the engine dask takes all workers of its scheduler, give none")
    how: dict[str, Any] = {"labels": labels, "retry": retry, "progress": progress}
    return run(folder, out, workers=workers, scheduler=scheduler, checks=Checks(reader=reader), **how)


def train(
    corpus: str | Path,
    out: str | Path,
    *,
    progress: Progress | None = None,
    report: Callable[[Any, dict[str, float]], None] | None = None,
    network_config: dict[str, Any] | None = None,
    **settings: Any,
) -> Model:
    """Train a network on a corpus and write the model folder `out`; run again, it goes on where it stopped.

    `settings` are those of `ritornello.training.config.TrainConfig`; `minutes`, `steps` or `epochs` says how
    long.
    Raises InputError, FailedError; KeyboardInterrupt after Ctrl-C, when the best state has been written.
    """
    require("train", "torch", "pyarrow")
    from ritornello.corpus import Corpus
    from ritornello.training import train as run
    from ritornello.training.config import TrainConfig

    opened = Corpus.open(corpus)
    config = TrainConfig(network_config=network_config or {}, **settings)
    if sum(how_long is not None for how_long in (config.steps, config.minutes, config.epochs)) != 1:
        raise InputError("say how long to train, once: minutes, steps or epochs")
    for name, (low, high) in TRAIN_LIMITS.items():
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            raise InputError(f"{name} {value}, must be {low}-{high}")
    return run(opened, Path(out), config, progress, report)


def measure(
    model: str | Path | Model,
    on: str | Path,
    *,
    split: str | None = None,
    given: Collection[str] = ("plan", "none"),
    csv: str | Path | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """How well a model predicts songs: nats per note by field, and the reference nats.

    `on` is a corpus, of which `split` is measured (default: valid), or a folder of MIDI files. `given` says
    what the model is told: "plan" (plan, form, bars left and chords) or "none" of it. `csv` is a file for
    what each song cost. Raises InputError, ModelError for a network that gives no chances, OutputError.
    """
    require("train", "torch")
    from ritornello.files import check_writable, write_bytes
    from ritornello.judged import songs
    from ritornello.judging.likelihood import GIVEN, likelihood
    from ritornello.judging.summary import report, table

    opened = model if isinstance(model, Model) else Model.open(model)
    _check_measurable(opened)
    if unknown := set(given) - set(GIVEN):
        raise InputError(f"given {min(unknown)!r}, must be one of {', '.join(GIVEN)}")
    check_between("threads", threads, 1, 1024)
    if csv:
        check_writable(Path(csv))
    heard = songs(on, split)
    found: dict[str, list[Any]] = {name: [] for name in given}
    accounts = likelihood(
        opened.network_in_torch(),
        opened.representation,
        heard,
        conditions=opened.conditions,
        given={name: GIVEN[name] for name in given},
        threads=threads,
        skipped=heard.skipped.__setitem__,
    )
    for done, account in enumerate(accounts, start=1):
        for name, nats in account.items():
            found[name].append(nats)
        if progress:
            progress(done, max(done, len(heard) - len(heard.skipped)), "measuring")
    result = report(opened, str(on), heard, found)
    if csv:
        write_bytes(Path(csv), table(found).encode())
    return result


def _check_measurable(model: Model) -> None:
    """Raise ModelError unless the model gives chances."""
    if not any(field.kind == "choice" for field in model.representation.fields):
        raise ModelError(
            f"the network {model.network!r} says numbers and no chances, so it has no nats; "
            "docs/original.md has its losses"
        )


def render(
    song: str | Path | Score,
    out: str | Path,
    *,
    picture: Literal["roll", "sheet"] = "roll",
    recipe: str | Path | dict[str, Any] | None = None,
    soundfont: str | Path | None = None,
    synth: Literal["own", "fluidsynth"] = "own",
    rate: int = 44_100,
    max_minutes: float = 60.0,
    max_bars: int = 2000,
) -> Exported:
    """Write a song (a Score, or a .mid file) as sound, picture or sheet music, as the ending of `out` says.

    A folder gets all, with a page that plays and shows them, and the `recipe` (a file or its content).
    `picture` says what .png and .svg show. Sheet music has notes as they are struck, without the pedal; songs
    of more than `max_bars` bars get none. Raises InputError, FailedError, OutputError.
    """
    from ritornello import midi
    from ritornello.rendering.export import Versions, export

    if isinstance(song, Score):
        versions = Versions(song, song)
    else:
        versions = Versions(midi.read(song), midi.read(song, pedal="ignore"))
    if isinstance(recipe, (str, Path)):
        recipe = _read_recipe(Path(recipe))
    sound: dict[str, Any] = {"soundfont": soundfont, "synth": synth, "rate": rate, "max_minutes": max_minutes}
    return export(versions, out, picture=picture, recipe=recipe, max_bars=max_bars, **sound)


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the recipe {str(path)!r}: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{str(path)!r} is not a recipe: it holds a {type(content).__name__}")
    return content


def require(extra: str, *modules: str) -> None:
    """Raise InputError that says what to install unless all modules of an extra are there."""
    from importlib.util import find_spec

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise InputError(f'this needs {", ".join(missing)}: pip install "ritornello[{extra}]"')


def convert(source: str | Path, target: str | Path, *, like: str | Path | None = None) -> dict[str, Any]:
    """Between a model folder of the network `original` and a .keras file, by which of the two ends in .keras.

    From Keras, `like` is a model folder that gives all but the weights. Raises ModelError.
    """
    require("keras", "keras", "torch")
    from ritornello import model as folder
    from ritornello.convert import from_keras, to_keras

    ends = [Path(path).suffix == ".keras" for path in (source, target)]
    if ends == [False, True]:
        opened = Model.open(source)
        to_keras(opened.weights, target, window=opened.info["network"]["config"]["window"])
    elif ends == [True, False]:
        if like is None:
            raise InputError(
                "from Keras, --like MODEL is needed: a model folder that gives all but the weights"
            )
        given = Model.open(like)
        weights, sizes = from_keras(source)
        network = {**given.info["network"], "config": {**given.info["network"]["config"], **sizes}}
        info = {**given.info, "network": network, "converted_from": Path(source).name, "measured": {}}
        folder.write(Path(target), info, weights, given.tables, f"Weights from {Path(source).name}.\n")
        opened = Model.open(target)
    else:
        raise InputError(f"one of {str(source)!r} and {str(target)!r} must end in .keras")
    return {"file": str(target), "parameters": int(sum(a.size for a in opened.weights.values()))}
