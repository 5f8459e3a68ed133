"""The loss of a wrong note as a curve over its distance from the true note, an idea of the system of 2018.

The loss is low at the true note and where a wrong note is still consonant with it, in every octave, and high
elsewhere. It is a polynomial that scipy fits to chosen points. Two measures keep the fit stable:

- A polynomial of the needed degree through a few integer points oscillates by thousands between them. So
  each point becomes a minimum of Gaussian shape, and the sum of these is sampled at Chebyshev nodes.
- One semitone outside the fitted range the polynomial grows without bound. So outside it is replaced by a
  straight line that rises with the distance.

Gradient descent on such a curve ends in the nearest minimum, and the true note is one of thirteen. Two
measures favour it. The minima are not equally deep: the true note costs 0, by default an octave 0.4 and a
chord tone 0.6 of the repeating part, so that the random steps of training leave the wrong ones. And a part
of the amplitude (`pull`) does not repeat but rises with the distance; all thirteen remain minima. From a
random start within two octaves, descent ends at the true note in 10% of cases, and in 24% with noise that
fades from 0.2 semitones a step (with equal minima and no pull in 9%, with or without noise; measured).
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
    """Depth of the minima so many semitones (1-11) above the true note and its octaves."""
    pull: float = 0.3
    """Share of the amplitude that does not repeat but rises with the distance from the true note."""
    width_semitones: float = 1.0
    """Width of a minimum: the standard deviation of its Gaussian."""
    reach_semitones: int = 24
    """The polynomial is fitted from minus this to plus this distance."""
    degree: int = 52
    """Degree of the polynomial."""

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

    def minima(self) -> Floats:
        """Return all minima within reach, (n, 2): semitones from the true note, rising, and depth."""
        octaves = range(-self.reach_semitones // 12 - 1, self.reach_semitones // 12 + 2)
        depths = {12 * o + tone: depth for o in octaves for tone, depth in self.tones.items()}
        depths |= {12 * o: self.octave for o in octaves} | {0: AMPLITUDE}
        kept = [(at, depth) for at, depth in sorted(depths.items()) if abs(at) <= self.reach_semitones]
        return np.array(kept, np.float64)

    def target(self, semitones: Floats) -> Floats:
        """Return the function that the polynomial approximates, at distances of any shape in semitones."""
        at, depth = self.minima().T
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

        Raises InputError if its error is above MAX_ERROR, or if the true note is not its lowest minimum.
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
        worst, lowest = int(errors.argmax()), float(grid[curve(grid).argmin()])
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
        return cls(points, curve.coefficients, float(errors[worst]))

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

    def slope(self, semitones: Floats) -> Floats:
        """Return the derivative of the loss by the distance in semitones, for arrays of any shape."""
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
    """Raise InputError unless the value is a number (a whole one, if it must be) in its range."""
    kinds = int if whole else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{name} {value!r}: must be {'a whole number ' if whole else ''}{low}-{high}")


def _semitones(key: Any) -> int:
    """The number in the key of a tone. Raises InputError."""
    try:
        return int(key)
    except ValueError:
        raise InputError(f"tone {key!r}: must be a whole number 1-11") from None
