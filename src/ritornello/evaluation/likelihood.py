"""Likelihood: the nats that a network pays for songs which it has not seen, and their reference.

    songs > rows > batches of similar length > pieces of 256 rows, the state carried > nats a song and field

Songs are whole. Rows that pad a batch are not learnt, so they cost nothing; arithmetic is in full float32.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from ritornello.errors import ScoreError
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.reference import reference
from ritornello.models.plan_vector import PlanEncoder, infer_plan
from ritornello.music.plan import Plan
from ritornello.representations.table import Field, hide, start_row

HIDDEN_BY_GIVEN: dict[str, tuple[str, ...]] = {  # what is hidden from the network, by what it is given
    "plan": (),
    "none": ("plan", "form", "bars_left", "chord"),
}
PIECE_ROWS = 256
BATCH_SONGS = 32
SIMILAR = 0.7  # of a batch's longest song, at least, is the shortest one's length
TOGETHER_ROWS = 1 << 18  # encoded songs that are sorted by length at a time
Found = Callable[[str, str], None]  # the name of a song that cannot be used, and why


class SongNats(NamedTuple):
    """What one song cost. `fields` sum to the total; `end` is the part of it that the END cost.

    `reference` is None where the representation does not say how wide its bins are.
    """

    song: str
    notes: int
    kept: int
    fields: dict[str, float]
    end: float
    reference: float | None

    @property
    def total(self) -> float:
        """All nats of the song."""
        return sum(self.fields.values())


class Encoded(NamedTuple):
    """A song as the network reads it; `notes` counts those of the source."""

    name: str
    notes: int
    values: npt.NDArray[Any]  # (N, F)
    learn: npt.NDArray[np.bool_]  # (N, F)
    plan: Plan


def likelihood(
    network: Any,
    representation: Any,
    songs: Iterable[LabelledScore],
    *,
    plan_encoder: PlanEncoder | None = None,
    given: Mapping[str, Collection[str]] = HIDDEN_BY_GIVEN,
    threads: int = 1,
    skipped: Found = lambda name, reason: None,
) -> Iterator[dict[str, SongNats]]:
    """What each song cost, under each name of `given`; songs come and go, only some are in memory.

    `network.predict(values, plan, state)` is that of `networks/chain.py`; `conditions` make its plans (None:
    it takes none). `given` says by names what is hidden: "plan" or a group of it, and known fields or groups
    of fields (`table.hide`). Songs that the representation refuses, or holds no row of, go to `skipped`.
    """
    with exact(threads):
        for some in _together(_encoded(representation, songs, skipped)):
            for batch in batches([len(song.values) for song in some]):
                inside = [some[index] for index in batch]
                found: list[dict[str, SongNats]] = [{} for _ in inside]
                for name, hidden in given.items():
                    cells = _cells(network, representation.fields, inside, plan_encoder, hidden)
                    for account, song, nats in zip(found, inside, cells, strict=True):
                        account[name] = _song_nats(representation, song, nats)
                yield from found


@contextmanager
def exact(threads: int) -> Iterator[None]:
    """Inside, matrices are multiplied in full float32 by so many threads of the CPU."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32, torch.get_num_threads()
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
        torch.set_num_threads(before[2])


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """The numbers of songs of these lengths in batches of similar length, the longest first."""
    found: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        batch = found[-1] if found else []
        if not batch or len(batch) == BATCH_SONGS or lengths[index] < SIMILAR * lengths[batch[0]]:
            found.append(batch := [])
        batch.append(index)
    return found


