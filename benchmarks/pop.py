"""Pop piano at equal wall-clock: Ritornello, itself without its parts, and MidiTok's REMI with two networks.

    python benchmarks/pop.py CORPUS --out DIR --peers PEERS/bin/python [--minutes 6] [--seeds 3] [--threads 1]

CORPUS is POP909-CL prepared (`ritornello prepare pop909_cl --out CORPUS`: its chord track becomes chords, the
piano remains; a file that holds nothing but chords is left out). All learn from its train side and are judged
on whole songs of its test side, in reference nats per source note (`ritornello.evaluation.reference`), with
nothing told of a song but its meter. Rates come from sweeps of `--sweep` minutes, judged on the valid side.
`--clock processor` counts the minutes of processor time: with one thread that is the clock of a core that
does nothing else, also where other work shares the machine.
The rivals (`benchmarks/rivals.py`) run under an interpreter of their own that has miditok, torch and
transformers. What is in DIR already is not done again.
"""

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

from ritornello import Corpus, Model
from ritornello.evaluation.inputs import Side
from ritornello.evaluation.likelihood import GIVEN, Nats, likelihood
from ritornello.evaluation.summary import interval, summary
from ritornello.models import registry
from ritornello.music.score import Score
from ritornello.training import loop
from ritornello.training.train import train

