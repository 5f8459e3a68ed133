"""Pop piano: Ritornello, Ritornello without some of its parts, and MidiTok's REMI, trained for equal time."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import (
    CLOCK,
    CORPUS,
    OUT,
    ROOT,
    argument,
    benchmark,
    load,
    mean_of_seeds,
    reduction,
    set_training_clock,
    stored,
    table,
)
from ritornello import Corpus, Model
from ritornello.evaluation.inputs import CorpusSongs
from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN, likelihood
from ritornello.evaluation.summary import SongNats, summarize
from ritornello.models import registry
from ritornello.music.score import Score
from ritornello.training.train import train

ABLATIONS = Path(__file__).resolve().parents[1] / "ablations.py"
HIDDEN = {
    **HIDDEN_BY_GIVEN,
    "form": ("plan", "bars_left", "chord"),
}
OURS: dict[str, dict[str, Any]] = {  # arguments of `train`
    "a": {"network": "lstm"},
    "b": {"network": "lstm", "representation": f"{ABLATIONS}:Plain"},
    "echo": {"network": "lstm", "representation": f"{ABLATIONS}:WithEcho"},
    "form": {"network": "lstm", "representation": f"{ABLATIONS}:WithForm"},
    "unlined": {"network": "lstm", "representation": f"{ABLATIONS}:WithoutAlone"},
    "unagreed": {"network": "lstm", "network_config": {"agreement": False}},
    "c": {"network": "transformer"},
}
RIVALS = {"d": "gpt2", "e": "lstm"}
TITLES = {
    "a": "`notes`, LSTM: echo, alone and form",
    "b": "without echo, alone and form",
    "echo": "with echo only",
    "form": "with form only",
    "unlined": "(a) without alone",
    "unagreed": "(a) without agreement in the head",
    "c": "`notes`, transformer: echo, alone and form",
    "d": "MidiTok REMI, Hugging Face GPT-2",
    "e": "MidiTok REMI, LSTM",
}
RATES = {"ours": (2e-3, 4e-3, 8e-3), "rivals": (5e-4, 1e-3, 2e-3)}


class Runs:
    """Trains and measures arms of the comparison, and keeps the results in a folder."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.corpus = Corpus.open(options.corpus)
        self.songs = self.out / "songs.npz"
        if not self.songs.exists():
            export_songs(self.corpus, self.songs)

    def result(self, arm: str, minutes: float, rate: float, seed: int, side: str) -> dict[str, Any]:
        """Train an arm and measure it on a side of the corpus, unless that was done before."""
        file = self.out / f"{arm}-{minutes:g}min-{rate:g}-seed{seed}-{side}.json"

        def compute() -> dict[str, Any]:
            print(f"{time.strftime('%H:%M')}  {file.stem}", flush=True)
            run = self._rival if arm in RIVALS else self._own
            found = run(arm, minutes, rate, seed, side, file)
            found |= {"arm": arm, "minutes": minutes, "rate": rate, "seed": seed, "side": side}
            return found | {"threads": self.options.threads, "clock": self.options.clock, "load": load()}

        return stored(file, compute)

    def _own(self, arm: str, minutes: float, rate: float, seed: int, side: str, file: Path) -> dict[str, Any]:
        options = self.options
        settings: dict[str, Any] = {"minutes": minutes, "learning_rate": rate, "seed": seed}
        settings |= {"threads": options.threads, "batch": options.batch}
        arguments = {**OURS[arm]}
        if options.dropout:
            config = arguments.get("network_config", {})
            arguments["network_config"] = {**config, "dropout": options.dropout}
        began, busy = time.perf_counter(), time.process_time()
        train(self.corpus.path, file.with_suffix(""), **arguments, **settings, memory_mb=4096)
        took = {"seconds": time.perf_counter() - began, "processor_s": time.process_time() - busy}
        model = Model.open(file.with_suffix(""))
        training = model.info["training"]
        took |= {"weights": model.info["parameters"], "steps": training["steps"], "batch": training["batch"]}
        hidden = {"none": HIDDEN["none"]} if side == "valid" else HIDDEN
        kind = registry.find("representations", OURS[arm].get("representation", "notes"))
        return took | self._measure(model, kind(), side, hidden)

    def _measure(
        self, model: Model, representation: Any, side: str, hidden: dict[str, tuple[str, ...]]
    ) -> dict[str, Any]:
        accounts = list(
            likelihood(
                model.network_in_torch(),
                representation,
                [song for song in CorpusSongs(self.corpus, side) if is_music(song.score)],
                plan_encoder=model.plan_encoder,
                has_key_frame=model.has_key_frame,
                given=hidden,
                threads=self.options.threads,
            )
        )
        accounts.sort(key=lambda account: account["none"].song)
        given = {name: summarize([account[name] for account in accounts]) for name in hidden}
        songs = [account["none"] for account in accounts]
        return {"nats": given["none"]["reference"], "known": given} | nats_by_song(songs)

    def _rival(
        self, arm: str, minutes: float, rate: float, seed: int, side: str, file: Path
    ) -> dict[str, Any]:
        options, answer = self.options, file.with_suffix(".rival")
        settings = {"network": RIVALS[arm], "minutes": minutes, "lr": rate, "seed": seed, "judge": side}
        settings |= {"threads": options.threads, "clock": options.clock, "dropout": options.dropout}
        settings |= {"out": answer} | ({"batch": options.batch} if options.batch else {})
        run_rival(options.peers, self.songs, settings)
        found: dict[str, Any] = json.loads(answer.read_text())
        answer.unlink()
        judged = found.pop("judged")
        both = {name: judged[name] for name in ("nats", "songs", "notes")}
        return {**found, **both, "judged": judged}


