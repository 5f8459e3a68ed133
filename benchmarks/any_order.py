"""The network of `benchmarks/jsb.py`: each voice of a frame is predicted from any of the others.

    frames before, candidates ─ trunk (LSTM) ─ context ─ + ─ hidden ─ absolute logits of a voice
                                                         │            + by the step from its last pitch
    voices of this frame that are known, what the  ──────┘            + by the interval to each known voice
    candidates guess, and whether they agree                          + for what each candidate guesses

In training the order of the voices is drawn anew for every frame, so that one network has learnt all 24
orders (as in orderless NADE, Uria et al. 2014), and their predictions can be averaged. The two relative parts
say what music says of steps and chords once for all keys. The candidates for the next frame are those of
`chorale_returns.py`. Dropout leaves the same units out in all frames of a crop (Gal and Ghahramani 2016), and
some of what was heard is left out as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

import chorale_returns as returns
from ritornello.models.chain.network import normed
from ritornello.representations.chorale import SIZE

VOICES = 4
NONE = SIZE  # before a song's first frame; or: not known
AGES = 17  # frames since a voice moved, 16 and more
POSITIONS = 16
STEPS = 12  # a move of more is one
CANDIDATES = 2
# columns of a row: position, four voices, their four ages, six of each candidate for this frame
HEARD = slice(1, 1 + VOICES)
AGE = slice(1 + VOICES, 1 + 2 * VOICES)
CANDIDATE = slice(1 + 2 * VOICES, 1 + 2 * VOICES + CANDIDATES * returns.COLUMNS)
LEVELS = 1 + max(len(returns.ECHO_FRAMES), len(returns.MEMORY_FRAMES))
WRONG, OPEN, AGREES = range(3)  # what the known voices say of a candidate (WRONG: or there is none)


@dataclass(frozen=True)
class Config:
    """Sizes."""

    width: int = 320
    layers: int = 2
    dropout: float = 0.55
    unheard: float = 0.15
    """Share of the voices' past that is left out in training."""
    weight_decay: float = 1.0
    window: int = 160
    """Frames in a crop."""


