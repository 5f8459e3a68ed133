"""What made a song: as JSON beside it, and as a line inside the .mid."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ritornello import __version__
from ritornello.model import Model
from ritornello.plan import Plan


def recipe(model: Model, plan: Plan, *, seed: int, spread: float) -> dict[str, Any]:
    """All that is needed to compose the same song again on the same machine."""
    return {
        "ritornello": __version__,
        "model": {"network": model.network, "sha256": model.hash},
        "plan": asdict(plan),
        "seed": seed,
        "spread": spread,
    }


def in_words(made: dict[str, Any]) -> str:
    """The recipe as one line, for a text event in the file."""
    model = made["model"]
    return (
        f"Ritornello {made['ritornello']}: network {model['network']} {model['sha256'][:12]}, "
        f"{made['plan']['bars']} bars, seed {made['seed']}, spread {made['spread']:g}"
    )
