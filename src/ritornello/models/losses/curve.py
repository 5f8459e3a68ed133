"""What a wrong note costs, as a curve over its distance from the true note: the idea of 2018.

The loss is low at the true note and where the wrong note still sounds good, in every octave, and high
elsewhere. It is a polynomial fitted with scipy to chosen points. Two things make such a fit behave:

- Between a few integer points a polynomial of the needed degree swings by thousands. So each point becomes
  a well (a Gaussian), and the wells are sampled at Chebyshev nodes, where a fit cannot swing.
- One semitone outside the fitted range the polynomial explodes. So it is held at the edge, and from there
  rises along a straight line that leads back.

Descent on such a curve ends in the nearest low, and the true note's is one of thirteen. Two things help it
to the right one. The lows are not equally deep: the true note costs 0, by default an octave 0.4 and a chord
tone 0.6 of the part that repeats, so that the random steps of training climb out of the wrong ones. And a
part of the amplitude (`pull`) does not repeat but rises with the distance; all thirteen stay lows. Started
anywhere within two octaves, descent ends at the true note in 10% of cases, and in 24% with noise that fades
from 0.2 semitones a step (with equal lows and no pull in 9%, with noise or without).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AMPLITUDE = 1.0  # from the true note to a note that is no low
TAIL_SLOPE = AMPLITUDE / 12  # per semitone outside the range: each octave more costs a whole wrong note more
MAX_ERROR = 0.05  # of the polynomial against the wells, in units of the amplitude
GRID = 100  # points a semitone at which a fit is checked

Floats = npt.NDArray[np.float64]
Numbers = TypeVar("Numbers")  # an array of numpy or a tensor of torch


@dataclass(frozen=True)
class CurvePoints:
    """Where the note's loss is low besides the true note, and how low. Raises InputError."""

    octave: float = 0.6
    """Depth of the lows at whole octaves from the true note, whose own depth is 1; 0 is none."""
    tones: Mapping[int, float] = field(default_factory=lambda: {4: 0.4, 7: 0.4})
    """Depth of the lows so many semitones (1-11) above the true note and its octaves."""
    pull: float = 0.3
    """Share of the amplitude that does not repeat but rises with the distance from the true note."""
    width_semitones: float = 1.0
    """How wide a low is: the standard deviation of its Gaussian."""
    reach_semitones: int = 24
    """The polynomial is fitted from minus this to plus this."""
    degree: int = 52
    """Of the polynomial."""

    def __post_init__(self) -> None:
        for tone in self.tones:
            _within("tone", tone, 1, 11, whole=True)
        depths = {"octave": self.octave} | {f"tones.{t}": depth for t, depth in self.tones.items()}
        for name, depth in depths.items():
            _within(name, depth, 0, 0.95)
        _within("pull", self.pull, 0, 0.9)
        _within("width_semitones", self.width_semitones, 0.5, 4)
        _within("reach_semitones", self.reach_semitones, 6, 60, whole=True)
        _within("degree", self.degree, 2, 256, whole=True)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> CurvePoints:
        """The points that a dict says (in JSON and TOML the tones' keys are text). Raises InputError."""
        known = {f.name for f in fields(cls)}
        for name, value in table.items():
            if name not in known:
                raise InputError(f"unknown key {name!r}, must be one of {', '.join(sorted(known))}")
            if name == "tones" and not isinstance(value, Mapping):
                raise InputError(f"tones {value!r}, must be a table of semitones (1-11) and depths (0-0.95)")
        tones = {_semitones(key): depth for key, depth in table.get("tones", {}).items()}
        return cls(**{**table, "tones": tones} if "tones" in table else table)

    def to_dict(self) -> dict[str, Any]:
        """The inverse of `of`, as JSON has it."""
        return {**asdict(self), "tones": {str(tone): depth for tone, depth in self.tones.items()}}

    def lows(self) -> Floats:
        """All lows within reach, (n, 2): semitones from the true note, in order, and depth."""
        octaves = range(-self.reach_semitones // 12 - 1, self.reach_semitones // 12 + 2)
        depths = {12 * o + tone: depth for o in octaves for tone, depth in self.tones.items()}
        depths |= {12 * o: self.octave for o in octaves} | {0: AMPLITUDE}
        kept = [(at, depth) for at, depth in sorted(depths.items()) if abs(at) <= self.reach_semitones]
        return np.array(kept, np.float64)

    def wells(self, semitones: Floats) -> Floats:
        """What the polynomial is to follow, at any distances from the true note."""
        at, depth = self.lows().T
        away = (semitones[..., None] - at) / self.width_semitones  # (..., n)
        repeating = AMPLITUDE - (depth * np.exp(-0.5 * away**2)).sum(-1)
        rising = AMPLITUDE * (np.hypot(1, semitones) - 1) / (np.hypot(1, self.reach_semitones) - 1)
        return np.asarray((1 - self.pull) * repeating + self.pull * rising)


@dataclass(frozen=True)
class Curve:
    """The note's loss over d = predicted - true in semitones: a Chebyshev polynomial with linear tails.

    `coefficients` belong to d / reach. `error` is the largest distance from the wells that it was fitted to.
    """

    points: CurvePoints
    coefficients: tuple[float, ...]
    error: float

    @classmethod
    def fit(cls, points: CurvePoints | None = None) -> Curve:
        """The curve through `points` (None: the default ones), by least squares at Chebyshev nodes.

        Raises InputError if the polynomial misses the wells by more than MAX_ERROR, or if the true note is
        not the lowest place.
        """
        from scipy.linalg import lstsq

        points = points or CurvePoints()
        reach, count = points.reach_semitones, 2 * (points.degree + 1)
        nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
        basis = np.polynomial.chebyshev.chebvander(nodes, points.degree)  # (count, degree + 1)
        coefficients = lstsq(basis, points.wells(reach * nodes))[0]
        grid = np.linspace(-reach, reach, 2 * GRID * reach + 1)
        curve = cls(points, tuple(coefficients.tolist()), 0.0)
        missed = np.abs(curve(grid) - points.wells(grid))
        worst, lowest = int(missed.argmax()), float(grid[curve(grid).argmin()])
        if missed[worst] > MAX_ERROR:
            raise InputError(
                f"degree {points.degree} misses the points by {missed[worst]:.2f} at {grid[worst]:+.1f} "
                f"semitones, must be at most {MAX_ERROR}: take a higher degree, wider lows or a smaller reach"
            )
        if abs(lowest) >= 0.5:
            raise InputError(
                f"the loss is lowest at {lowest:+.1f} semitones, must be at 0: make the other lows shallower"
            )
        return cls(points, curve.coefficients, float(missed[worst]))

    @classmethod
    def read(cls, path: str | Path) -> Curve:
        """The curve through the points of a TOML file whose keys are the attributes of Points, such as

            octave = 0.6
            tones = { 4 = 0.4, 7 = 0.4 }

        Raises InputError that names the file, the key, its value and the range.
        """
        try:
            return cls.fit(CurvePoints.of(tomllib.loads(Path(path).read_text(encoding="utf-8"))))
        except OSError as error:
            raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, InputError) as error:
            raise InputError(f"{str(path)!r}: {error}") from error

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Curve:
        """The inverse of `to_dict`: nothing is fitted. Raises InputError for a table that is none."""
        try:
            points, coefficients = CurvePoints.of(table["points"]), tuple(map(float, table["coefficients"]))
            error = float(table["error"])
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise InputError(f"this is no curve of a loss: {problem!r}") from problem
        if len(coefficients) != points.degree + 1 or not np.isfinite([*coefficients, error]).all():
            raise InputError(f"a curve's coefficients must be {points.degree + 1} finite numbers")
        return cls(points, coefficients, error)

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON has it, for model.json."""
        return {
            "points": self.points.to_dict(),
            "coefficients": list(self.coefficients),
            "error": self.error,
        }

    def __call__(self, semitones: Numbers) -> Numbers:
        """The loss at distances d (any shape), as an array of numpy or a tensor of torch, like `semitones`.

        Only operators that both have are used, so that torch finds the gradient by itself. Clenshaw, "A note
        on the summation of Chebyshev series" (1955).
        """
        d = cast(Any, semitones)
        inside = d.clip(-self.points.reach_semitones, self.points.reach_semitones)
        tail = TAIL_SLOPE * abs(d - inside)
        return cast(Numbers, _clenshaw(inside / self.points.reach_semitones, self.coefficients) + tail)

    def slope(self, semitones: Floats) -> Floats:
        """The derivative of the loss by d, for arrays of numpy; the tails' slope outside the range."""
        reach = self.points.reach_semitones
        derivative = np.polynomial.chebyshev.chebder(self.coefficients)
        inside = np.asarray(_clenshaw(semitones.clip(-reach, reach) / reach, derivative.tolist()) / reach)
        return np.where(np.abs(semitones) > reach, TAIL_SLOPE * np.sign(semitones), inside)


def _clenshaw(x: Any, coefficients: tuple[float, ...] | list[float]) -> Any:
    """Sum of c[k] T[k](x): b[k] = c[k] + 2 x b[k+1] - b[k+2], ended by c[0] + x b[1] - b[2]."""
    after = beyond = 0 * x
    for coefficient in coefficients[:0:-1]:
        after, beyond = coefficient + 2 * x * after - beyond, after
    return coefficients[0] + x * after - beyond


def _within(name: str, value: Any, low: float, high: float, *, whole: bool = False) -> None:
    """Refuse what is no number (no whole number, if it must be one) or is out of range."""
    kinds = int if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{name} {value!r}, must be {'a whole number ' if whole else ''}{low}-{high}")


def _semitones(key: Any) -> int:
    """The number in a tone's key."""
    try:
        return int(key)
    except ValueError:
        raise InputError(f"tone {key!r}, must be a whole number 1-11") from None
