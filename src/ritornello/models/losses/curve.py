"""The loss of a wrong note as a curve over its distance from the true note, an idea of the system of 2018.

The loss is low at the true note and where a wrong note is still consonant with it, in every octave, and high
elsewhere: within reach, every consonant shift by whole semitones costs less than every other one. It is a
polynomial that scipy fits to chosen points. Two measures keep the fit stable:

- A polynomial of the needed degree through a few integer points oscillates by thousands between them. So
  each point becomes a minimum of Gaussian shape, and the sum of these is sampled at Chebyshev nodes.
- One semitone outside the fitted range the polynomial grows without bound. So outside it is replaced by a
  straight line that rises with the distance.

The minima are narrower than a semitone (a standard deviation of half of one): in one that is a semitone wide,
the neighbour of the true note costs less than any chord tone. They are not equally deep: the true note costs
0, by default an octave 0.4 and a chord tone 0.6 of the repeating part. A part of the amplitude (`pull`) does
not repeat but rises with the distance. It leads gradient descent to the true note from where the minima have
no slope; but if it is large, a distant chord tone costs more than a near dissonance. From a random start
within two octaves, descent ends at the true note in 9% of cases, and in 18% with noise that fades from 0.4
semitones a step (with equal minima and no pull in 9% and 11%; measured).
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

AMPLITUDE = 1.0  # the loss of a note that is at no minimum
TAIL_SLOPE = AMPLITUDE / 12  # per semitone outside the range: an amplitude per octave
MAX_ERROR = 0.05  # of the fit, in units of the amplitude
CHECKS_PER_SEMITONE = 100  # points at which a fit is checked

Floats = npt.NDArray[np.float64]  # of any shape
Numbers = TypeVar("Numbers")  # an array of numpy or a tensor of torch


@dataclass(frozen=True)
class CurvePoints:
    """The minima of the loss: which there are and how deep. Raises InputError for a value out of range.

    The attributes are the keys of the TOML file that `train --curve` reads.
    """

    octave: float = 0.6
    """Depth of the minima at octaves from the true note, whose own depth is 1; 0: no minimum."""
    tones: Mapping[int, float] = field(default_factory=lambda: {4: 0.4, 7: 0.4})
    """Depth of minima by their distance of 1-11 semitones above the true note and its octaves."""
    pull: float = 0.15
    """Share of the amplitude that does not repeat but rises with the distance from the true note."""
    width_semitones: float = 0.5
    """Width of a minimum: the standard deviation of its Gaussian."""
    reach_semitones: int = 30
    """The polynomial is fitted from minus this to plus this distance. Where it ends at a minimum, the first
    semitones beyond cost little; so it ends between two octaves."""
    degree: int = 150
    """Degree of the polynomial."""

    def __post_init__(self) -> None:
        for tone in self.tones:
            _within("tone", tone, 1, 11, whole=True)
        depths = {"octave": self.octave} | {f"tones.{t}": depth for t, depth in self.tones.items()}
        for name, depth in depths.items():
            _within(name, depth, 0, 0.95)
        _within("pull", self.pull, 0, 0.9)
        _within("width_semitones", self.width_semitones, 0.3, 4)
        _within("reach_semitones", self.reach_semitones, 6, 60, whole=True)
        _within("degree", self.degree, 2, 256, whole=True)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> CurvePoints:
        """Read the points from a dict; the keys of tones may be texts, as in TOML. Raises InputError."""
        known = {f.name for f in fields(cls)}
        for name, value in table.items():
            if name not in known:
                raise InputError(f"unknown key {name!r}: must be one of {', '.join(sorted(known))}")
            if name == "tones" and not isinstance(value, Mapping):
                raise InputError(f"tones {value!r}: must be a table of semitones (1-11) and depths (0-0.95)")
        tones = {_semitones(key): depth for key, depth in table.get("tones", {}).items()}
        return cls(**{**table, "tones": tones} if "tones" in table else table)

    def to_dict(self) -> dict[str, Any]:
        """Return the points as JSON can hold them; `from_dict` reads it."""
        return {**asdict(self), "tones": {str(tone): depth for tone, depth in self.tones.items()}}

    def minima(self, beyond_semitones: int = 0) -> Floats:
        """Return all minima, up to so far beyond reach, (n, 2): semitones from the true note, and depth."""
        limit = self.reach_semitones + beyond_semitones
        depths = ((at, self.depth(at)) for at in range(-limit, limit + 1))
        return np.array([(at, depth) for at, depth in depths if depth], np.float64)

    def depth(self, shift: int) -> float:
        """Return the depth of the minimum so many semitones from the true note; 0: there is none."""
        if shift == 0:
            return AMPLITUDE
        return self.tones.get(shift % 12, 0.0) if shift % 12 else self.octave

    def target(self, semitones: Floats) -> Floats:
        """Return the function that the polynomial approximates, at distances of any shape in semitones."""
        at, depth = self.minima(12).T
        distance = (semitones[..., None] - at) / self.width_semitones  # (..., n)
        repeating = AMPLITUDE - (depth * np.exp(-0.5 * distance**2)).sum(-1)
        rising = AMPLITUDE * (np.hypot(1, semitones) - 1) / (np.hypot(1, self.reach_semitones) - 1)
        return np.asarray((1 - self.pull) * repeating + self.pull * rising)


@dataclass(frozen=True)
class Curve:
    """The loss over d = predicted - true pitch in semitones: a Chebyshev polynomial with linear tails.

    The polynomial with `coefficients` is of d / reach. `error` is its largest error.
    """

    points: CurvePoints
    coefficients: tuple[float, ...]
    error: float

    @classmethod
    def fit(cls, points: CurvePoints | None = None) -> Curve:
        """Fit a curve to `points` (None: the default ones), by least squares at Chebyshev nodes.

        Raises InputError if its error is above MAX_ERROR, if the true note is not its lowest minimum, or if a
        shift to a minimum costs as much as a shift to none.
        """
        from scipy.linalg import lstsq

        points = points or CurvePoints()
        reach, count = points.reach_semitones, 2 * (points.degree + 1)
        nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
        basis = np.polynomial.chebyshev.chebvander(nodes, points.degree)  # (count, degree + 1)
        coefficients = lstsq(basis, points.target(reach * nodes))[0]
        grid = np.linspace(-reach, reach, 2 * CHECKS_PER_SEMITONE * reach + 1)
        curve = cls(points, tuple(coefficients.tolist()), 0.0)
        errors = np.abs(curve(grid) - points.target(grid))
        worst, whole = int(errors.argmax()), grid[::CHECKS_PER_SEMITONE]
        lowest = max((x[curve(x).argmin()] for x in (grid, whole)), key=abs)
        if errors[worst] > MAX_ERROR:
            raise InputError(
                f"degree {points.degree} misses the points by {errors[worst]:.2f} at {grid[worst]:+.1f} "
                f"semitones: must be at most {MAX_ERROR}; raise degree or width_semitones, or lower "
                "reach_semitones"
            )
        if abs(lowest) >= 0.5:
            raise InputError(
                f"the loss is lowest at {lowest:+.1f} semitones: must be at 0; make other minima shallower"
            )
        curve._check_order()
        return cls(points, curve.coefficients, float(errors[worst]))

    def _check_order(self) -> None:
        """Raise InputError unless every whole shift to a minimum costs less than every other one in reach."""
        shifts = np.arange(-self.points.reach_semitones, self.points.reach_semitones + 1)
        costs = self(shifts.astype(np.float64))
        low = np.array([self.points.depth(int(shift)) > 0 for shift in shifts])
        dearest, cheapest = np.where(low, costs, -np.inf).argmax(), np.where(low, np.inf, costs).argmin()
        if not low.all() and costs[dearest] >= costs[cheapest]:
            raise InputError(
                f"these points cannot be ordered: the chord tone at {shifts[dearest]:+d} semitones costs "
                f"{costs[dearest]:.3f}: must be less than {costs[cheapest]:.3f}, the cost of "
                f"{shifts[cheapest]:+d}, which is none: make it deeper, or lower pull or width_semitones"
            )

    @classmethod
    def read(cls, path: str | Path) -> Curve:
        """Fit a curve to the points in a TOML file whose keys are the attributes of CurvePoints, such as

            octave = 0.6
            tones = { 4 = 0.4, 7 = 0.4 }

        Raises InputError that names the file, the key, its value and the range.
        """
        try:
            return cls.fit(CurvePoints.from_dict(tomllib.loads(Path(path).read_text(encoding="utf-8"))))
        except OSError as error:
            raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, InputError) as error:
            raise InputError(f"{str(path)!r}: {error}") from error

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Curve:
        """Read what `to_dict` returned, without a fit. Raises InputError if it is not a curve."""
        try:
            points, coefficients = (
                CurvePoints.from_dict(table["points"]),
                tuple(map(float, table["coefficients"])),
            )
            error = float(table["error"])
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise InputError(f"this is not a curve of a loss: {problem!r}") from problem
        if len(coefficients) != points.degree + 1 or not np.isfinite([*coefficients, error]).all():
            raise InputError(f"a curve's coefficients must be {points.degree + 1} finite numbers")
        return cls(points, coefficients, error)

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON can hold it, for model.json."""
        return {"points": self.points.to_dict(), "coefficients": list(self.coefficients), "error": self.error}

    def __call__(self, semitones: Numbers) -> Numbers:
        """Return the loss at distances in semitones (any shape), an array of numpy or a tensor of torch.

        It uses only operators that both have, so that torch can differentiate it. Clenshaw, "A note on the
        summation of Chebyshev series" (1955).
        """
        d = cast(Any, semitones)
        inside = d.clip(-self.points.reach_semitones, self.points.reach_semitones)
        tail = TAIL_SLOPE * abs(d - inside)
        return cast(Numbers, _clenshaw(inside / self.points.reach_semitones, self.coefficients) + tail)

    def slope(self, semitones: Numbers) -> Numbers:
        """Return the derivative of the loss by the distance in semitones, as `__call__` returns the loss."""
        d, reach = cast(Any, semitones), self.points.reach_semitones
        inside = d.clip(-reach, reach)
        outside = (d > inside) * TAIL_SLOPE - (d < inside) * TAIL_SLOPE
        derivative = np.polynomial.chebyshev.chebder(self.coefficients).tolist()
        return cast(Numbers, (d == inside) * _clenshaw(inside / reach, derivative) / reach + outside)


def _clenshaw(x: Any, coefficients: tuple[float, ...] | list[float]) -> Any:
    """Sum of c[k] T[k](x): b[k] = c[k] + 2 x b[k+1] - b[k+2], ended by c[0] + x b[1] - b[2]."""
    after = beyond = 0 * x
    for coefficient in coefficients[:0:-1]:
        after, beyond = coefficient + 2 * x * after - beyond, after
    return coefficients[0] + x * after - beyond


def _within(name: str, value: Any, low: float, high: float, *, whole: bool = False) -> None:
    """Raise InputError unless the value is a number in its range, and with `whole` a whole number."""
    kinds = int if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{name} {value!r}: must be {'a whole number ' if whole else ''}{low}-{high}")


def _semitones(key: Any) -> int:
    """The number in the key of a tone. Raises InputError."""
    try:
        return int(key)
    except ValueError:
        raise InputError(f"tone {key!r}: must be a whole number 1-11") from None