class Locked(nn.Module):
    """Dropout of the same units in all frames (B, T, W) of a crop."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, hidden: Tensor) -> Tensor:
        """The same shape."""
        if not self.training or not self.share:
            return hidden
        kept = torch.rand(len(hidden), 1, hidden.shape[-1], device=hidden.device) >= self.share
        return hidden * (kept / (1 - self.share)).to(hidden.dtype)


class Layer(nn.Module):
    """hidden + LSTM(RMSNorm(hidden))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.width
        self.dropout = Locked(config.dropout)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        weights = dict(self.lstm.named_parameters())
        nn.init.xavier_uniform_(weights["weight_ih_l0"])
        nn.init.orthogonal_(weights["weight_hh_l0"])
        nn.init.zeros_(weights["bias_ih_l0"])
        nn.init.zeros_(weights["bias_hh_l0"])
        with torch.no_grad():
            weights["bias_ih_l0"][width : 2 * width] = 1  # the forget gate's

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, W) to the same."""
        added, _ = self.lstm(normed(hidden))
        found: Tensor = hidden + self.dropout(added)
        return found


class Head(nn.Module):
    """The logits of one voice from the context and the voices that are known."""

    pitch: Tensor

    def __init__(self, voice: int, config: Config) -> None:
        super().__init__()
        width = config.width
        self.voice, self.others = voice, [other for other in range(VOICES) if other != voice]
        self.known = nn.Parameter(0.3 * torch.randn(VOICES, NONE + 1, width))
        self.between = nn.Parameter(0.2 * torch.randn(VOICES, 13, width))
        self.guess = nn.Parameter(0.2 * torch.randn(CANDIDATES, 3 * (NONE + 1), width))
        self.trust = nn.Linear(width, CANDIDATES)
        self.trusted = nn.Parameter(torch.zeros(CANDIDATES, LEVELS, returns.RUNS, 3))
        self.hidden, self.dropout = nn.Linear(width, width), Locked(config.dropout)
        self.absolute = nn.Linear(width, SIZE)
        self.by_step, self.by_interval = nn.Linear(width, 2 * SIZE), nn.Linear(width, 12 * len(self.others))
        for part in (self.by_step, self.by_interval):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)
        self.register_buffer("pitch", torch.arange(SIZE), persistent=False)

    def forward(
        self, context: Tensor, frame: Tensor, last: Tensor, known: Tensor, candidates: Tensor
    ) -> Tensor:
        """Logits (B, T, SIZE).

        `frame` and `known` (B, T, 4) are this frame, `last` (B, T) is the voice before it, `candidates`
        (B, T, CANDIDATES, 6).
        """
        for other in self.others:
            told = torch.where(known[..., other], frame[..., other], NONE)
            context = context + functional.embedding(told, self.known[other])
            context = context + functional.embedding(interval(last, told), self.between[other])
        agrees = agreement(candidates, frame, known)
        for number, table in enumerate(self.guess):
            row = candidates[..., number, self.voice] + (NONE + 1) * agrees[..., number]
            context = context + functional.embedding(row, table)
        hidden = self.dropout(functional.silu(self.hidden(context)))
        logits: Tensor = self.absolute(hidden).float()
        logits = logits + self._relative(hidden, frame, last, known)
        return logits + self._trusting(hidden, candidates, agrees)

    def _relative(self, hidden: Tensor, frame: Tensor, last: Tensor, known: Tensor) -> Tensor:
        """What steps and chords add to the logits."""
        step = self.pitch - last[..., None] + SIZE - 1  # (B, T, SIZE)
        logits: Tensor = self.by_step(hidden).float().gather(-1, step.clamp(0)) * self.sounds(last)
        chords = self.by_interval(hidden).float().unflatten(-1, (-1, 12))
        for number, other in enumerate(self.others):
            above = (self.pitch - frame[..., other, None]) % 12
            heard = known[..., other, None] & self.sounds(frame[..., other])
            logits = logits + chords[..., number, :].gather(-1, above) * heard
        return logits

    def _trusting(self, hidden: Tensor, candidates: Tensor, agrees: Tensor) -> Tensor:
        """What candidates add to the logits of what they guess."""
        trust, logits = self.trust(hidden).float(), torch.zeros(())
        for number, table in enumerate(self.trusted):
            guess, level = candidates[..., number, self.voice], candidates[..., number, returns.LEVEL]
            much = (
                trust[..., number] + table[level, candidates[..., number, returns.RUN], agrees[..., number]]
            )
            said = (level > 0) & (guess < NONE)
            one = functional.one_hot(guess.clamp(max=NONE - 1), SIZE)
            logits = logits + one * (much * said)[..., None]
        return logits

    def sounds(self, classes: Tensor) -> Tensor:
        """Where both a voice (B, T) and each class (SIZE,) sounds."""
        return sounds(classes)[..., None] & (self.pitch > 0)


class AnyOrder(nn.Module):
    """The network, its loss and its optimizer, as `training.loop.Run` teaches it."""

    learns: ClassVar[str] = "all"
    halves: ClassVar[bool] = True
    batch: ClassVar[int] = 16
    learning_rate: ClassVar[float] = 3e-3
    heldout: ClassVar[int] = 1 << 30

    def __init__(self, config: Config | Mapping[str, Any]) -> None:
        super().__init__()
        self.config = config if isinstance(config, Config) else Config(**config)
        width = self.config.width
        self.position = nn.Parameter(0.3 * torch.randn(POSITIONS, width))
        self.heard = nn.Parameter(0.3 * torch.randn(VOICES, NONE + 1, width))
        self.age = nn.Parameter(0.3 * torch.randn(VOICES, AGES, width))
        self.step = nn.Parameter(0.2 * torch.randn(VOICES, 2 * STEPS + 2, width))
        self.chord = nn.Parameter(0.2 * torch.randn(VOICES, VOICES, 13, width))
        self.guess = nn.Parameter(0.3 * torch.randn(CANDIDATES, VOICES, NONE + 1, width))
        self.level = nn.Parameter(0.3 * torch.randn(CANDIDATES, LEVELS, width))
        self.run = nn.Parameter(0.3 * torch.randn(CANDIDATES, returns.RUNS, width))
        self.dropout = Locked(self.config.dropout)
        self.layers = nn.ModuleList(Layer(self.config) for _ in range(self.config.layers))
        self.heads = nn.ModuleList(Head(voice, self.config) for voice in range(VOICES))

    def forward(self, values: Tensor, plan: Tensor | None = None) -> dict[str, Tensor]:
        """Logits (B, T, SIZE) of each voice of rows 1 ... T of `values` (B, T+1, F), row 0 the predecessor.

        In training the voices have another order in every frame, else each knows those before it.
        """
        values = values.long()
        context = self.context(values)
        shape = (*context.shape[:2], VOICES)
        rank = torch.arange(VOICES).expand(shape)
        if self.training:
            rank = torch.rand(shape).argsort(-1)
        rank = rank.to(values.device)
        return {
            str(voice): self.voice(voice, context, values, rank < rank[..., voice, None])
            for voice in range(VOICES)
        }

    def context(self, values: Tensor) -> Tensor:
        """What is known of each frame (B, T, W) from those before it."""
        before = values[:, :-1]
        last, age = before[..., HEARD], before[..., AGE]
        if self.training:
            last = torch.where(torch.rand(last.shape, device=last.device) < self.config.unheard, NONE, last)
        hidden = functional.embedding(values[:, 1:, 0], self.position) + self._candidates(values)
        earlier = functional.pad(last[:, :-1], (0, 0, 1, 0), value=NONE)
        for voice in range(VOICES):
            here = last[..., voice]
            hidden = hidden + functional.embedding(here, self.heard[voice])
            hidden = hidden + functional.embedding(age[..., voice], self.age[voice])
            hidden = hidden + functional.embedding(move(earlier[..., voice], here), self.step[voice])
            for other in range(voice):
                apart = interval(here, last[..., other])
                hidden = hidden + functional.embedding(apart, self.chord[voice, other])
        hidden = self.dropout(hidden)
        for layer in self.layers:
            hidden = layer(hidden)
        return normed(hidden)

    def _candidates(self, values: Tensor) -> Tensor:
        """What the candidates for each frame tell the trunk, (B, T, W)."""
        found = torch.zeros(())
        for number, candidate in enumerate(candidates_of(values).unbind(2)):
            found = found + functional.embedding(candidate[..., returns.LEVEL], self.level[number])
            found = found + functional.embedding(candidate[..., returns.RUN], self.run[number])
            for voice in range(VOICES):
                found = found + functional.embedding(candidate[..., voice], self.guess[number, voice])
        return found

    def voice(self, voice: int, context: Tensor, values: Tensor, known: Tensor) -> Tensor:
        """The logits (B, T, SIZE) of one voice where the voices `known` (B, T, 4) are."""
        last, frame = values[:, :-1, 1 + voice], values[:, 1:, HEARD]
        found: Tensor = self.heads[voice](context, frame, last, known, candidates_of(values))
        return found

    def loss(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Nats a token, of all voices together and of each."""
        parts = {}
        for voice, logits in predictions.items():
            column = 1 + int(voice)
            counts = learn[:, 1:, column]
            parts[voice] = functional.cross_entropy(logits[counts], values[:, 1:, column][counts].long())
        return {"loss": torch.stack(list(parts.values())).mean(), **parts}

    def optimizer(self, lr: float = 3e-3) -> torch.optim.AdamW:
        """AdamW; what is looked up and biases hardly decay."""
        groups = []
        for is_matrix, share in ((True, 1.0), (False, 0.2)):
            weights = [w for w in self.parameters() if (w.ndim == 2) == is_matrix]
            groups.append({"params": weights, "weight_decay": share * self.config.weight_decay})
        return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99))

    def settings(self) -> dict[str, Any]:
        """The config as JSON."""
        return asdict(self.config)


