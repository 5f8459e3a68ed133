"""The function `ritornello.measure`: measure how well a model predicts songs."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ritornello.errors import InputError, ModelError, check_between
from ritornello.evaluation.inputs import open_songs
from ritornello.models.model import Model
from ritornello.models.plan_vector import GROUPS
from ritornello.representations.table import Field
from ritornello.system.extras import require_extra
from ritornello.system.files import check_writable, file_path, write_bytes
from ritornello.system.progress import Progress


def measure(
    model: str | Path | Model,
    on: str | Path,
    *,
    split: str | None = None,
    given: Collection[str] = ("plan", "none"),
    hide: Collection[str] = (),
    csv: str | Path | None = None,
    grammar: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure how well a model predicts songs: nats per note by field, and reference nats per note.

    `on` is a corpus, of which `split` is measured (default: valid), or a folder of MIDI files. `given` lists
    what the model knows: the "plan" (with form, bars left and chords), or nothing ("none"; if the model works
    in a key frame, log 12 nats a song are added for the key). `hide` hides further input: groups of known
    fields such as "chord", "cadence" or "echo", or parts of the plan such as "key". `csv` is a file to write
    with the nats of each song. With `grammar`, only the classes that composing allows in a row have a
    probability; by default all classes of a field have one. Raises InputError for wrong arguments or if no
    song can be measured, ModelError for a network that predicts no probabilities, OutputError if `csv` cannot
    be written.
    """
    require_extra("train", "torch")
    from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN, likelihood
    from ritornello.evaluation.summary import measurement_report, songs_as_csv

    opened = model if isinstance(model, Model) else Model.open(model)
    _check_model(opened, grammar)
    if unknown := set(given) - set(HIDDEN_BY_GIVEN):
        raise InputError(f"given {min(unknown)!r}: must be one of {', '.join(HIDDEN_BY_GIVEN)}")
    _check_groups(hide, opened.representation.fields)
    check_between("threads", threads, 1, 1024)
    if csv is not None:
        check_writable(file_path(csv, "csv"))
    songs = open_songs(on, split)
    measured: dict[str, list[Any]] = {name: [] for name in given}
    nats_of_songs = likelihood(
        opened.network_in_torch(),
        opened.representation,
        songs,
        plan_encoder=opened.plan_encoder,
        given={name: (*HIDDEN_BY_GIVEN[name], *hide) for name in given},
        has_key_frame=opened.has_key_frame,
        grammar=grammar,
        threads=threads,
        skipped=songs.skipped.__setitem__,
    )
    for done, nats_by_given in enumerate(nats_of_songs, start=1):
        for name, nats in nats_by_given.items():
            measured[name].append(nats)
        if progress:
            progress(done, max(done, len(songs) - len(songs.skipped)), "measuring")
    result = measurement_report(opened, str(on), songs, measured) | {"grammar": grammar}
    if csv:
        write_bytes(Path(csv), songs_as_csv(measured).encode())
    return result


def _check_model(model: Model, grammar: bool) -> None:
    """Raise ModelError if a model predicts no probabilities, InputError if it cannot use `grammar`."""
    if not any(field.kind == "choice" for field in model.representation.fields):
        raise ModelError(
            f"the network {model.network!r} predicts numbers, not probabilities, so it has no nats; "
            "docs/original.md has its losses"
        )
    if grammar and not hasattr(model.representation, "cursor"):
        raise InputError(f"the representation {model.representation.name!r} has no grammar in composing")


def _check_groups(hidden: Collection[str], fields: Sequence[Field]) -> None:
    """Raise InputError unless each name is a group of known fields that can be hidden, or of the plan."""
    groups = {field.name.partition(".")[0] for field in fields if field.unknown is not None}
    known = sorted({*groups, *GROUPS, "plan"})
    if unknown := sorted(set(hidden) - set(known)):
        raise InputError(f"hide {unknown[0]!r}: must be one of {', '.join(known)}")
