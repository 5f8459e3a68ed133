"""Songs of a rival of `benchmarks/pop.py`, for `benchmarks/judge.py`: MIDI files from a trained GPT-2.

    PYTHONPATH=src PEERS/bin/python benchmarks/rival_songs.py WEIGHTS.pt --out FOLDER [--bars 32]

WEIGHTS.pt is what `rivals.py --network gpt2` left beside its result. Songs are sampled token by token, none
is picked, and each is cut at the bar that was asked for. MidiTok turns the tokens into notes; a token out of
its grammar is passed over.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rivals import Gpt2, Remi


@torch.no_grad()
def sample(net: Gpt2, remi: Remi, options: argparse.Namespace) -> list[list[int]]:
    """Token lists, BOS left out, of the songs; each ends before bar number `bars` (from 0) or at EOS."""
    bar = torch.from_numpy(remi.kind == "Bar")
    ids = torch.full((options.songs, 1), remi.begin)
    bars, over = torch.zeros(options.songs, dtype=torch.long), torch.zeros(options.songs, dtype=torch.bool)
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
        over |= (drawn == remi.end) | (bars > options.bars)
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
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--bars", type=int, default=32)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--window", type=int, default=1024, help="as in training")
    parser.add_argument("--most", type=int, default=8192, help="tokens in a song")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    remi = Remi()
    net = Gpt2(remi.size, options.window, 0.0).eval()
    net.load_state_dict(torch.load(options.weights, weights_only=True))
    options.out.mkdir(parents=True, exist_ok=True)
    for number, ids in enumerate(sample(net, remi, options)):
        score: Any = remi.tokenizer.decode([ids])
        score.dump_midi(str(options.out / f"{number:03d}.mid"))
    print(f"{options.songs} songs in {str(options.out)!r}")


if __name__ == "__main__":
    main()
