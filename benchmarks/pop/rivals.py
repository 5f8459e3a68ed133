"""The rivals of `pop`: MidiTok's REMI tokens, learnt by a Hugging Face GPT-2 or by an LSTM."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from benchmarks.pop.remi import Ints, Remi, TokenSong, read_songs
from benchmarks.shared import argument, benchmark, load

TRANSPOSED = (-6, 5)  # semitones, both included
IGNORED = -100  # a target that does not count
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
MEASUREMENTS = 5  # of held-out windows during training
HELDOUT_WINDOWS = 12


class Gpt2(nn.Module):
    """Hugging Face's GPT-2 with 4.3 million weights, as many as Ritornello's `small`."""

    def __init__(self, vocabulary: int, window: int, dropout: float) -> None:
        from transformers import GPT2Config, GPT2LMHeadModel

        super().__init__()
        share = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), dropout)
        sizes: dict[str, Any] = {"n_positions": window, "n_embd": 256, "n_layer": 5, "n_head": 4}
        gelu = {"activation_function": "gelu_pytorch_tanh"}  # the same function as GPT-2's, in one kernel
        config = GPT2Config(
            vocab_size=vocabulary, use_cache=False, bos_token_id=1, eos_token_id=2, **sizes, **share, **gelu
        )
        self.net = GPT2LMHeadModel(config)

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (B, T, vocabulary) of the next tokens; there is no state beyond the window."""
        return self.net(input_ids=ids).logits, None


