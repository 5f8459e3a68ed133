"""Build the bundled model, which ships with Ritornello.

    pip install "ritornello[demo]"
    python examples/bundled.py --clean DIR --out DIR --minutes 60
    python examples/bundled.py --clean DIR --out DIR --minutes 60 --from train --until ship

The stages, each of which is skipped if its result exists:

    data      all songs as .mid below OUT/midi, in a folder for each label, and OUT/rights.json
    prepare   OUT/corpus
    train     OUT/model; the same command continues, with more --minutes
    sketch    OUT/sketched: the model with the sketch network that ships, which learns from all songs and for
              longer than that of OUT/model
    finish    OUT/bundled: weights in float16, plans, rights, and a card with measurements
    ship      a copy of OUT/bundled at src/ritornello/bundled

The folder of --clean contains jsb/, freedoom/, simutrans/ and groove/, that of --free the archive of free
music with its sources.tsv; the other songs are in the package music21. Only music is used whose composition
and transcription both allow it: see bundle/rights.py.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import FailedError, InputError, RitornelloError
from ritornello.models import model as model_folder
from ritornello.models.model import Model
from ritornello.system.files import write_bytes
from ritornello.training.sketch_training import train_sketch
from ritornello.training.train import train

STAGES = ("data", "prepare", "train", "sketch", "finish", "ship")
PACKAGE_FOLDER = Path(__file__).parents[1] / "src" / "ritornello" / "bundled"
RIGHTS_FILE = "rights.json"
# Crops are drawn by label with probabilities proportional to its notes to this power, times these weights:
# what people want to compose comes before what is plentiful, church music
GENRE_POWER = 0.1
LABEL_WEIGHTS = {
    "fiddle": 3.0, "chorale": 2.5, "piano": 2.5, "song": 2.0, "drums": 1.5, "game": 1.5, "quartet": 1.5,
    "guitar": 1.5, "choir": 0.7, "hymn": 0.7, "chamber": 0.7, "organ": 0.6, "orchestra": 0.6,
    "solo": 0.6, "oratorio": 0.3,
}  # fmt: skip
PATIENCE = 12  # measurements without improvement, after which training stops
# options of this script that are settings of `train`
TRAIN_SETTINGS = (
    "minutes", "steps", "init", "teachers", "only", "network", "batch", "learning_rate", "seed", "device",
    "threads",
)  # fmt: skip


def write_songs(clean: Path, music21: Path, archive: Path | None, out: Path) -> None:
    """Stage data: write the songs and the list of files used, and print how many there are."""
    from bundle import sources

    start_time, folder, part = time.monotonic(), out / "midi", out / "midi.part"
    if (out / RIGHTS_FILE).exists():
        return
    for old in (folder, part):
        shutil.rmtree(old, ignore_errors=True)
    ledger = sources.write_all(clean, music21, archive, part)
    part.rename(folder)
    write_bytes(out / "left_out.json", json.dumps(ledger.left_out, indent=1, ensure_ascii=False).encode())
    ledger.write(out / RIGHTS_FILE)  # last, because it marks the stage as done
    for label in sorted(folder.iterdir()):
        print(f"{label.name:<10} {len(list(label.iterdir())):>6,} songs")
    for source, reasons in ledger.left_out.items():
        name, reason = next(iter(reasons.items()))
        print(f"{source}: {len(reasons):,} left out, such as {name}: {reason}")
    print(f"{time.monotonic() - start_time:.0f} s", flush=True)


def music21_corpus(folder: Path | None) -> Path:
    """The given folder, or the corpus folder of the installed music21. Raises FailedError."""
    if folder:
        return folder
    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        raise FailedError("music21 is not installed: pip install 'ritornello[demo]'")
    return Path(spec.origin).parent / "corpus"


def print_measurement(state: Any, losses: dict[str, float]) -> None:
    """Print the losses at each measurement of the held-out loss."""
    if "heldout_loss" in losses:
        step = f"step {state.step:,} of {state.total_steps or 0:,}, {state.seconds:.0f} s"
        loss = f"loss {losses['loss']:.4f}, held-out {losses['heldout_loss']:.4f}"
        print(f"{step}: {loss}, {state.sounds}", flush=True)


def train_settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings of `train` for the stage train."""
    settings = {name: getattr(options, name) for name in TRAIN_SETTINGS}
    if options.steps is None:
        settings["minutes"] = options.minutes or 60.0
    settings["network_config"] = {"size": options.size, "dropout": options.dropout}
    if options.only:
        settings["network_config"]["weight_decay"] = 0.0
    settings["frame"] = "key"
    balance = {"genre_power": GENRE_POWER, "label_weights": LABEL_WEIGHTS}
    return settings | balance | {"patience": PATIENCE}


