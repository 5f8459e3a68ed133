"""Numbers by which drawn sketches might be told from those of people's songs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, Plan
from ritornello.sketching.profile import NUMBERS, profile_of
from ritornello.sketching.variables import NONE, Ints, Variables

LAGS = (1, 2, 4, 8, 16)  # bars
NAMES = (
    *NUMBERS,
    "mean number of notes",
    "mean pitch",
    "range of mean pitches",
    *(f"returns after {lag}" for lag in LAGS),
    "first bars of returns that begin a group of four",
    *(f"{what} as {lag} before" for what in ("chords", "notes", "pitches") for lag in LAGS),
)


def sketch_numbers(plan: Plan) -> npt.NDArray[np.float64]:
    """Return the numbers (len(NAMES),) of a complete plan; NaN where a song is too short for one."""
    bars = replace(plan, returns=None, sketch=None).timeline(GRID)
    v = Variables.of(plan, bars)
    lags = np.where(v.origin >= 0, np.arange(len(v.origin)) - v.origin, 0)
    goes_on = np.append(False, (v.origin[1:] == v.origin[:-1] + 1) & (v.origin[:-1] >= 0))
    begins = np.flatnonzero((v.origin >= 0) & ~goes_on)
    pitch = np.where(v.pitch == NONE, np.nan, v.pitch)
    has_pitch = np.isfinite(pitch).any()
    found = [
        v.notes.mean() if v.notes.size else np.nan,
        np.nanmean(pitch) if has_pitch else np.nan,
        np.nanmax(pitch) - np.nanmin(pitch) if has_pitch else np.nan,
        *(np.mean(lags == lag) for lag in LAGS),
        np.mean(begins % 4 == 0) if len(begins) else np.nan,
        *_same(v.chord.T),
        *_same(v.notes),
        *_same(v.pitch),
    ]
    return np.append(profile_of(v), found)


def _same(values: Ints) -> list[float]:
    """The share of values (N, T) that are those of so many bars before, for LAGS."""
    bars = values.shape[1]
    return [
        float((values[:, lag:] == values[:, :-lag]).mean()) if lag < bars and values.size else np.nan
        for lag in LAGS
    ]