class Lstm(nn.Module):
    """Two layers of nn.LSTM, 4.3 million weights."""

    def __init__(self, vocabulary: int, window: int, dropout: float) -> None:
        super().__init__()
        width = 496
        self.table = nn.Embedding(vocabulary, width)
        self.trunk = nn.LSTM(width, width, 2, batch_first=True, dropout=dropout)
        self.logits = nn.Linear(width, vocabulary)

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (B, T, vocabulary) of the next tokens, and the state after them."""
        hidden, state = self.trunk(self.table(ids), state)
        return self.logits(hidden), state


class Crops:
    """Random transposed crops of tokens as inputs and targets (B, window)."""

    def __init__(self, songs: list[TokenSong], remi: Remi, window: int, seed: int) -> None:
        self.songs, self.remi, self.window = songs, remi, window
        self.draw = np.random.default_rng(seed)
        lengths = np.array([len(song.ids) for song in songs], np.float64)
        self.probability = lengths / lengths.sum()

    def batch(self, size: int, transpose: bool = True) -> tuple[Tensor, Tensor]:
        """A batch; all tokens of all songs are about equally likely to be in it."""
        ids = np.full((size, self.window + 1), self.remi.end)
        target = np.full((size, self.window + 1), IGNORED)
        for row, number in enumerate(self.draw.choice(len(self.songs), size, p=self.probability)):
            song = self.songs[number].ids
            over = max(0, len(song) - self.window - 1)
            start = max(0, min(over, int(self.draw.integers(-self.window // 4, over + self.window // 4 + 1))))
            crop = song[start : start + self.window + 1].copy()
            if transpose:
                is_pitch = (crop >= self.remi.pitches[0]) & (crop <= self.remi.pitches[1])
                moved = crop + np.where(is_pitch, self.draw.integers(TRANSPOSED[0], TRANSPOSED[1] + 1), 0)
                moved = np.where(is_pitch, moved.clip(*self.remi.pitches), moved)
                crop = moved
            ids[row, : len(crop)] = crop
            target[row, : len(crop)] = np.where(self.remi.is_given[crop], IGNORED, crop)
        return torch.from_numpy(ids[:, :-1]), torch.from_numpy(target[:, 1:])


class Training:
    """Trains one network for a given time."""

    def __init__(self, options: argparse.Namespace, songs: dict[str, list[TokenSong]], remi: Remi) -> None:
        torch.manual_seed(options.seed)
        self.options, self.songs, self.remi = options, songs, remi
        kind = {"gpt2": Gpt2, "lstm": Lstm}[options.network]
        self.device = torch.device(options.device)
        self.net = kind(remi.size, options.window, options.dropout).to(self.device)
        self.half = options.half
        self.log: list[dict[str, float]] = []
        self.tokens = 0

    def logits(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """The network's logits in float32, whatever it computes in."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            found, state = self.net(ids.to(self.device), state)
        return found.float(), state

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Nats per token."""
        logits, _ = self.logits(batch[0])
        target = batch[1].to(self.device).flatten()
        return functional.cross_entropy(logits.flatten(0, 1), target, ignore_index=IGNORED)

    def run(self) -> dict[str, float]:
        """Train for the given minutes, measurements included; returns what it took."""
        options = self.options
        crops = Crops(self.songs["train"], self.remi, options.window, options.seed)
        sample = Crops(self.songs["valid"], self.remi, options.window, 0).batch(HELDOUT_WINDOWS, False)
        optimizer = torch.optim.AdamW(self._parameter_groups(), lr=options.lr, betas=(0.9, 0.95), fused=True)
        budget, steps, best = options.minutes * 60, 0, (math.inf, self._copy_weights())
        clock = CLOCKS[options.clock]
        began, busy, start = time.perf_counter(), time.process_time(), clock()
        step_s = step_busy_s = 0.0
        while (spent := clock() - start) < budget:
            at, at_busy = time.perf_counter(), time.process_time()
            for group in optimizer.param_groups:
                group["lr"] = options.lr * share_of_rate(spent / budget)
            self.net.train()
            loss = self.loss(crops.batch(options.batch))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            optimizer.step()
            steps += 1
            self.tokens += options.batch * options.window
            step_s += time.perf_counter() - at
            step_busy_s += time.process_time() - at_busy
            if spent > budget * (len(self.log) + 1) / (MEASUREMENTS + 1):
                best = min(best, self._measure(sample, steps, spent), key=lambda pair: pair[0])
        took = {"seconds": time.perf_counter() - began, "processor_s": time.process_time() - busy}
        best = min(best, self._measure(sample, steps, took["seconds"]), key=lambda pair: pair[0])
        self.net.load_state_dict(best[1])
        speed = {"tokens_a_second": self.tokens / step_s, "step_busy_s": step_busy_s}
        return took | {"steps": steps, "tokens": self.tokens} | speed

    def _parameter_groups(self) -> list[dict[str, Any]]:
        weights = list(self.net.parameters())
        decayed = {"params": [w for w in weights if w.ndim > 1], "weight_decay": self.options.decay}
        return [decayed, {"params": [w for w in weights if w.ndim == 1], "weight_decay": 0.0}]

    def _copy_weights(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.net.state_dict().items()}

    def _measure(self, sample: Any, steps: int, seconds: float) -> tuple[float, dict[str, Tensor]]:
        self.net.eval()
        with torch.no_grad():
            pieces = [self.loss(pair) for pair in zip(*(t.split(4) for t in sample), strict=True)]
        nats = float(torch.stack(pieces).mean())
        self.log.append({"step": steps, "seconds": round(seconds, 1), "heldout": nats})
        return nats, self._copy_weights()

    @torch.no_grad()
    def judge(self, side: str) -> dict[str, Any]:
        """Reference nats per source note of the songs of a side, together and by song."""
        self.net.eval()
        songs = self.songs[side]
        walk = self._with_state if self.options.network == "lstm" else self._in_windows
        nats = np.zeros(len(songs))
        kinds: dict[str, float] = {}
        for number, target, losses in walk(songs):
            nats[number] += losses.sum()
            for kind in np.unique(self.remi.kind[target].astype(str)):
                kinds[kind] = kinds.get(kind, 0.0) + float(losses[self.remi.kind[target] == kind].sum())
        charge = np.array([song.charge for song in songs])
        notes = np.array([song.notes for song in songs])
        per_note = {kind: value / int(notes.sum()) for kind, value in kinds.items()}
        return {
            "nats": float((nats + charge).sum() / notes.sum()),
            "raw": float(nats.sum() / notes.sum()),
            "by_kind": per_note | {"widths and lost": float(charge.sum() / notes.sum())},
            "songs": [round(float(x), 3) for x in nats + charge],
            "notes": notes.tolist(),
        }

    def _in_windows(self, songs: list[TokenSong]) -> Iterator[tuple[int, Ints, npt.NDArray[np.float64]]]:
        """Yield song, tokens (n,) and their nats: each token once, with at least half a window before it."""
        window, half = self.options.window, self.options.window // 2
        todo = []
        for number, song in enumerate(songs):
            last = len(song.ids) - 1  # tokens to predict, 1 ... last
            todo.append((number, 0, 0))
            todo += [(number, start, half) for start in range(half, max(last - half, 0), half)]
        for piece in range(0, len(todo), 8):
            rows = todo[piece : piece + 8]
            ids = np.full((len(rows), window + 1), self.remi.end)
            for row, (number, start, _) in enumerate(rows):
                crop = songs[number].ids[start : start + window + 1]
                ids[row, : len(crop)] = crop
            losses = self._nats(self.logits(torch.from_numpy(ids[:, :-1]))[0], ids[:, 1:])
            for row, (number, start, skipped) in enumerate(rows):
                here = slice(skipped, min(window, len(songs[number].ids) - 1 - start))
                yield number, ids[row, 1:][here], losses[row, here]

    def _with_state(self, songs: list[TokenSong]) -> Iterator[tuple[int, Ints, npt.NDArray[np.float64]]]:
        """The same with the state carried from the first token of a song to its last."""
        order = np.argsort([len(song.ids) for song in songs])
        for group in np.array_split(order, max(1, len(order) // 16)):
            longest = max(len(songs[n].ids) for n in group)
            ids = np.full((len(group), longest), self.remi.end)
            for row, number in enumerate(group):
                ids[row, : len(songs[number].ids)] = songs[number].ids
            state = None
            for start in range(0, longest - 1, 1024):
                crop = ids[:, start : start + 1025]
                logits, state = self.logits(torch.from_numpy(crop[:, :-1]), state)
                losses = self._nats(logits, crop[:, 1:])
                for row, number in enumerate(group):
                    here = slice(0, max(0, len(songs[number].ids) - 1 - start))
                    yield int(number), crop[row, 1:][here], losses[row, here]

    def _nats(self, logits: Tensor, target: Ints) -> npt.NDArray[np.float64]:
        """The nats (B, T) of targets, 0 where they are given."""
        wanted = torch.from_numpy(target).to(logits.device)
        losses = functional.cross_entropy(logits.transpose(1, 2), wanted, reduction="none")
        return np.where(self.remi.is_given[target], 0.0, losses.double().cpu().numpy())


def share_of_rate(time_share: float) -> float:
    """The share of the learning rate at a share of the training time.

    Linear warm-up over a fiftieth of the time, then a cosine down to a hundredth of the rate.
    """
    return min(1.0, time_share / 0.02 + 0.01) * (
        0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, time_share)))
    )


@benchmark(
    argument("songs_file", metavar="SONGS.npz", type=Path, help="the file that `pop` wrote"),
    argument("--network", choices=("gpt2", "lstm"), required=True),
    argument("--minutes", type=float, required=True, help="of training"),
    argument("--clock", choices=tuple(CLOCKS), default="wall", help="what the minutes are of"),
    argument("--threads", type=int, default=1),
    argument("--seed", type=int, default=0),
    argument("--lr", type=float, default=1e-3, help="the highest learning rate"),
    argument("--batch", type=int, default=4, help="crops per step"),
    argument("--window", type=int, default=1024, help="tokens, about 256 notes"),
    argument("--dropout", type=float, default=0.0),
    argument("--decay", type=float, default=0.05, help="weight decay"),
    argument("--half", action=argparse.BooleanOptionalAction, default=True, help="bfloat16 autocast"),
    argument("--device", default="cuda" if torch.cuda.is_available() else "cpu"),
    argument("--judge", choices=("valid", "test", "none"), default="valid", help="the side to measure"),
    argument("--out", type=Path, help="where the result goes, as JSON, and beside it the weights, as .pt"),
)
def rivals(options: argparse.Namespace) -> None:
    """Train a network on MidiTok's REMI tokens and measure it, as `pop` and `speed` do.

        PYTHONPATH=src PEERS/bin/python -m benchmarks rivals SONGS.npz --network gpt2 --minutes 6 --out x.json

    PEERS is an environment of its own (`pip install miditok torch transformers`). The songs come as columns
    of notes with their split. The result has the nats of each held-out song by
    ritornello.evaluation.reference; only that, errors and the type Score are used of Ritornello. The meter is
    given and not counted.

    The setting favours the rivals where it can: bfloat16, fused AdamW, warm-up and cosine over the whole
    time, transposition; each token is measured with at least half a window before it (the LSTM: with all
    before it).
    """
    torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("medium")
    remi = Remi()
    songs = read_songs(options.songs_file, remi)
    training = Training(options, songs, remi)
    weights = sum(w.numel() for w in training.net.parameters())
    result: dict[str, Any] = {"weights": weights, "load": load()} | training.run()
    train = songs["train"]
    result["tokens_a_note"] = sum(len(s.ids) for s in train) / sum(s.notes for s in train)
    result["notes_a_second"] = result["tokens_a_second"] / result["tokens_a_note"]
    result["heldout"] = training.log
    if options.out:
        torch.save(training.net.state_dict(), options.out.with_suffix(".pt"))  # for `rival-songs`
    if options.judge != "none":
        result["judged"] = {"side": options.judge} | training.judge(options.judge)
    settings = {name: str(v) if isinstance(v, Path) else v for name, v in vars(options).items()}
    if options.out:
        options.out.write_text(json.dumps({"options": settings, **result}) + "\n")
    shown = {k: v for k, v in result.items() if k not in ("judged", "heldout")}
    shown |= {k: v for k, v in result.get("judged", {}).items() if k not in ("songs", "notes")}
    print(json.dumps(shown))
