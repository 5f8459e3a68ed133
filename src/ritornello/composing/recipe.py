"""Recipe: all that made a song, as JSON: from it the song is built again without the network.

    format, ritornello    versions
    model                 network, representation, sha256 of the model
    plan                  as resolved: nothing is open
    seed, song            what the draws counted from
    how                   creativity (or spread, for a network of reals)
    source                what the user gave: how (prompt, tune, redo), which bars and parts, the MIDI file
    rows                  what was drawn: a text of numbers for each choice

The rows with the plan and the source are the song; the rest says how to draw another one like it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello import midi
from ritornello.errors import InputError, PlanError, RitornelloError
from ritornello.models import registry
from ritornello.music.plan import MAX_BARS, Plan
from ritornello.music.score import Score
from ritornello.system.files import sha256
from ritornello.system.version import __version__

FORMAT = 1
MAX_BYTES = 64 << 20
MAX_ROWS = 1 << 20
SOURCES = ("prompt", "tune", "redo")
KEYS: dict[str, type | tuple[type, ...]] = {
    "format": int,
    "ritornello": str,
    "model": dict,
    "plan": dict,
    "seed": int,
    "song": int,
    "how": dict,
    "source": (dict, type(None)),
    "rows": dict,
}
MODEL_KEYS, HOW_KEYS = {"network", "representation", "sha256"}, {"creativity", "spread"}
SOURCE_KEYS = {"how", "bars", "parts", "midi"}


@dataclass(frozen=True)
class Source:
    """What the user gave: a MIDI file's bytes; for redo also which bars (from 0) and parts (None: all)."""

    how: str
    midi: bytes
    bars: tuple[int, int] | None = None  # the first, and the one after the last
    parts: tuple[int, ...] | None = None

    @property
    def score(self) -> Score:
        """Its Score. Raises MidiError."""
        return midi.parse(self.midi, name=f"the {self.how} of the recipe").score


@dataclass(frozen=True)
class Recipe:
    """All that made a song; `rows` (N, F) of its representation, `how` the dials by name."""

    model: dict[str, str]
    plan: Plan
    seed: int
    song: int
    how: dict[str, float]
    rows: npt.NDArray[Any]
    source: Source | None = None
    version: str = __version__

    @property
    def representation(self) -> Any:
        """The representation of the rows."""
        return registry.find("representations", self.model["representation"])()

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON has it."""
        fields = self.representation.fields
        rows = {
            field.name: " ".join(f"{value:.9g}" for value in self.rows[:, column].tolist())
            for column, field in enumerate(fields)
            if field.kind != "known"
        }
        source = None
        if self.source:
            data = base64.b64encode(self.source.midi).decode()
            source = {
                "how": self.source.how,
                "bars": self.source.bars,
                "parts": self.source.parts,
                "midi": data,
            }
        said = {
            "format": FORMAT,
            "ritornello": self.version,
            "model": self.model,
            "plan": self.plan.to_dict(),
        }
        return said | {"seed": self.seed, "song": self.song, "how": self.how, "source": source, "rows": rows}

    @property
    def hash(self) -> str:
        """SHA-256 of the recipe."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode())

    def __str__(self) -> str:
        """As one line, for a text event in the file."""
        how = ", ".join(f"{name} {value:g}" for name, value in self.how.items())
        made = f"network {self.model['network']} {self.model['sha256'][:12]}"
        return (
            f"Ritornello {self.version}: {made}, {self.plan.bars} bars, seed {self.seed}"
            f"{f'.{self.song}' if self.song else ''}, {how}, recipe {self.hash[:16]}"
        )

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """The recipe in a JSON file. Raises InputError that names what is wrong with it."""
        path = Path(path)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(
                    f"{str(path)!r} is too large for a recipe, must be at most {MAX_BYTES} bytes"
                )
            return cls.from_dict(json.loads(path.read_bytes()))
        except OSError as error:
            raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{str(path)!r} is no recipe: it is no JSON ({error})") from error
        except RitornelloError as error:
            raise InputError(f"{str(path)!r}: {error}") from error

    @classmethod
    def from_dict(cls, said: Any) -> Recipe:
        """The inverse of `to_dict`. Raises InputError for anything that is missing, strange or too much."""
        _check_keys("a recipe", said, set(KEYS))
        for key, kind in KEYS.items():
            if not isinstance(said[key], kind) or isinstance(said[key], bool):
                raise InputError(f"{key} of the recipe is {said[key]!r:.40}, which it cannot be")
        if said["format"] != FORMAT:
            raise InputError(f"a recipe of format {said['format']}, this version reads {FORMAT}")
        _check_keys("the model of a recipe", said["model"], MODEL_KEYS)
        if not all(isinstance(value, str) for value in said["model"].values()):
            raise InputError("the model of a recipe is named by texts")
        name, known = said["model"]["representation"], registry.names("representations")
        if name not in known:  # a recipe is data: no file that it names is run
            raise InputError(f"no representation {name!r:.40} is built in, must be one of {', '.join(known)}")
        _check_keys("the dials of a recipe", said["how"], HOW_KEYS & set(said["how"]) or {"creativity"})
        how = {dial: _number(dial, value) for dial, value in said["how"].items()}
        for count in ("seed", "song"):
            if not 0 <= said[count] < 1 << 63:
                raise InputError(f"{count} {said[count]}, must be 0-{(1 << 63) - 1}")
        plan = Plan.from_dict(said["plan"])
        if not 1 <= (plan.bars or 0) <= MAX_BARS:
            raise PlanError(f"{plan.bars} bars, must be 1-{MAX_BARS}")
        rows = _rows(name, said["rows"])
        source = _source(said["source"])
        return cls(said["model"], plan, said["seed"], said["song"], how, rows, source, said["ritornello"])


