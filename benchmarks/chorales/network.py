"""The network of `jsb`: it predicts each voice of a frame from any of the other voices.

    frames before, candidates ─ trunk (LSTM) ─ context ─ + ─ hidden ─ absolute logits of a voice
                                                         │            + by the step from its last pitch
    known voices of this frame, predictions of the ──────┘            + by the interval to each known voice
    candidates, and whether they agree                                + for what each candidate predicts

In training the order of the voices is drawn anew for every frame, so that one network learns all 24 orders
(as orderless NADE, Uria et al. 2014), and their predictions can be averaged. The logits by steps and
intervals are shared by all keys. candidates.py has the candidates for the next frame. Dropout leaves out the
same units in all frames of a crop (Gal and Ghahramani 2016), and also some of the voices' past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from benchmarks.chorales import candidates as cand
from ritornello.models.chain.network import rms_norm
from ritornello.representations.chorale import SIZE

VOICES = 4
NONE = SIZE  # the class of a voice before the first frame, or of a voice that is not known
AGES = 17  # classes of frames since a voice moved: 0 ... 15, and 16 or more
POSITIONS = 16
MAX_STEP_SEMITONES = 12  # a larger step counts as one of 12
CANDIDATES = 2
# columns of a row: position, four voices, their four ages, six of each candidate for this frame
PITCH = slice(1, 1 + VOICES)
AGE = slice(1 + VOICES, 1 + 2 * VOICES)
CANDIDATE = slice(1 + 2 * VOICES, 1 + 2 * VOICES + CANDIDATES * cand.COLUMNS)
LEVELS = 1 + max(len(cand.ECHO_FRAMES), len(cand.MEMORY_FRAMES))
WRONG, OPEN, AGREES = range(3)  # a candidate contradicts the known voices or is none; none known; agrees


@dataclass(frozen=True)
class Config:
    """Sizes of the network and of its training."""

    width: int = 320
    layers: int = 2
    dropout: float = 0.55
    past_dropout: float = 0.15
    """Share of the voices' past that is left out in training."""
    weight_decay: float = 1.0
    window: int = 160
    """Frames in a crop."""


class SharedDropout(nn.Module):
    """Dropout of the same units in all frames (B, T, W) of a crop."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, W) to the same."""
        if not self.training or not self.share:
            return hidden
        kept = torch.rand(len(hidden), 1, hidden.shape[-1], device=hidden.device) >= self.share
        return hidden * (kept / (1 - self.share)).to(hidden.dtype)