def candidates_of(values: Tensor) -> Tensor:
    """The candidates (B, T, CANDIDATES, 6) for rows 1 ... T."""
    return values[:, 1:, CANDIDATE].reshape(*values[:, 1:].shape[:2], CANDIDATES, returns.COLUMNS)


def agreement(candidates: Tensor, frame: Tensor, known: Tensor) -> Tensor:
    """What the known voices (B, T, 4) say of each candidate, (B, T, CANDIDATES)."""
    differs = candidates[..., :VOICES] != frame[..., None, :]
    wrong = (known[..., None, :] & differs).any(-1) | (candidates[..., returns.LEVEL] == 0)
    agrees = torch.where(known.any(-1)[..., None], AGREES, OPEN)
    return torch.where(wrong, WRONG, agrees)


def sounds(classes: Tensor) -> Tensor:
    """Where a class is a pitch: no rest, not NONE."""
    return (classes > 0) & (classes < SIZE)


def interval(upper: Tensor, lower: Tensor) -> Tensor:
    """Semitones up from one to the other, octaves left out; 12 where one does not sound."""
    return torch.where(sounds(upper) & sounds(lower), (upper - lower) % 12, 12)


def move(before: Tensor, after: Tensor) -> Tensor:
    """The class of a voice's move: -12 to 12 semitones, and one where there is none."""
    size = (after - before).clamp(-STEPS, STEPS) + STEPS
    return torch.where(sounds(before) & sounds(after), size, 2 * STEPS + 1)