def field_nats(
    network: Any, fields: tuple[Field, ...], values: Tensor, learn: Tensor, plan: Tensor | None
) -> Tensor:
    """Nats (B, T, choices) of rows 1 ... T of `values` (B, T+1, F), row 0 being the predecessor.

    `learn` (B, T+1, F) says what counts, the rest is 0. `plan` is (B, P) or None.
    """
    choices = [(column, field) for column, field in enumerate(fields) if field.kind == "choice"]
    pieces, state = [], None
    for start in range(0, values.shape[1] - 1, PIECE_ROWS):
        rows = values[:, start : start + PIECE_ROWS + 1]  # (B, t+1, F)
        predictions, state = network.predict(rows, plan, state)
        counts = learn[:, start + 1 : start + PIECE_ROWS + 1]  # (B, t, F)
        nats = rows.new_zeros((*counts.shape[:2], len(choices)), dtype=torch.float32)
        for number, (column, field) in enumerate(choices):
            learnt = counts[..., column] & (rows[:, 1:, column] < field.size)
            logits = predictions[field.name][:, 1:][learnt].float()  # (cells, size)
            target = rows[:, 1:, column][learnt].long()
            nats[..., number][learnt] = functional.cross_entropy(logits, target, reduction="none")
        pieces.append(nats)
    return torch.cat(pieces, dim=1)


def _encoded(representation: Any, songs: Iterable[LabelledScore], skipped: Found) -> Iterator[Encoded]:
    """The songs as rows."""
    for name, score, labels in songs:
        try:
            song, _ = representation.canonical(score)
            values, learn = representation.encode(song)
        except ScoreError as error:
            skipped(name, str(error))
            continue
        if len(values):
            yield Encoded(name, len(score), values, learn, infer_plan(song, labels))
        else:
            skipped(name, f"no rows of {representation.name!r}")


def _together(songs: Iterable[Encoded]) -> Iterator[list[Encoded]]:
    """Lists of songs that are in memory at the same time."""
    some: list[Encoded] = []
    rows = 0
    for song in songs:
        some.append(song)
        rows += len(song.values)
        if rows >= TOGETHER_ROWS:
            yield some
            some, rows = [], 0
    if some:
        yield some


def _cells(
    network: Any,
    fields: tuple[Field, ...],
    songs: list[Encoded],
    plan_encoder: PlanEncoder | None,
    hidden: Collection[str],
) -> list[npt.NDArray[np.float64]]:
    """Nats (N, choices) of each song, in one batch padded at the end."""
    device = next(chain(network.parameters(), [torch.empty(0)])).device
    most = max(len(song.values) for song in songs)
    values = np.tile(np.array(start_row(fields), np.int16), (len(songs), most + 1, 1))
    learn = np.zeros(values.shape, bool)
    for number, song in enumerate(songs):
        place = slice(1, len(song.values) + 1)  # row 0 stands before the song
        values[number, place] = hide(fields, song.values, hidden)
        learn[number, place] = song.learn
    plan = None
    if plan_encoder is not None:
        vectors = np.stack([plan_encoder.vector(song.plan, hidden) for song in songs])
        plan = torch.from_numpy(vectors).to(device)
    rows, counts = torch.from_numpy(values).to(device), torch.from_numpy(learn).to(device)
    with torch.no_grad():
        found = field_nats(network, fields, rows, counts, plan).double().cpu().numpy()
    return [found[number, : len(song.values)] for number, song in enumerate(songs)]


def _song_nats(representation: Any, song: Encoded, nats: npt.NDArray[np.float64]) -> SongNats:
    """A song's account from the nats (N, choices) of its cells."""
    columns = {f.name: c for c, f in enumerate(representation.fields) if f.kind == "choice"}
    fields = dict(zip(columns, nats.sum(axis=0).tolist(), strict=True))
    end = 0.0
    if hasattr(representation, "end"):
        name, value = representation.end
        end = float(nats[song.values[:, columns[name]] == value, list(columns).index(name)].sum())
    if not hasattr(representation, "bin_widths"):
        return SongNats(song.name, song.notes, song.notes, fields, end, None)
    bins = representation.bin_widths()
    is_note = song.learn[:, [columns[name] for name in bins]].all(axis=1)
    widths = {name: width[song.values[is_note, columns[name]]] for name, width in bins.items()}
    kept = int(is_note.sum())
    charged = reference(nats, widths, kept=kept, source_notes=song.notes)
    return SongNats(song.name, song.notes, kept, fields, end, charged)
