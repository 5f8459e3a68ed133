"""Compute the negative log-likelihood of songs under a network, in nats by song and field.

    songs > rows > batches of similar length > pieces of PIECE_ROWS rows, with the state carried over > nats

Songs are measured whole. Rows that pad a batch count as 0. All arithmetic is in full float32.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ritornello.errors import ScoreError
from ritornello.evaluation.inputs import LabelledScore, in_blocks
from ritornello.evaluation.reference import reference
from ritornello.evaluation.summary import SongNats
from ritornello.models.plan_vector import PlanEncoder, infer_plan
from ritornello.music.key_frame import frame_shift, shift_within
from ritornello.music.pickup import without_leading_silence
from ritornello.music.plan import Plan
from ritornello.music.timeline import Timeline
from ritornello.representations.table import Field, fields_read, hide, start_row

# The fields that are hidden from the network, for each choice of the option --given
SIDE_INFORMATION = ("plan", "form", "bars_left", "chord", "cadence", "texture")
HIDDEN_BY_GIVEN: dict[str, tuple[str, ...]] = {"plan": (), "none": SIDE_INFORMATION}
PIECE_ROWS = 256
NATS_OF_A_KEY = math.log(12)
BATCH_SONGS = 32
LEAST_LENGTH_RATIO = 0.7  # the shortest song of a batch has at least this share of the longest one's rows
SORTED_ROWS = 1 << 18  # songs of about this many rows are sorted by length at a time
Skip = Callable[[str, str], None]  # called with the name of a song that cannot be measured, and the reason


class SongRows(NamedTuple):
    """A song of N rows and F fields."""

    name: str
    notes: int  # of the song before encoding
    values: npt.NDArray[Any]  # (N, F)
    learn: npt.NDArray[np.bool_]  # (N, F)
    plan: Plan
    timeline: Timeline


def likelihood(
    network: Any,
    representation: Any,
    songs: Iterable[LabelledScore],
    *,
    plan_encoder: PlanEncoder | None = None,
    given: Mapping[str, Collection[str]] = HIDDEN_BY_GIVEN,
    has_key_frame: bool = False,
    grammar: bool = False,
    threads: int = 1,
    skipped: Skip = lambda name, reason: None,
) -> Iterator[dict[str, SongNats]]:
    """Yield for each song its nats under each name of `given`. Only some of the songs are in memory.

    `plan_encoder` makes the plan vectors of the network (None: it has none). `given` lists for each name the
    hidden input: "plan" or a group of it, and known fields or groups of fields (`table.hide`). `skipped` is
    called for songs that the representation refuses, or that have no row.

    With `has_key_frame`, songs are moved to C major or A minor by their estimated key. If the key is hidden,
    the network must not profit from this: it would have to choose one of twelve frames, so the probability of
    a song is at least a twelfth of that in its frame, and log 12 nats are added to the pitches of each song.

    With `grammar`, only the classes that the representation's cursor allows in composing have a probability.
    """
    encoded = _encode(representation, songs, skipped, has_key_frame)

    def nats_of_batch(songs: list[SongRows], hidden: Collection[str]) -> Iterator[SongNats]:
        allowed = [allowed_classes(representation, song, hidden) for song in songs] if grammar else None
        cells = _batch_nats(network, representation.fields, songs, plan_encoder, hidden, allowed)
        key_is_free = has_key_frame and bool({"plan", "key"} & set(hidden))
        for song, nats in zip(songs, cells, strict=True):
            if key_is_free and song.plan.key is not None:
                _add_nats_of_the_key(representation, song, nats)
            yield _song_nats(representation, song, nats)

    with full_float32(threads):
        for block in in_blocks(encoded, lambda song: len(song.values), SORTED_ROWS):
            for indices in batches([len(song.values) for song in block]):
                batch = [block[index] for index in indices]
                nats_by_name = {name: list(nats_of_batch(batch, hidden)) for name, hidden in given.items()}
                for number in range(len(batch)):
                    yield {name: nats[number] for name, nats in nats_by_name.items()}


@contextmanager
def full_float32(threads: int) -> Iterator[None]:
    """Multiply matrices in full float32, with this number of CPU threads, while the block runs."""
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
    """Return the indices of songs with these lengths in batches of similar length, the longest first."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        batch = groups[-1] if groups else []
        if not batch or len(batch) == BATCH_SONGS or lengths[index] < LEAST_LENGTH_RATIO * lengths[batch[0]]:
            groups.append(batch := [])
        batch.append(index)
    return groups


def field_nats(
    network: Any,
    fields: tuple[Field, ...],
    values: Tensor,
    learn: Tensor,
    plan: Tensor | None,
    allowed: Sequence[Tensor] | None = None,
) -> Tensor:
    """Return the nats (B, T, C), for C choice fields, of rows 1 to T of `values` (B, T+1, F).

    Row 0 is only the context. Cells that are False in `learn` (B, T+1, F) get 0. `plan` is (B, P) or None.
    `allowed` has for each choice the classes (B, T, size) that have a probability (None: all).
    """
    choices = [(column, field) for column, field in enumerate(fields) if field.kind == "choice"]
    pieces, state = [], None
    for start in range(0, values.shape[1] - 1, PIECE_ROWS):
        rows = values[:, start : start + PIECE_ROWS + 1]  # (B, t+1, F)
        predictions, state = network.predict(rows, plan, state)
        counts = learn[:, start + 1 : start + PIECE_ROWS + 1]  # (B, t, F)
        nats = rows.new_zeros((*counts.shape[:2], len(choices)), dtype=torch.float32)
        for number, (column, field) in enumerate(choices):
            counted = counts[..., column] & (rows[:, 1:, column] < field.size)
            logits = predictions[field.name][:, 1:][counted].float()  # (cells, size)
            target = rows[:, 1:, column][counted].long()
            if allowed is not None:
                possible = allowed[number][:, start : start + PIECE_ROWS][counted]
                logits = logits.masked_fill(~possible, -math.inf)
            nats[..., number][counted] = functional.cross_entropy(logits, target, reduction="none")
        pieces.append(nats)
    return torch.cat(pieces, dim=1)