def train_shipped_sketch(options: argparse.Namespace) -> None:
    """Stage sketch: write the trained model with the sketch network that ships."""
    out: Path = options.out
    if (out / "sketched" / "model.json").exists():
        return
    corpus, model = Corpus.open(out / "corpus"), Model.open(out / "model")

    def report(step: int, losses: dict[str, float]) -> None:
        print(f"sketch step {step:,}: held-out loss {losses['loss']:.3f}", flush=True)

    found = train_sketch(
        corpus,
        corpus.labels,
        model.representation,
        minutes=options.sketch_minutes,
        seed=options.seed,
        most_songs=len(corpus),
        dropout=0.0,
        report=report,
    )
    if found is None:
        raise FailedError(f"{str(out / 'corpus')!r} has no song of which a sketch can be learnt")
    info = {name: value for name, value in model.info.items() if name not in ("format", "files")}
    measured = {**info["measured"], "sketch": found.log[-1]}
    info |= {"sketch": found.sketcher.settings, "measured": measured}
    text = (model.path / "card.md").read_text(encoding="utf-8")
    model_folder.write(
        out / "sketched", info, model.weights, model.tables, text, model.plans, found.sketcher.arrays
    )


def finish(options: argparse.Namespace) -> None:
    """Stage finish: write the model as it ships, and print its card."""
    out: Path = options.out
    tables = json.loads(options.judged.read_bytes()) if options.judged else None
    from bundle import finishing

    trained = out / ("sketched" if (out / "sketched").is_dir() else "model")
    model, corpus = Model.open(trained), Corpus.open(out / "corpus")
    if options.mean_with:
        model = finishing.average(model, Model.open(options.mean_with), options.mean_share)
    rights = (out / RIGHTS_FILE).read_bytes()
    finished = finishing.finish(model, corpus, rights, options.side, options.threads, out / "bundled", tables)
    print((finished.path / "card.md").read_text(encoding="utf-8"), flush=True)


def ship(out: Path) -> None:
    """Stage ship: copy the finished model into the package."""
    shutil.rmtree(PACKAGE_FOLDER, ignore_errors=True)
    shutil.copytree(out / "bundled", PACKAGE_FOLDER, ignore=shutil.ignore_patterns("lock"))
    mebibytes = sum(file.stat().st_size for file in PACKAGE_FOLDER.iterdir()) / (1 << 20)
    print(f"{PACKAGE_FOLDER}: {mebibytes:.1f} MiB")


def parse_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Build the model that ships with Ritornello.")
    add = parser.add_argument
    add("--clean", type=Path, help="the folder that contains jsb/, freedoom/, simutrans/ and groove/")
    add("--music21", type=Path, help="the corpus folder of music21, if it is not installed")
    add("--free", type=Path, help="the folder of the archive of free music, with sources.tsv; optional")
    add("--out", type=Path, required=True, help="the folder for all results")
    add("--from", dest="first", choices=STAGES, default="data", help="the first stage to run")
    add("--until", choices=STAGES, default="finish", help="the last stage to run")
    add("--workers", type=int, default=1, help="processes of the stage prepare")
    add("--minutes", type=float, help="how long to train; 60 without --steps")
    add("--steps", type=int, help="how many steps to train, instead of --minutes")
    add("--sketch-minutes", type=float, default=120.0, help="how long to train the sketch network that ships")
    add("--init", help="a model to start from; its table of fields may be older")
    add("--teachers", nargs="+", help="models of the same songs for distillation")
    add("--network", default="lstm", help="lstm or transformer")
    add("--size", default="small", help="of the network; larger ones do not fit into the wheel")
    add("--only", help="with --init: the fields whose weights are trained, such as given")
    add("--dropout", type=float, default=0.1)
    add("--batch", type=int, help="crops in a step")
    add("--learning-rate", type=float, help="the highest learning rate")
    add("--seed", type=int, default=0)
    add("--device", default="auto", help="auto, cpu or cuda")
    add("--threads", type=int, default=1, help="of the CPU")
    add("--mean-with", type=Path, help="an earlier model; the mean of both models' weights ships")
    add("--mean-share", type=float, default=0.5, help="how much the weights of --mean-with count, 0-1")
    add("--judged", type=Path, help="tables.json of `python -m benchmarks coherence`: marks of the labels")
    add("--side", default="test", help="the held-out songs that are measured for the card: test or valid")
    return parser.parse_args()


def main() -> None:
    """Run the stages."""
    options = parse_options()
    out: Path = options.out
    stages = STAGES[STAGES.index(options.first) : STAGES.index(options.until) + 1]
    out.mkdir(parents=True, exist_ok=True)
    if "data" in stages:
        if options.clean is None:
            raise InputError(
                "--clean is missing: must be the folder of jsb/, freedoom/, simutrans/ and groove/"
            )
        write_songs(options.clean, music21_corpus(options.music21), options.free, out)
    if "prepare" in stages and not (out / "corpus" / "manifest.json").exists():
        print(prepare(out / "midi", out / "corpus", workers=options.workers), flush=True)
    if "train" in stages:
        train(out / "corpus", out / "model", report=print_measurement, **train_settings(options))
    if "sketch" in stages:
        train_shipped_sketch(options)
    if "finish" in stages:
        finish(options)
    if "ship" in stages:
        ship(out)


if __name__ == "__main__":
    try:
        main()
    except RitornelloError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