def run_rival(python: str, songs: Path, settings: dict[str, Any]) -> None:
    """Run the benchmark `rivals` in another interpreter."""
    command = [python, "-m", "benchmarks", "rivals", str(songs.resolve())]
    for name, value in settings.items():
        command += [f"--{name}", str(value.resolve() if isinstance(value, Path) else value)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def nats_by_song(songs: Sequence[SongNats]) -> dict[str, Any]:
    """Reference nats and notes of each song."""
    return {"songs": [song.reference for song in songs], "notes": [song.notes for song in songs]}


def is_music(score: Score) -> bool:
    """Whether no part holds chord labels; one file of POP909-CL holds nothing else."""
    return not any(part.name == "chords" for part in score.parts)


def export_songs(corpus: Corpus, file: Path) -> None:
    """Write the songs as columns of notes, for an interpreter without Ritornello; sides sorted by name."""
    songs = [
        (side, song.score)
        for side in ("train", "valid", "test")
        for song in sorted(CorpusSongs(corpus, side), key=lambda song: song.name)
    ]
    if any(side == "train" and not is_music(score) for side, score in songs):
        raise SystemExit(f"a song to train on in {str(corpus.path)!r} holds chord labels alone")
    songs = [(side, score) for side, score in songs if is_music(score)]
    scores = [score for _, score in songs]
    names = ("onset_ticks", "duration_ticks", "pitch", "velocity")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(score, name) for score in scores]) for name in names
    }
    meters = [
        (number, *meter) for number, score in enumerate(scores) for meter in score.meters or [(0, 4, 4)]
    ]
    columns["meters"] = np.array(meters)
    columns["split"] = np.array([side for side, _ in songs])
    columns["offsets"] = np.cumsum([0, *(len(score) for score in scores)])
    columns["ticks_per_beat"] = np.array([score.ticks_per_beat for score in scores])
    np.savez(file, **columns)


def comparison(results: dict[str, list[dict[str, Any]]]) -> str:
    """The table: a row for each arm, with the mean of its seeds."""
    lines = []
    for arm, found in results.items():
        cells = [
            f"({arm}) {TITLES[arm]}" if len(arm) == 1 else TITLES[arm],
            f"{found[0]['weights'] / 1e6:.2f}",
            f"{found[0]['rate']:g}",
            mean_of_seeds([result["nats"] for result in found]),
        ]
        for other in ("b", "d"):
            compared = other in results and other != arm
            cells.append(reduction(found[0]["songs"], results[other][0]["songs"]) if compared else "")
        for given in ("form", "plan"):
            values = [result["known"][given]["reference"] for result in found if "known" in result]
            cells.append(f"{np.mean(values):.3f}" if values else "")
        cells.append(f"{np.mean([result['processor_s'] for result in found]):.0f}")
        lines.append(cells)
    head = ["", "weights, M", "rate", "nats per note (seeds)", "below (b)", "below (d)"]
    return table([*head, "form given", "plan given", "processor s"], lines)


def best_rate(runs: Runs, arm: str, minutes: float, rates: Collection[float]) -> float:
    """The rate with the fewest nats on the valid side after a short training."""
    swept = {rate: runs.result(arm, minutes, rate, 0, "valid")["nats"] for rate in rates}
    shown = ", ".join(f"{rate:g}: {nats:.3f}" for rate, nats in swept.items())
    print(f"{arm} after {minutes:g} minutes, by rate: {shown}", flush=True)
    return min(swept, key=lambda rate: swept[rate])


@benchmark(
    CORPUS,
    OUT,
    argument("--peers", metavar="PYTHON", help="an interpreter that has miditok, torch and transformers"),
    argument("--arms", default=",".join([*OURS, *RIVALS]), help="which arms, separated by commas"),
    argument("--minutes", type=float, default=6.0, help="of training (default: %(default)s)"),
    argument("--seeds", type=int, default=3),
    argument("--sweep", type=float, default=2.0, help="minutes of training for each rate that is tried"),
    argument("--rate", type=float, help="the learning rate of all arms, instead of trying several"),
    argument("--batch", type=int, help="crops per step of all arms (default: 32; of the rivals 4)"),
    argument("--dropout", type=float, default=0.0, help="of all arms"),
    argument("--threads", type=int, default=1),
    CLOCK,
)
def pop(options: argparse.Namespace) -> None:
    """Train networks on pop piano for the same time, and measure them on the same whole songs.

    CORPUS is POP909-CL, prepared (`ritornello prepare pop909_cl --out CORPUS`: its chord track becomes
    chords, and the piano remains; a file with chord labels alone is left out). All arms learn from its train
    side. They are measured on its test side in reference nats per source note
    (ritornello.evaluation.reference), with nothing given but the meter. The learning rate of each arm is the
    best of three after a short training, by the valid side.

    The rivals, arms d and e, run in an interpreter of their own: see `python -m benchmarks rivals --help`.
    """
    set_training_clock(options.clock)
    runs = Runs(options)
    arms = options.arms.split(",")
    if not options.peers:
        arms = [arm for arm in arms if arm not in RIVALS]
        print("without --peers the rivals are left out")
    results = {}
    for arm in arms:
        rates = RATES["rivals" if arm in RIVALS else "ours"]
        rate = options.rate or best_rate(runs, arm, options.sweep, rates)
        seeds = range(options.seeds)
        results[arm] = [runs.result(arm, options.minutes, rate, seed, "test") for seed in seeds]
    print(f"\n{options.minutes:g} minutes, {options.threads} thread(s), {options.seeds} seed(s), test side\n")
    print(comparison(results))
