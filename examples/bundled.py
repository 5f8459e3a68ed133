"""Build the model that ships with Ritornello, from start to end.

    pip install "ritornello[demo]"
    python examples/bundled.py --clean DIR --out DIR --minutes 60
    python examples/bundled.py --clean DIR --out DIR --minutes 60 --from train --until ship

    data      all songs as .mid below OUT/midi, a folder a label; OUT/rights.json: the files used, by hash
    prepare   OUT/corpus
    train     OUT/model; the same command goes on where it stopped, with more --minutes for longer
    finish    OUT/bundled: weights in float16, plans, rights, and a card with what was measured
    ship      the same copied to src/ritornello/bundled

Each stage skips what is done. DIR of --clean holds jsb/, freedoom/, simutrans/ and groove/; the rest comes
out of music21's wheel. Only music is taken whose composition and transcription both allow it, see
bundle/rights.py.
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

from ritornello.corpus import prepare as corpus_prepare
from ritornello.corpus.corpus import Corpus
from ritornello.errors import FailedError, InputError, RitornelloError
from ritornello.models.model import Model
from ritornello.system.files import write_bytes
from ritornello.training import train as training_train

STAGES = ("data", "prepare", "train", "finish", "ship")
PACKAGE = Path(__file__).parents[1] / "src" / "ritornello" / "bundled"
RIGHTS = "rights.json"
# Chorales are few notes and the label that is composed unasked: so genres are heard more evenly than usual
GENRE_POWER = 0.3
PATIENCE = 12  # measurements without progress, after which it has learnt what it can


def data(clean: Path, music21: Path, out: Path) -> None:
    """Write the songs and what was used of which file, and say how many there are and what was left out."""
    from bundle import sources

    began, folder, part = time.monotonic(), out / "midi", out / "midi.part"
    if (out / RIGHTS).exists():
        return
    for old in (folder, part):
        shutil.rmtree(old, ignore_errors=True)
    ledger = sources.write_all(clean, music21, part)
    part.rename(folder)
    write_bytes(out / "left_out.json", json.dumps(ledger.left_out, indent=1, ensure_ascii=False).encode())
    ledger.write(out / RIGHTS)  # last: the stage is done
    for label in sorted(folder.iterdir()):
        print(f"{label.name:<10} {len(list(label.iterdir())):>6,} songs")
    for name, left in ledger.left_out.items():
        print(f"{name}: {len(left):,} left out, such as {': '.join(next(iter(left.items())))}")
    print(f"{time.monotonic() - began:.0f} s", flush=True)


def corpus_of_music21(given: Path | None) -> Path:
    """The corpus folder in music21's wheel. Raises FailedError."""
    if given:
        return given
    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        raise FailedError("music21 is not installed: pip install 'ritornello[demo]'")
    return Path(spec.origin).parent / "corpus"


def prepare(out: Path, workers: int) -> None:
    """The corpus of the songs."""
    if not (out / "corpus" / "manifest.json").exists():
        print(corpus_prepare.prepare(out / "midi", out / "corpus", workers=workers), flush=True)


def train(out: Path, settings: dict[str, Any]) -> None:
    """Teach the network, and show each measurement; goes on where it stopped."""

    def report(state: Any, losses: dict[str, float]) -> None:
        if "heldout_loss" in losses:
            step = f"step {state.step:,} of {state.total_steps or 0:,}, {state.seconds:.0f} s"
            loss = f"loss {losses['loss']:.4f}, held-out {losses['heldout_loss']:.4f}"
            print(f"{step}: {loss}, {state.sounds}", flush=True)

    training_train.train(out / "corpus", out / "model", report=report, **settings)


def finish(out: Path, side: str, threads: int, mean_with: Path | None) -> None:
    """The model as it ships, in OUT/bundled."""
    from bundle import finishing

    opened, corpus = Model.open(out / "model"), Corpus.open(out / "corpus")
    if mean_with:
        opened = finishing.averaged(opened, Model.open(mean_with))
    rights = (out / RIGHTS).read_bytes()
    made = finishing.finish(opened, corpus, rights, side, threads, out / "bundled")
    print((made.path / "card.md").read_text(encoding="utf-8"), flush=True)


def ship(out: Path) -> None:
    """Copy the finished model to where the package looks for it."""
    shutil.rmtree(PACKAGE, ignore_errors=True)
    shutil.copytree(out / "bundled", PACKAGE, ignore=shutil.ignore_patterns("lock"))
    print(f"{PACKAGE}: {sum(file.stat().st_size for file in PACKAGE.iterdir()) / (1 << 20):.1f} MiB")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Build the model that ships with Ritornello.")
    parser.add_argument("--clean", type=Path, help="the folder of jsb/, freedoom/, simutrans/ and groove/")
    parser.add_argument("--music21", type=Path, help="music21's corpus folder, if it is not installed here")
    parser.add_argument("--out", type=Path, required=True, help="where everything is written")
    parser.add_argument("--from", dest="first", choices=STAGES, default="data", help="the first stage to run")
    parser.add_argument("--until", choices=STAGES, default="finish", help="the last one")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare")
    parser.add_argument("--minutes", type=float, help="how long to train, 60 unless --steps says it")
    parser.add_argument("--steps", type=int, help="how many steps instead")
    parser.add_argument(
        "--init", help="a model of this table or an older one to begin from, instead of chance"
    )
    parser.add_argument(
        "--teachers", nargs="+", help="models of these songs whose predictions it learns beside them"
    )
    parser.add_argument("--network", default="lstm", help="lstm or transformer")
    parser.add_argument("--size", default="small", help="of the network; larger ones do not fit the wheel")
    parser.add_argument("--only", help="with --init, fields whose weights alone are learnt, such as given")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch", type=int, help="crops in a step")
    parser.add_argument("--learning-rate", type=float, help="at its highest")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--mean-with", type=Path, help="the model of --init: what ships is the mean of both")
    parser.add_argument("--side", default="test", help="which side of the corpus the card's numbers are of")
    return parser.parse_args()


def main() -> None:
    """Run the stages."""
    given = arguments()
    stages = STAGES[STAGES.index(given.first) : STAGES.index(given.until) + 1]
    given.out.mkdir(parents=True, exist_ok=True)
    if "data" in stages:
        if given.clean is None:
            raise InputError("--clean DIR is needed for the data: jsb/, freedoom/, simutrans/ and groove/")
        data(given.clean, corpus_of_music21(given.music21), given.out)
    if "prepare" in stages:
        prepare(given.out, given.workers)
    if "train" in stages:
        settings = {name: getattr(given, name) for name in SETTINGS}
        if given.steps is None:
            settings["minutes"] = given.minutes or 60.0
        settings["network_config"] = {"size": given.size, "dropout": given.dropout}
        if given.only:
            settings["network_config"]["weight_decay"] = 0.0
        train(given.out, settings | {"genre_power": GENRE_POWER, "patience": PATIENCE})
    if "finish" in stages:
        finish(given.out, given.side, given.threads, given.mean_with)
    if "ship" in stages:
        ship(given.out)


SETTINGS = (
    "minutes",
    "steps",
    "init",
    "teachers",
    "only",
    "network",
    "batch",
    "learning_rate",
    "seed",
    "device",
    "threads",
)

if __name__ == "__main__":
    try:
        main()
    except RitornelloError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
