"""Read, check and write the files of a model folder: docs/architecture.md lists them."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError, PlanError
from ritornello.music.plan import Plan
from ritornello.system.files import replacing, sha256, sha256_file, write_json
from ritornello.system.garbage import garbage_collector_paused
from ritornello.system.suggest import similar_path

FORMAT = 1
MAX_JSON_BYTES = 4 << 20
PLANS = "plans.json"
MAX_WEIGHTS_BYTES = 4 << 30
MAX_PLANS_BYTES = 64 << 20
Arrays = dict[str, npt.NDArray[Any]]  # by name, of any shape (...,)
REQUIRED_KEYS: dict[tuple[str, str], type] = {
    ("representation", "name"): str,
    ("network", "name"): str,
    ("network", "config"): dict,
    ("files", "weights"): dict,
    ("files", "tables"): dict,
}
OPTIONAL_KEYS: dict[str, type] = {
    "labels": list,
    "defaults": dict,
    "data": dict,
    "learn": dict,
    "sketch": dict,
    "usual": dict,
}
# Statistics of "usual" that differ from song to song: each may have so many quantiles instead of one number
DRAWN_STYLE_STATS, STYLE_QUANTILES = (
    ("top_repeats", "skips", "leaps", "far_notes", "notes_struck", "rhythms", "clashes", "patterns"),
    10,
)
# A label counts as one without gaps (or overlaps) if in 90% of its songs less than this share of the onsets
# follows a gap (or begins while a note of the part sounds)
RARE_BREAKS = 0.01
TEMPERATURES = (0.1, 2.0)  # the range of "temperature", a factor of those with which songs are sampled
MAX_STYLE_STATS = {
    "repeats": 1.0,
    "plays": 1.0,
    "voices": 128.0,
    "notes": 1000.0,
    "overlaps": 1.0,
    "gaps": 1.0,
    "top_repeats": 1.0,
    "skips": 1.0,
    "leaps": 1.0,
    "far_notes": 1.0,
    "notes_struck": 128.0,
    "rhythms": 1.0,
    "patterns": 1.0,
    "parallels": 100.0,
    "clashes": 100.0,
    "grooves": 1.0,
    "loops": 1.0,
    "backbeats": 1.0,
}  # see composing/style_stats.py


def write(
    path: Path,
    info: Mapping[str, Any],
    weights: Arrays,
    tables: Arrays,
    card: str,
    plans: Sequence[Plan] = (),
    sketch: Arrays | None = None,
) -> None:
    """Write a model folder whole or not at all; model.json has the hashes of the other files.

    `sketch` are the weights of the sketch network, whose settings are info["sketch"]. Raises OutputError.
    """
    from safetensors.numpy import save

    contents = {
        f"{name}.safetensors": save({key: np.ascontiguousarray(array) for key, array in arrays.items()})
        for name, arrays in (("weights", weights), ("tables", tables), ("sketch", sketch))
        if arrays is not None
    }
    contents[PLANS] = json.dumps([plan.to_dict() for plan in plans], separators=(",", ":")).encode()
    files = {
        name.removesuffix(".safetensors").removesuffix(".json"): {"sha256": sha256(data), "bytes": len(data)}
        for name, data in contents.items()
    }
    with ExitStack() as stack:  # it renames the files after all are on disk, model.json last
        head = stack.enter_context(replacing(path / "model.json"))
        write_json(head, {"format": FORMAT, **info, "files": files})
        stack.enter_context(replacing(path / "card.md")).write_text(card, encoding="utf-8")
        for name, data in contents.items():
            stack.enter_context(replacing(path / name)).write_bytes(data)


def read_info(path: Path) -> dict[str, Any]:
    """Read model.json and check the keys that every model has. Raises ModelError."""
    file = path / "model.json"
    if not file.is_file():
        hint = similar_path(path, "model.json")
        raise ModelError(f"{str(path)!r} is not a model folder: it has no model.json{hint}")
    if file.stat().st_size > MAX_JSON_BYTES:
        raise ModelError(f"{str(file)!r} has {file.stat().st_size} bytes: must be at most {MAX_JSON_BYTES}")
    try:
        info = json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{str(file)!r} cannot be read: {error}") from error
    if not isinstance(info, dict) or not isinstance(info.get("format"), int):
        raise ModelError(f"{str(file)!r} is not a model's: it has no number 'format'")
    if info["format"] > FORMAT:
        raise ModelError(
            f"{str(file)!r} has format {info['format']}, this version reads up to {FORMAT}: update Ritornello"
        )
    for (key, part), kind in REQUIRED_KEYS.items():
        if not isinstance(info.get(key), dict) or part not in info[key]:
            raise ModelError(f"{str(file)!r} lacks {key}.{part}")
        if not isinstance(info[key][part], kind):
            must = "a text" if kind is str else "an object"
            raise ModelError(f"{str(file)!r} has {key}.{part} {info[key][part]!r:.40}: must be {must}")
    _check_more(file, info)
    return info


def _check_more(file: Path, info: dict[str, Any]) -> None:
    """Check the keys that model.json may have. Raises ModelError for a wrong value."""
    for key, kind in OPTIONAL_KEYS.items():
        if not isinstance(info.get(key, kind()), kind):
            must = "a list" if kind is list else "an object"
            raise ModelError(f"{str(file)!r} has {key} {info[key]!r:.40}: must be {must}")
    labels, genre = info.get("labels", []), info.get("defaults", {}).get("genre")
    if wrong := [label for label in labels if not isinstance(label, str)]:
        raise ModelError(f"{str(file)!r} has the label {wrong[0]!r:.40}: must be a text")
    if genre is not None and genre not in labels:
        raise ModelError(f"{str(file)!r} has defaults.genre {genre!r:.40}: must be one of its labels")
    _check_temperature(file, info.get("temperature", 1.0))
    for label, stats in info.get("usual", {}).items():
        if not (isinstance(stats, dict) and all(_is_style_stat(*item) for item in stats.items())):
            must = ", ".join(f"{name} 0-{most:g}" for name, most in MAX_STYLE_STATS.items())
            raise ModelError(f"{str(file)!r} has usual.{label:.40} {stats!r:.40}: must be of {must}")


def _check_temperature(file: Path, value: Any) -> None:
    """Raise ModelError unless the factor of the temperatures is in its range."""
    low, high = TEMPERATURES
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (is_number and low <= value <= high):
        raise ModelError(f"{str(file)!r} has temperature {value!r:.40}: must be {low:g}-{high:g}")


def _is_style_stat(name: str, value: Any) -> bool:
    """Whether a number in "usual", or each of its quantiles, has a known name and is in its range."""
    has_quantiles = name in DRAWN_STYLE_STATS and isinstance(value, list) and len(value) == STYLE_QUANTILES
    numbers = value if has_quantiles else [value]
    are_numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in numbers)
    most = MAX_STYLE_STATS.get(name, -1)
    return are_numbers and all(0 <= each <= most for each in numbers)


def read_plans(path: Path, info: dict[str, Any]) -> tuple[Plan, ...]:
    """Read plans.json; older models and those of reals have none. Raises ModelError."""
    if "plans" not in info["files"]:
        return ()
    file = _checked_file(path, info, "plans", PLANS, MAX_PLANS_BYTES)
    try:
        with garbage_collector_paused():
            return tuple(Plan.from_dict(plan) for plan in json.loads(file.read_bytes()))
    except (PlanError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{str(file)!r} is damaged: {error}") from error


def _checked_file(path: Path, info: dict[str, Any], name: str, file_name: str, most_bytes: int) -> Path:
    """Check that a file of the model has the size and hash that model.json records. Raises ModelError."""
    file = path / file_name
    if not file.is_file():
        raise ModelError(f"{str(path)!r} is damaged: it has no {file.name}")
    expected = info["files"][name]
    if not isinstance(expected, dict):
        raise ModelError(f"{str(path / 'model.json')!r} has files.{name} {expected!r:.40}: must be an object")
    size = file.stat().st_size
    if size != expected.get("bytes"):
        raise ModelError(f"{str(file)!r} is damaged: {size} bytes: must be {expected.get('bytes')}")
    if size > most_bytes:
        raise ModelError(f"{str(file)!r} has {size} bytes: must be at most {most_bytes}")
    if sha256_file(file) != expected.get("sha256"):
        raise ModelError(f"{str(file)!r} is damaged: its SHA-256 is not the one in model.json")
    return file


def read_arrays(path: Path, info: dict[str, Any], name: str) -> Arrays:
    """Read the arrays of a safetensors file whose hash model.json records. Raises ModelError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    file = _checked_file(path, info, name, f"{name}.safetensors", MAX_WEIGHTS_BYTES)
    try:
        arrays: Arrays = load_file(file)
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{str(file)!r} is damaged: {error}") from error
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"{str(file)!r}: {key} has a value that is not finite")
    return arrays
