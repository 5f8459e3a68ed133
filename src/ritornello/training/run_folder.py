"""The folder of a run: one writer at a time, one configuration, nobody else's files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ritornello.errors import InputError
from ritornello.system.files import write_json
from ritornello.training.config import TrainConfig

HOW_LONG = ("steps", "minutes", "epochs")  # may be another when a run goes on: more of the same
MAY_CHANGE = (*HOW_LONG, "patience", "memory_mb")  # without changing what was learnt so far


def run_settings(config: TrainConfig, data: str, taught_by: Sequence[str] | None) -> dict[str, Any]:
    """What a run's folder remembers it by: its configuration, the hashes of its data and of its teachers."""
    return {**asdict(config), "data": data, "taught_by": taught_by}


def check_folder(folder: Path, settings: dict[str, Any]) -> bool:
    """Whether `folder` holds a run, which a run with these settings may go on with.

    Raises InputError if it holds a run of another configuration, something else, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{str(folder)!r} is a file, must be a folder for the model")
    config = folder / "checkpoint" / "config.json"
    if not config.exists() and not (folder / "checkpoint" / "state.safetensors").exists():
        strange = [path.name for path in folder.iterdir() if path.name != "lock"] if folder.exists() else []
        if strange:
            found = f"{str(folder)!r} holds other files ({min(strange)!r})"
            raise InputError(f"{found}, must be new or empty for a model")
        return False
    try:
        old = dict(json.loads(config.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{str(config)!r} is damaged ({error}): remove {str(folder)!r} to start anew"
        ) from error
    changed = [
        f"{key} was {old.get(key)!r}, is {value!r}"
        for key, value in settings.items()
        if old.get(key) != value and key not in MAY_CHANGE
    ]
    if changed:
        raise InputError(
            f"{str(folder)!r} holds a run of another configuration: {'; '.join(changed)}. "
            "Give the old values to go on, or another --out"
        )
    return (folder / "checkpoint" / "state.safetensors").exists()


def write_settings(folder: Path, settings: dict[str, Any]) -> bool:
    """Remember the settings of the run in `folder`; whether it is to last another time than before."""
    config = folder / "checkpoint" / "config.json"
    old = json.loads(config.read_bytes()) if config.exists() else settings
    write_json(config, settings)
    return any(old.get(key) != settings.get(key) for key in HOW_LONG)
