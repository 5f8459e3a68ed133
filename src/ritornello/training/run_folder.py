"""The folder of a run: it has one configuration, and no other files."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ritornello.errors import InputError
from ritornello.system.files import write_json
from ritornello.training.config import TrainConfig

DURATIONS = ("steps", "minutes", "epochs")
MAY_CHANGE = (*DURATIONS, "patience", "memory_mb")  # when a run is continued


def run_settings(config: TrainConfig, data: str, teacher_hashes: Sequence[str] | None) -> dict[str, Any]:
    """Return what config.json records of a run: its configuration, the hashes of its data and teachers."""
    return {**asdict(config), "data": data, "taught_by": teacher_hashes}


def check_folder(folder: Path, settings: dict[str, Any]) -> bool:
    """Return whether `folder` has a run that a run with these settings may continue.

    Raises InputError if it has a run of another configuration or other files, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{str(folder)!r} is a file: must be a folder for the model")
    config = folder / "checkpoint" / "config.json"
    if not config.exists() and not (folder / "checkpoint" / "state.safetensors").exists():
        others = [path.name for path in folder.iterdir() if path.name != "lock"] if folder.exists() else []
        if others:
            found = f"{str(folder)!r} has other files ({min(others)!r})"
            raise InputError(f"{found}: must be new or empty for a model")
        return False
    try:
        old = dict(json.loads(config.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{str(config)!r} is damaged ({error}): remove {str(folder)!r} to start again"
        ) from error
    changed = [
        f"{key} was {old.get(key)!r}, is {value!r}"
        for key, value in settings.items()
        if old.get(key) != value and key not in MAY_CHANGE
    ]
    if changed:
        raise InputError(
            f"{str(folder)!r} has a run of another configuration: {'; '.join(changed)}. "
            "Give the old values to continue it, or another --out"
        )
    return (folder / "checkpoint" / "state.safetensors").exists()


def write_settings(folder: Path, settings: dict[str, Any]) -> bool:
    """Write the settings of the run in `folder`; return whether its duration differs from before."""
    config = folder / "checkpoint" / "config.json"
    old = json.loads(config.read_bytes()) if config.exists() else settings
    write_json(config, settings)
    return any(old.get(key) != settings.get(key) for key in DURATIONS)
