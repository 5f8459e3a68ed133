"""Songs of a rival of `benchmarks/pop.py`, for `benchmarks/judge.py`: MIDI files from a trained GPT-2.

    PYTHONPATH=src PEERS/bin/python benchmarks/rival_songs.py WEIGHTS.pt SONGS.npz --out FOLDER [--songs 80]

WEIGHTS.pt is what `rivals.py --network gpt2` left beside its result, SONGS.npz what `pop.py` wrote. For each
held-out song, at most `--songs` at even distances, one of as many bars is sampled token by token; none is
picked. MidiTok turns the tokens into notes; a token out of its grammar is passed over.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from remi import Remi, read_songs
from rivals import Gpt2

TOGETHER = 20  # songs of about a length


@torch.no_grad()
def sample(net: Gpt2, remi: Remi, wanted: list[int], options: argparse.Namespace) -> list[list[int]]:
    """Token lists, BOS left out, of songs of so many bars; one may end before by itself."""
    bar = torch.from_numpy(remi.kind == "Bar")
    count, most = len(wanted), torch.tensor(wanted)
    ids = torch.full((count, 1), remi.begin)
    bars, over = torch.zeros(count, dtype=torch.long), torch.zeros(count, dtype=torch.bool)
    cache: Any = None
    seen = 0  # tokens that the cache stands for
    while not over.all() and ids.shape[1] < options.most:
        if seen >= options.window - 1:  # its positions are used up: begin again from the later half
            cache, seen = None, 0
            fresh = ids[:, -options.window // 2 :]
        else:
            fresh = ids[:, seen:] if cache is None else ids[:, -1:]
        with torch.autocast("cpu", torch.bfloat16):
            found = net.net(input_ids=fresh, past_key_values=cache, use_cache=True)
        cache, seen = found.past_key_values, seen + fresh.shape[1]
        drawn = draw(found.logits[:, -1].float() / options.temperature, options.top_p)
        bars += bar[drawn]
        over |= (drawn == remi.end) | (bars > most)
        ids = torch.cat([ids, torch.where(over, remi.end, drawn)[:, None]], dim=1)
    return [[i for i in song[1:] if i != remi.end] for song in ids.tolist()]


def draw(logits: Tensor, top_p: float) -> Tensor:
    """One class (B,) from the fewest classes that hold `top_p` of the chance."""
    chance, order = logits.softmax(-1).sort(descending=True)
    kept = chance.cumsum(-1) - chance < top_p
    place = torch.multinomial(chance * kept, 1)
    return order.gather(-1, place)[:, 0]


def main() -> None:
    """Sample and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("like", type=Path, help="songs.npz")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=80)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--window", type=int, default=1024, help="as in training")
    parser.add_argument("--most", type=int, default=16384, help="tokens in a song")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    remi = Remi()
    net = Gpt2(remi.size, options.window, 0.0).eval()
    net.load_state_dict(torch.load(options.weights, weights_only=True))
    options.out.mkdir(parents=True, exist_ok=True)
    sides = read_songs(options.like, remi)
    bars = sorted(int((remi.kind[song.ids] == "Bar").sum()) for song in sides["test"] + sides["valid"])
    bars = [bars[i] for i in np.linspace(0, len(bars) - 1, min(options.songs, len(bars))).astype(int)]
    for first in range(0, len(bars), TOGETHER):
        for number, ids in enumerate(sample(net, remi, bars[first : first + TOGETHER], options), first):
            score: Any = remi.tokenizer.decode([ids])
            score.dump_midi(str(options.out / f"{number:03d}.mid"))
    print(f"{len(bars)} songs in {str(options.out)!r}")


if __name__ == "__main__":
    main()
