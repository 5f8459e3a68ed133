"""Songs as MidiTok's REMI tokens and back: what the rivals of `pop` learn, and songs sampled from them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.shared import argument, benchmark
from ritornello.evaluation.reference import reference

if TYPE_CHECKING:
    from torch import Tensor

    from benchmarks.pop.rivals import Gpt2

Ints = npt.NDArray[np.int64]

TICKS_PER_BEAT = 24
MAX_DURATION_TICKS = 16 * TICKS_PER_BEAT
SONGS_PER_BATCH = 20  # sampled together, of about the same length


@dataclass(frozen=True)
class TokenSong:
    """The tokens (L,) of a song, how many notes it had, and the nats that the reference adds."""

    ids: Ints
    notes: int
    charge: float


class Remi:
    """MidiTok's REMI with 24 positions per beat and 32 velocities, and how wide its classes are."""

    def __init__(self) -> None:
        from miditok import REMI, TokenizerConfig

        config = TokenizerConfig(
            pitch_range=(0, 127),
            beat_res={(0, 4): 24, (4, 16): 4},
            num_velocities=32,
            use_time_signatures=True,
            use_pitchdrum_tokens=False,
            time_signature_range={4: list(range(1, 13))},
            special_tokens=["PAD", "BOS", "EOS"],
        )
        self.tokenizer = REMI(config)
        names: dict[str, int] = self.tokenizer.vocab
        self.size = len(names)
        self.kind = np.empty(self.size, object)  # of a token: Bar, Pitch ...
        for name, number in names.items():
            self.kind[number] = name.split("_")[0]
        self.begin, self.end = names["BOS_None"], names["EOS_None"]
        self.pitches = names["Pitch_0"], names["Pitch_127"]
        self.is_given = self.kind == "TimeSig"  # the meter is not counted
        self.width = self._widths()

    def song(self, ticks_per_beat: int, notes: Ints, meters: Ints) -> TokenSong:
        """The tokens of notes (N, 4) (onset, duration, pitch, velocity) and meters (M, 3) (onset, n, d)."""
        ids = self._tokens(ticks_per_beat, notes, meters)
        durations, velocities = (self.width[ids[self.kind[ids] == kind]] for kind in ("Duration", "Velocity"))
        widths = {"shift": 1, "part": 1, "pitch": 1, "duration": durations, "velocity": velocities}
        charge = reference(0.0, widths, kept=len(durations), source_notes=len(notes))
        return TokenSong(np.concatenate([[self.begin], ids, [self.end]]), len(notes), charge)

    def _tokens(self, ticks_per_beat: int, notes: Ints, meters: Ints) -> Ints:
        from symusic import Note, Score, TimeSignature, Track

        score: Any = Score(ticks_per_beat)
        track: Any = Track("piano", 0, False)
        for onset, duration, pitch, velocity in notes.tolist():
            track.notes.append(Note(onset, duration, pitch, velocity))
        score.tracks.append(track)
        for onset, numerator, denominator in meters.tolist():
            beats = (
                numerator * 4 / denominator
            )  # MidiTok takes an eighth for the beat in 3/8: two bars are one
            over = int(beats) if beats.is_integer() else int(2 * beats)
            score.time_signatures.append(TimeSignature(onset, min(max(over, 1), 12), 4))
        return np.array(self.tokenizer.encode(score)[0].ids, np.int64)

    def _widths(self) -> npt.NDArray[np.float64]:
        """How many durations or velocities each token stands for, found by tokenizing all of them."""
        bars = np.arange(MAX_DURATION_TICKS) * 5 * TICKS_PER_BEAT * 4
        one = np.ones(MAX_DURATION_TICKS, np.int64)
        lengths = np.stack([bars, np.arange(MAX_DURATION_TICKS) + 1, 60 * one, 64 * one], axis=1)
        loud = np.stack([bars[:127], TICKS_PER_BEAT * one[:127], 60 * one[:127], np.arange(127) + 1], axis=1)
        meter = np.array([[0, 4, 4]])
        count = np.ones(self.size)
        for kind, notes in (("Duration", lengths), ("Velocity", loud)):
            ids = self._tokens(TICKS_PER_BEAT, notes, meter)
            ids = ids[self.kind[ids] == kind]
            assert len(ids) == len(notes)
            number, times = np.unique(ids, return_counts=True)
            count[number] = times
            if kind == "Velocity":
                count[ids[0]] += 1  # velocity 0, which no note has, is one of the reference's 128
        return count