def _check_keys(what: str, said: Any, known: set[str]) -> None:
    """Raise InputError unless `said` is an object of exactly these fields."""
    if not isinstance(said, Mapping):
        raise InputError(f"{what} must be an object, not {said!r:.40}")
    if strange := sorted(set(said) - known):
        raise InputError(f"{what} has no field {strange[0]!r:.60}, must be of {', '.join(sorted(known))}")
    if missing := sorted(known - set(said)):
        raise InputError(f"{what} lacks the field {missing[0]!r}")


def _number(name: str, value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e9:
        raise InputError(f"{name} of the recipe is {value!r:.40}, must be a number")
    return float(value)


def _rows(name: str, said: Mapping[str, Any]) -> npt.NDArray[Any]:
    """The rows (N, F) of a representation; what is known beside the choices is left at 0."""
    fields = registry.find("representations", name).fields
    drawn = [(column, field) for column, field in enumerate(fields) if field.kind != "known"]
    _check_keys("the rows of a recipe", said, {field.name for _, field in drawn})
    columns = []
    for _, field in drawn:
        text = said[field.name]
        real = field.kind == "real"
        number = r"-?\d{1,9}(\.\d{1,16})?(e[+-]?\d{1,3})?" if real else r"\d{1,9}"
        if not isinstance(text, str) or not re.fullmatch(rf"({number}( {number})*)?", text):
            raise InputError(f"rows of {field.name!r} must be a text of numbers")
        column = np.array(text.split(), np.float32 if real else np.int64)
        top = np.inf if real else field.size
        if len(column) > MAX_ROWS or (len(column) and not abs(column).max() <= top):
            raise InputError(f"rows of {field.name!r}: must be at most {MAX_ROWS}, each 0-{field.size}")
        columns.append(column)
    if len({len(column) for column in columns}) > 1:
        raise InputError("the rows of a recipe must have as many numbers in each field")
    kind = np.float32 if drawn[0][1].kind == "real" else np.int16
    rows = np.zeros((len(columns[0]), len(fields)), kind)
    for (column_index, _), column in zip(drawn, columns, strict=True):
        rows[:, column_index] = column
    return rows


def _source(said: Any) -> Source | None:
    """What the user gave."""
    if said is None:
        return None
    _check_keys("the source of a recipe", said, SOURCE_KEYS)
    if said["how"] not in SOURCES:
        raise InputError(
            f"the source of a recipe is {said['how']!r:.40}, must be one of {', '.join(SOURCES)}"
        )
    numbers: dict[str, tuple[int, ...] | None] = {}
    for name, most in (("bars", 2), ("parts", 256)):
        values = said[name]
        if values is not None and not (
            isinstance(values, (list, tuple))
            and len(values) <= most
            and all(type(value) is int and 0 <= value <= 1 << 20 for value in values)
        ):
            raise InputError(f"{name} of the recipe's source is {values!r:.40}, must be a list of numbers")
        numbers[name] = None if values is None else tuple(values)
    bars = numbers["bars"]
    if (said["how"] == "redo") != (bars is not None) or (bars and not (len(bars) == 2 and bars[0] < bars[1])):
        raise InputError(f"bars of the recipe's source are {bars}, must be two numbers for redo, else null")
    try:
        data = base64.b64decode(said["midi"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise InputError(f"midi of the recipe's source: {error}") from error
    return Source(said["how"], data, bars, numbers["parts"])  # type: ignore[arg-type]
