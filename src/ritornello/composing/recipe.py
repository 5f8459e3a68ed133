"""The recipe of a song: the data from which it is built again without the network, stored as JSON.

    format, ritornello    versions
    model                 network, representation, SHA-256 of the model
    plan                  the complete plan
    seed, song            the seed and the number of the song, from which all random numbers follow
    how                   the dials: creativity, or spread for the network of 2018
    source                the given music: its purpose (how: prompt, tune or redo), the bars and parts to
                          redo, pairs of a bar and a part that stay (kept), the MIDI file, and
                          `has_new_chords` if chords of the plan are written as markers; null without any
    rows                  the sampled rows: for each choice a text of numbers
    performance           how the song is performed; only if it is

Rows, plan and source determine the song; the rest is needed to compose another song like it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from ritornello.composing.given_music import GivenMusic, Kind
from ritornello.composing.options import DIALS
from ritornello.errors import InputError, PlanError, RitornelloError, check_between
from ritornello.models import registry
from ritornello.music.plan import MAX_BARS, Plan
from ritornello.performing.performance import MAX_SEED, Performance
from ritornello.system.files import file_path, sha256
from ritornello.system.version import __version__

FORMAT = 1
MAX_BYTES = 64 << 20
MAX_ROWS = 1 << 20
MAX_PARTS, MAX_BAR_OR_PART = 256, 1 << 20  # of the given music
TYPES: dict[str, Any] = {"format": int, "ritornello": str, "model": dict, "plan": dict, "seed": int}
TYPES |= {"song": int, "how": dict, "source": (dict, type(None)), "rows": dict}
MODEL_KEYS = {"network", "representation", "sha256"}
SOURCE_KEYS = {"how", "bars", "parts", "midi"}


@dataclass(frozen=True)
class Recipe:
    """A recipe. `rows` (N, F) are those of its representation; `dials` are values by name."""

    model: dict[str, str]
    plan: Plan
    seed: int
    song: int
    dials: dict[str, float]
    rows: npt.NDArray[Any]
    given: GivenMusic | None = None
    version: str = __version__
    code: str | None = field(default=None, compare=False)
    """FILE.py:CLASS of the representation, if it is in a user's file."""
    performance: Performance | None = None
    """How the song is performed; None: its notes are written as they are on the grid."""

    @property
    def representation(self) -> Any:
        """The representation of the rows."""
        return registry.find("representations", self.code or self.model["representation"])()

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON can hold it."""
        rows = {
            field.name: " ".join(f"{value:.9g}" for value in self.rows[:, column].tolist())
            for column, field in enumerate(self.representation.fields)
            if field.kind != "known"
        }
        data = {
            "format": FORMAT,
            "ritornello": self.version,
            "model": self.model,
            "plan": self.plan.to_dict(),
            "seed": self.seed,
            "song": self.song,
            "how": self.dials,
            "source": self.given and _source(self.given),
            "rows": rows,
        }
        return data | ({"performance": self.performance.to_dict()} if self.performance else {})

    @property
    def hash(self) -> str:
        """The SHA-256 of the recipe."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode())

    def __str__(self) -> str:
        """One line for a text event in the MIDI file."""
        dials = ", ".join(f"{name} {value:g}" for name, value in self.dials.items())
        network = f"network {self.model['network']} {self.model['sha256'][:12]}"
        song = f".{self.song}" if self.song else ""
        return (
            f"Ritornello {self.version}: {network}, {self.plan.bars} bars, seed {self.seed}{song}, {dials}, "
            f"recipe {self.hash[:16]}"
        )

    @classmethod
    def read(cls, path: str | Path, representation: str | None = None) -> Recipe:
        """Read a recipe from a JSON file; `representation` is FILE.py:CLASS, if it is in a user's file.

        Raises InputError that names what is wrong with it.
        """
        path = file_path(path, "recipe")
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(
                    f"{str(path)!r} is too large for a recipe: must be at most {MAX_BYTES} bytes"
                )
            return cls.from_dict(recipe_in(json.loads(path.read_bytes())), representation)
        except OSError as error:
            raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{str(path)!r} is not a recipe: it is not JSON ({error})") from error
        except RitornelloError as error:
            raise InputError(f"{str(path)!r}: {error}") from error

    @classmethod
    def from_dict(cls, data: Any, representation: str | None = None) -> Recipe:
        """Return the recipe that `to_dict` wrote.

        Raises InputError for a field that is missing, unknown or wrong, PlanError for an impossible plan.
        """
        if isinstance(data, Mapping) and "midi" in data and "rows" not in data:
            raise InputError(
                "it is of a file that was performed: `ritornello perform` reads it, with its file"
            )
        has_performance = isinstance(data, Mapping) and "performance" in data
        performance = Performance.from_dict(data["performance"]) if has_performance else None
        _check_keys("a recipe", data, set(TYPES) | ({"performance"} if performance else set()))
        for key, kind in TYPES.items():
            if not isinstance(data[key], kind) or isinstance(data[key], bool):
                raise InputError(f"{key} of the recipe is {data[key]!r:.40}, which is not allowed")
        if data["format"] != FORMAT:
            raise InputError(f"recipe of format {data['format']}: must be {FORMAT}")
        _check_keys("the model of a recipe", data["model"], MODEL_KEYS)
        if not all(isinstance(value, str) for value in data["model"].values()):
            raise InputError("the fields of the model of a recipe must be texts")
        name = _representation(data["model"]["representation"], representation)
        _check_keys("how of a recipe", data["how"], DIALS & set(data["how"]) or {"creativity"})
        dials = {dial: _checked_number(dial, value) for dial, value in data["how"].items()}
        for count in ("seed", "song"):
            check_between(count, data[count], 0, MAX_SEED)
        plan = Plan.from_dict(data["plan"])
        if not 1 <= plan.full_bars <= MAX_BARS:
            raise PlanError(f"{plan.bars} bars: must be 1-{MAX_BARS}")
        return cls(
            data["model"],
            plan,
            data["seed"],
            data["song"],
            dials,
            _read_rows(name, data["rows"]),
            _read_given_music(data["source"]),
            version=data["ritornello"],
            code=representation,
            performance=performance,
        )