class Layer(nn.Module):
    """hidden + LSTM(RMSNorm(hidden))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.width
        self.dropout = SharedDropout(config.dropout)
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
        added, _ = self.lstm(rms_norm(hidden))
        found: Tensor = hidden + self.dropout(added)
        return found


class Head(nn.Module):
    """The logits of one voice from the context and the known voices."""

    pitch: Tensor

    def __init__(self, voice: int, config: Config) -> None:
        super().__init__()
        width = config.width
        self.voice, self.others = voice, [other for other in range(VOICES) if other != voice]
        self.known = nn.Parameter(0.3 * torch.randn(VOICES, NONE + 1, width))
        self.between = nn.Parameter(0.2 * torch.randn(VOICES, 13, width))
        self.guess = nn.Parameter(0.2 * torch.randn(CANDIDATES, 3 * (NONE + 1), width))
        self.trust = nn.Linear(width, CANDIDATES)
        self.trusted = nn.Parameter(torch.zeros(CANDIDATES, LEVELS, cand.RUNS, 3))
        self.hidden, self.dropout = nn.Linear(width, width), SharedDropout(config.dropout)
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
            other_pitch = torch.where(known[..., other], frame[..., other], NONE)
            context = context + functional.embedding(other_pitch, self.known[other])
            context = context + functional.embedding(interval(last, other_pitch), self.between[other])
        agrees = agreement(candidates, frame, known)
        for number, table in enumerate(self.guess):
            row = candidates[..., number, self.voice] + (NONE + 1) * agrees[..., number]
            context = context + functional.embedding(row, table)
        hidden = self.dropout(functional.silu(self.hidden(context)))
        logits: Tensor = self.absolute(hidden).float()
        logits = logits + self._relative(hidden, frame, last, known)
        return logits + self._by_candidate(hidden, candidates, agrees)

    def _relative(self, hidden: Tensor, frame: Tensor, last: Tensor, known: Tensor) -> Tensor:
        """Logits (B, T, SIZE) by the step from the last pitch and by the interval to each known voice."""
        step = self.pitch - last[..., None] + SIZE - 1  # (B, T, SIZE)
        logits: Tensor = self.by_step(hidden).float().gather(-1, step.clamp(0)) * self.sounds(last)
        chords = self.by_interval(hidden).float().unflatten(-1, (-1, 12))
        for number, other in enumerate(self.others):
            above = (self.pitch - frame[..., other, None]) % 12
            counts = known[..., other, None] & self.sounds(frame[..., other])
            logits = logits + chords[..., number, :].gather(-1, above) * counts
        return logits

    def _by_candidate(self, hidden: Tensor, candidates: Tensor, agrees: Tensor) -> Tensor:
        """Logits (B, T, SIZE) that are added to the pitches that the candidates predict."""
        trust, logits = self.trust(hidden).float(), torch.zeros(())
        for number, table in enumerate(self.trusted):
            guess, level = candidates[..., number, self.voice], candidates[..., number, cand.LEVEL]
            added = trust[..., number] + table[level, candidates[..., number, cand.RUN], agrees[..., number]]
            predicts = (level > 0) & (guess < NONE)
            one = functional.one_hot(guess.clamp(max=NONE - 1), SIZE)
            logits = logits + one * (added * predicts)[..., None]
        return logits

    def sounds(self, classes: Tensor) -> Tensor:
        """(B, T, SIZE): where both a voice (B, T) and a class (SIZE,) are pitches."""
        return sounds(classes)[..., None] & (self.pitch > 0)


class AnyOrder(nn.Module):
    """The network, its loss and its optimizer, as `training.loop.TrainingRun` expects them."""

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
        self.pitch_vectors = nn.Parameter(0.3 * torch.randn(VOICES, NONE + 1, width))
        self.age = nn.Parameter(0.3 * torch.randn(VOICES, AGES, width))
        self.step = nn.Parameter(0.2 * torch.randn(VOICES, 2 * MAX_STEP_SEMITONES + 2, width))
        self.chord = nn.Parameter(0.2 * torch.randn(VOICES, VOICES, 13, width))
        self.guess = nn.Parameter(0.3 * torch.randn(CANDIDATES, VOICES, NONE + 1, width))
        self.level = nn.Parameter(0.3 * torch.randn(CANDIDATES, LEVELS, width))
        self.run = nn.Parameter(0.3 * torch.randn(CANDIDATES, cand.RUNS, width))
        self.dropout = SharedDropout(self.config.dropout)
        self.layers = nn.ModuleList(Layer(self.config) for _ in range(self.config.layers))
        self.heads = nn.ModuleList(Head(voice, self.config) for voice in range(VOICES))

    def forward(self, values: Tensor, plan: Tensor | None = None) -> dict[str, Tensor]:
        """Logits (B, T, SIZE) of each voice of rows 1 ... T of `values` (B, T+1, F), row 0 the predecessor.

        In training every frame has a random order of the voices; otherwise each voice knows those before it.
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
        """The context of each frame (B, T, W) from the frames before it and the candidates."""
        before = values[:, :-1]
        last, age = before[..., PITCH], before[..., AGE]
        if self.training:
            last = torch.where(
                torch.rand(last.shape, device=last.device) < self.config.past_dropout, NONE, last
            )
        hidden = functional.embedding(values[:, 1:, 0], self.position) + self._candidates(values)
        earlier = functional.pad(last[:, :-1], (0, 0, 1, 0), value=NONE)
        for voice in range(VOICES):
            here = last[..., voice]
            hidden = hidden + functional.embedding(here, self.pitch_vectors[voice])
            hidden = hidden + functional.embedding(age[..., voice], self.age[voice])
            hidden = hidden + functional.embedding(step_class(earlier[..., voice], here), self.step[voice])
            for other in range(voice):
                apart = interval(here, last[..., other])
                hidden = hidden + functional.embedding(apart, self.chord[voice, other])
        hidden = self.dropout(hidden)
        for layer in self.layers:
            hidden = layer(hidden)
        return rms_norm(hidden)

    def _candidates(self, values: Tensor) -> Tensor:
        """The vectors (B, T, W) of the candidates for each frame."""
        found = torch.zeros(())
        for number, candidate in enumerate(candidates_of(values).unbind(2)):
            found = found + functional.embedding(candidate[..., cand.LEVEL], self.level[number])
            found = found + functional.embedding(candidate[..., cand.RUN], self.run[number])
            for voice in range(VOICES):
                found = found + functional.embedding(candidate[..., voice], self.guess[number, voice])
        return found

    def voice(self, voice: int, context: Tensor, values: Tensor, known: Tensor) -> Tensor:
        """The logits (B, T, SIZE) of one voice, given the voices where `known` (B, T, 4) is true."""
        last, frame = values[:, :-1, 1 + voice], values[:, 1:, PITCH]
        found: Tensor = self.heads[voice](context, frame, last, known, candidates_of(values))
        return found

    def loss(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Nats per token, of all voices together and of each."""
        parts = {}
        for voice, logits in predictions.items():
            column = 1 + int(voice)
            counts = learn[:, 1:, column]
            parts[voice] = functional.cross_entropy(logits[counts], values[:, 1:, column][counts].long())
        return {"loss": torch.stack(list(parts.values())).mean(), **parts}

    def optimizer(self, lr: float = 3e-3) -> torch.optim.AdamW:
        """AdamW; embeddings and biases have a fifth of the weight decay."""
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
    return values[:, 1:, CANDIDATE].reshape(*values[:, 1:].shape[:2], CANDIDATES, cand.COLUMNS)


def agreement(candidates: Tensor, frame: Tensor, known: Tensor) -> Tensor:
    """Whether each candidate agrees with the known voices (B, T, 4), (B, T, CANDIDATES)."""
    differs = candidates[..., :VOICES] != frame[..., None, :]
    wrong = (known[..., None, :] & differs).any(-1) | (candidates[..., cand.LEVEL] == 0)
    agrees = torch.where(known.any(-1)[..., None], AGREES, OPEN)
    return torch.where(wrong, WRONG, agrees)


def sounds(classes: Tensor) -> Tensor:
    """Where a class is a pitch: neither a rest nor NONE."""
    return (classes > 0) & (classes < SIZE)


def interval(upper: Tensor, lower: Tensor) -> Tensor:
    """Semitones from the lower to the upper pitch modulo 12; 12 where one of them is not a pitch."""
    return torch.where(sounds(upper) & sounds(lower), (upper - lower) % 12, 12)


def step_class(before: Tensor, after: Tensor) -> Tensor:
    """The class of a voice's step: -12 to 12 semitones, and one more where there is no step."""
    size = (after - before).clamp(-MAX_STEP_SEMITONES, MAX_STEP_SEMITONES) + MAX_STEP_SEMITONES
    return torch.where(sounds(before) & sounds(after), size, 2 * MAX_STEP_SEMITONES + 1)
