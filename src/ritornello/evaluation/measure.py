"""Measure how well a model predicts songs: the function `ritornello.measure`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from ritornello.errors import InputError, ModelError, check_between
from ritornello.evaluation.inputs import open_songs
from ritornello.models.model import Model
from ritornello.system.extras import require_extra
from ritornello.system.files import check_writable, write_bytes
from ritornello.system.progress import Progress


def measure(
    model: str | Path | Model,
    on: str | Path,
    *,
    split: str | None = None,
    given: Collection[str] = ("plan", "none"),
    csv: str | Path | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """How well a model predicts songs: nats per note by field, and the reference nats.

    `on` is a corpus, of which `split` is measured (default: valid), or a folder of MIDI files. `given` says
    what the model is told: "plan" (plan, form, bars left and chords) or "none" of it. `csv` is a file for
    what each song cost. Raises InputError, ModelError for a network that gives no chances, OutputError.
    """
    require_extra("train", "torch")
    from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN, likelihood
    from ritornello.evaluation.summary import measurement_report, songs_as_csv

    opened = model if isinstance(model, Model) else Model.open(model)
    _check_measurable(opened)
    if unknown := set(given) - set(HIDDEN_BY_GIVEN):
        raise InputError(f"given {min(unknown)!r}, must be one of {', '.join(HIDDEN_BY_GIVEN)}")
    check_between("threads", threads, 1, 1024)
    if csv:
        check_writable(Path(csv))
    heard = open_songs(on, split)
    found: dict[str, list[Any]] = {name: [] for name in given}
    accounts = likelihood(
        opened.network_in_torch(),
        opened.representation,
        heard,
        plan_encoder=opened.plan_encoder,
        given={name: HIDDEN_BY_GIVEN[name] for name in given},
        threads=threads,
        skipped=heard.skipped.__setitem__,
    )
    for done, account in enumerate(accounts, start=1):
        for name, nats in account.items():
            found[name].append(nats)
        if progress:
            progress(done, max(done, len(heard) - len(heard.skipped)), "measuring")
    result = measurement_report(opened, str(on), heard, found)
    if csv:
        write_bytes(Path(csv), songs_as_csv(found).encode())
    return result


def _check_measurable(model: Model) -> None:
    """Raise ModelError unless the model gives chances."""
    if not any(field.kind == "choice" for field in model.representation.fields):
        raise ModelError(
            f"the network {model.network!r} says numbers and no chances, so it has no nats; "
            "docs/original.md has its losses"
        )