def _encode(
    representation: Any, songs: Iterable[LabelledScore], skipped: Skip, has_key_frame: bool
) -> Iterator[SongRows]:
    """Yield the songs as rows, in the key frame if the network has one."""
    for name, score, labels in songs:
        try:
            song, _ = representation.canonical(without_leading_silence(score))
            values, learn = representation.encode(song)
        except ScoreError as error:
            skipped(name, str(error))
            continue
        if len(values):
            plan = infer_plan(song, labels)
            if has_key_frame and plan.key is not None:
                shift = shift_within(frame_shift(plan.key), *representation.transposition_range(values))
                values = representation.augmented(values, shift, 0)
            yield SongRows(name, len(score), values, learn, plan, representation.timeline(song))
        else:
            skipped(name, f"no rows of {representation.name!r}")


def _batch_nats(
    network: Any,
    fields: tuple[Field, ...],
    songs: list[SongRows],
    plan_encoder: PlanEncoder | None,
    hidden: Collection[str],
    allowed: Sequence[Sequence[npt.NDArray[np.bool_]]] | None = None,
) -> list[npt.NDArray[np.float64]]:
    """Return the nats (N, C) of each song, computed in one batch that is padded at the end.

    `allowed` has for each song and choice the classes (N, size) that have a probability.
    """
    device = next(chain(network.parameters(), [torch.empty(0)])).device
    max_rows = max(len(song.values) for song in songs)
    values = np.tile(np.array(start_row(fields), np.int16), (len(songs), max_rows + 1, 1))
    learn = np.zeros(values.shape, bool)
    for number, song in enumerate(songs):
        song_rows = slice(1, len(song.values) + 1)  # row 0 is the start row
        values[number, song_rows] = hide(fields, song.values, hidden)
        learn[number, song_rows] = song.learn
    plan = None
    if plan_encoder is not None:
        vectors = np.stack([plan_encoder.vector(song.plan, hidden) for song in songs])
        plan = torch.from_numpy(vectors).to(device)
    read = fields_read(network, fields)
    columns = [fields.index(field) for field in read]
    rows, counts = (torch.from_numpy(array[..., columns]).to(device) for array in (values, learn))
    masks = None
    if allowed is not None:
        by_choice = zip(*allowed, strict=True)
        masks = [pad_sequence(list(map(torch.from_numpy, each)), batch_first=True) for each in by_choice]
        masks = [each.to(device) for each in masks]
    with torch.no_grad():
        nats = field_nats(network, read, rows, counts, plan, masks).double().cpu().numpy()
    return [nats[number, : len(song.values)] for number, song in enumerate(songs)]


def allowed_classes(
    representation: Any, song: SongRows, hidden: Collection[str] = ()
) -> list[npt.NDArray[np.bool_]]:
    """Return for each choice the classes (N, size) that composing allows in each row of a song.

    The rows go through the cursor that composing uses, which forbids impossible classes, such as a duration
    beyond the last bar or an end before it. `hidden` is the input that is unknown in composing.
    """
    choices = [(column, f) for column, f in enumerate(representation.fields) if f.kind == "choice"]
    says_how_long = any(field.name == "bars_left" for field in representation.fields)
    more = {"hidden": hidden} if says_how_long else {}
    cursor = representation.cursor([song.timeline], **more)
    is_allowed = [np.ones((len(song.values), field.size), bool) for _, field in choices]
    for number, row in enumerate(song.values.tolist()):
        if cursor.done[0]:
            break
        for allowed, (column, field) in zip(is_allowed, choices, strict=True):
            allowed[number] = cursor.allowed(field.name)[0, : field.size]
            cursor.put(field.name, [row[column]])
    return is_allowed


def _add_nats_of_the_key(representation: Any, song: SongRows, nats: npt.NDArray[np.float64]) -> None:
    """Add log 12 to the nats (N, C) of the first note of a song."""
    column = next(index for index, field in enumerate(representation.fields) if field.name == "pitch")
    number = sum(field.kind == "choice" for field in representation.fields[:column])
    nats[np.flatnonzero(song.learn[:, column])[:1], number] += NATS_OF_A_KEY


def _song_nats(representation: Any, song: SongRows, nats: npt.NDArray[np.float64]) -> SongNats:
    """Return the nats of a song from the nats of its cells, (N, C)."""
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
    kept_notes = int(is_note.sum())
    reference_nats = reference(nats, widths, kept=kept_notes, source_notes=song.notes)
    return SongNats(song.name, song.notes, kept_notes, fields, end, reference_nats)