HERE = Path(__file__).resolve()
ABLATED = HERE.with_name("ablated.py")
KNOWN = {**GIVEN, "form": ("plan", "bars_left", "chord")}  # what is hidden; "form": the form alone is told
OURS: dict[str, dict[str, Any]] = {
    "a": {"network": "lstm"},
    "b": {"network": "lstm", "representation": f"{ABLATED}:Plain"},
    "echo": {"network": "lstm", "representation": f"{ABLATED}:WithEcho"},
    "form": {"network": "lstm", "representation": f"{ABLATED}:WithForm"},
    "unlined": {"network": "lstm", "representation": f"{ABLATED}:WithoutAlone"},
    "unagreed": {"network": "lstm", "network_config": {"agreement": False}},
    "c": {"network": "transformer"},
}
RIVALS = {"d": "gpt2", "e": "lstm"}
SAYS = {
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


class Bench:
    """The corpus, where results go, and what all runs have in common."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.corpus = Corpus.open(options.corpus)
        self.songs = self.out / "songs.npz"
        if not self.songs.exists():
            export(self.corpus, self.songs)

    def result(self, arm: str, minutes: float, rate: float, seed: int, side: str) -> dict[str, Any]:
        """Train an arm and judge it, unless DIR has it."""
        file = self.out / f"{arm}-{minutes:g}min-{rate:g}-seed{seed}-{side}.json"
        if not file.exists():
            print(f"{time.strftime('%H:%M')}  {file.stem}", flush=True)
            run = self._rival if arm in RIVALS else self._own
            found = run(arm, minutes, rate, seed, side, file)
            found |= {"arm": arm, "minutes": minutes, "rate": rate, "seed": seed, "side": side}
            found |= {
                "threads": self.options.threads,
                "clock": self.options.clock,
                "load": os.getloadavg()[0],
            }
            file.write_text(json.dumps(found) + "\n")
        loaded: dict[str, Any] = json.loads(file.read_text())
        return loaded

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
        given = {"none": KNOWN["none"]} if side == "valid" else KNOWN
        kind = registry.find("representations", OURS[arm].get("representation", "notes"))
        return took | self._judge(model, kind(), side, given)

    def _judge(
        self, model: Model, representation: Any, side: str, given: dict[str, tuple[str, ...]]
    ) -> dict[str, Any]:
        accounts = list(
            likelihood(
                model.network_in_torch(),
                representation,
                [song for song in Side(self.corpus, side) if is_music(song.score)],
                conditions=model.conditions,
                given=given,
                threads=self.options.threads,
            )
        )
        accounts.sort(key=lambda account: account["none"].song)
        known = {name: summary([account[name] for account in accounts]) for name in given}
        songs = [account["none"] for account in accounts]
        return {"nats": known["none"]["reference"], "known": known} | _songs(songs)

    def _rival(
        self, arm: str, minutes: float, rate: float, seed: int, side: str, file: Path
    ) -> dict[str, Any]:
        answer = file.with_suffix(".rival")
        command = [self.options.peers, str(HERE.parent / "rivals.py"), str(self.songs)]
        for name, value in (
            *(("network", RIVALS[arm]), ("minutes", minutes), ("lr", rate), ("seed", seed)),
            *(
                ("threads", self.options.threads),
                ("clock", self.options.clock),
                ("dropout", self.options.dropout),
                ("judge", side),
                ("out", answer),
            ),
            *([("batch", self.options.batch)] if self.options.batch else []),
        ):
            command += [f"--{name}", str(value)]
        place = {"PYTHONPATH": str(HERE.parent.parent / "src")}
        subprocess.run(command, check=True, env=os.environ | place, stdout=subprocess.DEVNULL)
        found = json.loads(answer.read_text())
        judged = found.pop("judged")
        answer.unlink()
        return {**found, "nats": judged["nats"], "judged": judged} | {
            name: judged[name] for name in ("songs", "notes")
        }


def _songs(songs: Sequence[Nats]) -> dict[str, Any]:
    return {"songs": [song.reference for song in songs], "notes": [song.notes for song in songs]}


def is_music(score: Score) -> bool:
    """Whether no part is the annotation of chords (as in one file, which has no piano)."""
    return not any(part.name == "chords" for part in score.parts)


def export(corpus: Corpus, file: Path) -> None:
    """The songs as columns of notes, for an interpreter that has no Ritornello; each side sorted by name."""
    songs = [
        (side, song.score)
        for side in ("train", "valid", "test")
        for song in sorted(Side(corpus, side), key=lambda song: song.name)
    ]
    for side, score in songs:
        if side == "train" and not is_music(score):
            raise SystemExit(f"a song of chords alone among those to train on in {str(corpus.path)!r}")
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


def below(one: dict[str, Any], other: dict[str, Any]) -> str:
    """By how much the nats of one are below the other's, and its 95% interval by song."""
    ours, theirs = (np.array(result["songs"]) for result in (one, other))
    low, high = interval(ours, theirs)
    return f"{1 - ours.sum() / theirs.sum():.1%} ({1 - high:.1%} to {1 - low:.1%})"


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """A row an arm, its seeds averaged."""
    lines = [
        "| | weights, M | rate | nats a note (seeds) | below (b) | below (d) | form told | all told | cpu |",
        "|---" * 9 + "|",
    ]
    for arm, found in results.items():
        nats = [result["nats"] for result in found]
        cells = [
            f"({arm}) {SAYS[arm]}" if len(arm) == 1 else SAYS[arm],
            f"{found[0]['weights'] / 1e6:.2f}",
            f"{found[0]['rate']:g}",
            f"**{np.mean(nats):.3f}** ({', '.join(f'{n:.3f}' for n in nats)})",
            *(below(found[0], results[o][0]) if o in results and o != arm else "" for o in ("b", "d")),
        ]
        for told in ("form", "plan"):
            has = "known" in found[0]
            mean = np.mean([result["known"][told]["reference"] for result in found]) if has else 0
            cells.append(f"{mean:.3f}" if has else "")
        cells.append(f"{np.mean([result['processor_s'] for result in found]):.0f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def best_rate(bench: Bench, arm: str, minutes: float, rates: Collection[float]) -> float:
    """The rate with the fewest nats on the valid side after a short training."""
    swept = {rate: bench.result(arm, minutes, rate, 0, "valid")["nats"] for rate in rates}
    shown = ", ".join(f"{rate:g}: {nats:.3f}" for rate, nats in swept.items())
    print(f"{arm} after {minutes:g} minutes, by rate: {shown}", flush=True)
    return min(swept, key=lambda rate: swept[rate])


def main() -> None:
    """Sweep, train, judge; the table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--peers", default="", help="a Python that has miditok, torch and transformers")
    parser.add_argument("--arms", default=",".join([*OURS, *RIVALS]), help="which, with commas between")
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sweep", type=float, default=2.0, help="minutes a rate")
    parser.add_argument("--rate", type=float, help="of all, instead of a sweep")
    parser.add_argument("--batch", type=int, help="crops in a step of all; else 32, of the rivals 4")
    parser.add_argument("--dropout", type=float, default=0.0, help="of all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    options = parser.parse_args()
    if options.clock == "processor":
        loop.CLOCK = time.process_time
    bench = Bench(options)
    arms = options.arms.split(",")
    if not options.peers:
        arms = [arm for arm in arms if arm not in RIVALS]
        print("no --peers: the rivals are left out")
    results = {}
    for arm in arms:
        rates = RATES["rivals" if arm in RIVALS else "ours"]
        rate = options.rate or best_rate(bench, arm, options.sweep, rates)
        results[arm] = [
            bench.result(arm, options.minutes, rate, seed, "test") for seed in range(options.seeds)
        ]
    print(f"\n{options.minutes:g} minutes, {options.threads} thread(s), {options.seeds} seed(s), test side\n")
    print(table(results))


if __name__ == "__main__":
    main()