def read_songs(path: Path, remi: Remi) -> dict[str, list[TokenSong]]:
    """The songs of each side of the split in a file that `pop` wrote."""
    data = np.load(path, allow_pickle=False)
    notes = np.stack([data[name] for name in ("onset_ticks", "duration_ticks", "pitch", "velocity")], axis=1)
    sides: dict[str, list[TokenSong]] = {"train": [], "valid": [], "test": []}
    for number, side in enumerate(data["split"].tolist()):
        own = slice(*data["offsets"][number : number + 2].tolist())
        meters = data["meters"][data["meters"][:, 0] == number, 1:]
        song = remi.song(int(data["ticks_per_beat"][number]), notes[own].astype(np.int64), meters)
        sides[side].append(song)
    return sides


def sample(net: Gpt2, remi: Remi, wanted: list[int], options: argparse.Namespace) -> list[list[int]]:
    """Token lists, without BOS, of songs of `wanted` bars each; a song may end earlier by itself."""
    import torch

    bar = torch.from_numpy(remi.kind == "Bar")
    count, most = len(wanted), torch.tensor(wanted)
    ids = torch.full((count, 1), remi.begin)
    bars, over = torch.zeros(count, dtype=torch.long), torch.zeros(count, dtype=torch.bool)
    cache: Any = None
    cached = 0  # tokens in the cache
    while not over.all() and ids.shape[1] < options.most:
        if cached >= options.window - 1:  # all positions are used: begin again from the later half
            cache, cached = None, 0
            fresh = ids[:, -options.window // 2 :]
        else:
            fresh = ids[:, cached:] if cache is None else ids[:, -1:]
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            found = net.net(input_ids=fresh, past_key_values=cache, use_cache=True)
        cache, cached = found.past_key_values, cached + fresh.shape[1]
        drawn = draw(found.logits[:, -1].float() / options.temperature, options.top_p)
        bars += bar[drawn]
        over |= (drawn == remi.end) | (bars > most)
        ids = torch.cat([ids, torch.where(over, remi.end, drawn)[:, None]], dim=1)
    return [[i for i in song[1:] if i != remi.end] for song in ids.tolist()]


def draw(logits: Tensor, top_p: float) -> Tensor:
    """A class (B,) drawn from the fewest classes that hold `top_p` of the probability."""
    import torch

    chance, order = logits.softmax(-1).sort(descending=True)
    kept = chance.cumsum(-1) - chance < top_p
    place = torch.multinomial(chance * kept, 1)
    return order.gather(-1, place)[:, 0]


@benchmark(
    argument("weights", type=Path, help="the .pt file that `rivals --network gpt2 --out` left"),
    argument("songs_file", metavar="SONGS.npz", type=Path, help="the file that `pop` wrote"),
    argument("--out", type=Path, required=True, help="a folder for the MIDI files"),
    argument("--songs", type=int, default=80),
    argument("--temperature", type=float, default=1.0),
    argument("--top-p", type=float, default=0.95),
    argument("--window", type=int, default=1024, help="as in training"),
    argument("--most", type=int, default=16384, help="tokens in a song"),
    argument("--seed", type=int, default=0),
    argument("--threads", type=int, default=1),
)
def rival_songs(options: argparse.Namespace) -> None:
    """Sample songs from a GPT-2 that `rivals` trained, as MIDI files for the benchmark `judge`.

        PYTHONPATH=src PEERS/bin/python -m benchmarks rival-songs WEIGHTS.pt SONGS.npz --out FOLDER

    Of the held-out songs, sorted by length, --songs are taken at even distances, and for each of them a song
    of as many bars is sampled token by token. None is picked out. MidiTok turns the tokens into notes and
    passes over tokens that do not follow its grammar.
    """
    import torch

    from benchmarks.pop.rivals import Gpt2

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    remi = Remi()
    net = Gpt2(remi.size, options.window, 0.0).eval()
    net.load_state_dict(torch.load(options.weights, weights_only=True))
    options.out.mkdir(parents=True, exist_ok=True)
    sides = read_songs(options.songs_file, remi)
    bars = sorted(int((remi.kind[song.ids] == "Bar").sum()) for song in sides["test"] + sides["valid"])
    bars = [bars[i] for i in np.linspace(0, len(bars) - 1, min(options.songs, len(bars))).astype(int)]
    for first in range(0, len(bars), SONGS_PER_BATCH):
        songs = sample(net, remi, bars[first : first + SONGS_PER_BATCH], options)
        for number, ids in enumerate(songs, first):
            score: Any = remi.tokenizer.decode([ids])
            score.dump_midi(str(options.out / f"{number:03d}.mid"))
    print(f"{len(bars)} songs in {str(options.out)!r}")