def recipe_in(content: Any) -> Any:
    """Return the recipe in a JSON value: the value itself, or the recipe of a version of a studio's song."""
    is_version = isinstance(content, dict) and "parent" in content and isinstance(content.get("recipe"), dict)
    return content["recipe"] if is_version else content


def _source(given: GivenMusic) -> dict[str, Any]:
    """Return the given music as JSON can hold it."""
    midi = base64.b64encode(given.midi).decode()
    source: dict[str, Any] = {"how": given.kind, "bars": given.bars, "parts": given.parts, "midi": midi}
    if given.kept:
        source["kept"] = sorted(given.kept)
    if given.has_new_chords:
        source["has_new_chords"] = True
    return source


def _representation(recorded: str, user_code: str | None) -> str:
    """Return the name of the representation to use: FILE.py:CLASS of the user, or the recorded name.

    A recipe is data, so a file that it records is not run.
    """
    if user_code is not None:
        return user_code
    if registry.is_file(recorded):
        raise InputError(
            f"the recipe needs the representation {recorded!r:.60}, and a recipe runs no code: add "
            "--representation FILE.py:CLASS (in Python representation=...) to name that file"
        )
    known = registry.names("representations")
    if recorded not in known:
        raise InputError(f"representation {recorded!r:.40} of the recipe: must be one of {', '.join(known)}")
    return recorded


def _check_keys(what: str, data: Any, known: Set[str]) -> None:
    """Raise InputError unless `data` is a JSON object whose keys are exactly `known`."""
    if not isinstance(data, Mapping):
        raise InputError(f"{what} must be an object, not {data!r:.40}")
    if strange := sorted(set(data) - known):
        known_keys = ", ".join(sorted(known))
        raise InputError(f"{what} has the unknown key {strange[0]!r:.60}: must be one of {known_keys}")
    if missing := sorted(known - set(data)):
        raise InputError(f"{what} lacks the key {missing[0]!r}")


def _checked_number(name: str, value: Any) -> float:
    """Return a finite number. Raises InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e9:
        raise InputError(f"{name} of the recipe is {value!r:.40}: must be a number")
    return float(value)


def _read_rows(representation: str, data: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Read the rows (N, F) of a representation; known fields, which are not stored, are 0."""
    fields = registry.find("representations", representation).fields
    stored = [(column, field) for column, field in enumerate(fields) if field.kind != "known"]
    _check_keys("the rows of a recipe", data, {field.name for _, field in stored})
    columns = [_read_column(field, data[field.name]) for _, field in stored]
    if len({len(column) for column in columns}) > 1:
        raise InputError("all fields of the rows of a recipe must have equally many numbers")
    kind = np.float32 if stored[0][1].kind == "real" else np.int16
    rows = np.zeros((len(columns[0]), len(fields)), kind)
    for (index, _), column in zip(stored, columns, strict=True):
        rows[:, index] = column
    return rows


def _read_column(field: Any, text: Any) -> npt.NDArray[Any]:
    """Read the values (N,) of one field from text. Raises InputError."""
    is_real = field.kind == "real"
    number = r"-?\d{1,9}(\.\d{1,16})?(e[+-]?\d{1,3})?" if is_real else r"\d{1,9}"
    if not isinstance(text, str) or not re.fullmatch(rf"({number}( {number})*)?", text):
        raise InputError(f"rows of {field.name!r} must be a text of numbers")
    column = np.array(text.split(), np.float32 if is_real else np.int64)
    highest = np.inf if is_real else field.size
    if len(column) > MAX_ROWS or (len(column) and not abs(column).max() <= highest):
        raise InputError(f"rows of {field.name!r}: must be at most {MAX_ROWS} numbers, each 0-{field.size}")
    return column


def _read_given_music(data: Any) -> GivenMusic | None:
    """Read the given music from JSON. Raises InputError."""
    if data is None:
        return None
    optional = {"kept", "has_new_chords"} & set(data if isinstance(data, Mapping) else ())
    _check_keys("the source of a recipe", data, SOURCE_KEYS | optional)
    if data["how"] not in get_args(Kind):
        known = ", ".join(get_args(Kind))
        raise InputError(f"source.how of the recipe {data['how']!r:.40}: must be one of {known}")
    bars, parts = (
        _checked_integers("bars", data["bars"], 2),
        _checked_integers("parts", data["parts"], MAX_PARTS),
    )
    if (data["how"] == "redo") != (bars is not None) or (bars and not (len(bars) == 2 and bars[0] < bars[1])):
        raise InputError(f"source.bars of the recipe {bars}: must be two numbers for redo, else null")
    try:
        midi = base64.b64decode(data["midi"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise InputError(f"source.midi of the recipe: {error}") from error
    pairs = data.get("kept", [])
    if not isinstance(pairs, list) or len(pairs) > MAX_ROWS:
        raise InputError(f"source.kept of the recipe {pairs!r:.40}: must be a list of bars and parts")
    kept = frozenset(_checked_integers("kept", pair, 2) or () for pair in pairs)
    if any(len(pair) != 2 for pair in kept):
        raise InputError(f"source.kept of the recipe {pairs!r:.40}: must be pairs of a bar and a part")
    new_chords = data.get("has_new_chords") is True
    return GivenMusic(data["how"], midi, bars, parts, kept, new_chords)  # type: ignore[arg-type]


def _checked_integers(name: str, values: Any, most: int) -> tuple[int, ...] | None:
    """Return at most `most` whole numbers as a tuple, or None for None. Raises InputError."""
    if values is not None and not (
        isinstance(values, (list, tuple))
        and len(values) <= most
        and all(type(value) is int and 0 <= value <= MAX_BAR_OR_PART for value in values)
    ):
        raise InputError(f"source.{name} of the recipe {values!r:.40}: must be a list of numbers")
    return None if values is None else tuple(values)
