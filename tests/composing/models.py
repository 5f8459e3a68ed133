"""Small models of random weights to compose with, written as folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ritornello.models import model, registry
from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.form import parse_form
from ritornello.music.plan import Plan
from ritornello.music.score import Part
from ritornello.sketching.sketcher import Sketcher

LABELS = ("chorale", "fiddle", "game")
PIANO, BASS, DRUMS, FIDDLE = Part(), Part("", 33), Part("", 0, True), Part("", 40)
PLANS = (
    Plan(24, us_per_beat=600_000, key=(1, False), parts=(PIANO, BASS, DRUMS), genres=(("game", 1.0),),
         returns=parse_form("A8 A8 B8")),
    Plan(12, us_per_beat=500_000, key=(-1, True), parts=(PIANO, BASS), genres=(("game", 1.0),),
         returns=parse_form("A4 B4 A4")),
    Plan(16, ((0, 6, 8),), 400_000, (2, False), (FIDDLE,), (("fiddle", 1.0),), returns=parse_form("A8 A8")),
    Plan(16, ((0, 3, 4),), 800_000, (0, False), (Part("", 19),) * 4, (("chorale", 1.0),)),
)  # fmt: skip


def write_model(
    folder: Path,
    *,
    network: str = "lstm",
    representation: str = "notes",
    plans: Sequence[Plan] = PLANS,
    labels: Sequence[str] = LABELS,
    seed: int = 0,
    sharpness: float = 3.0,
    fields: Sequence[dict[str, Any]] | None = None,
    sketcher: Sketcher | None = None,
    **info: Any,
) -> Path:
    """A model of a narrow network whose logits are random, `sharpness` times as far apart as at first.

    `fields` are those of the representation, unless it is to be one that does not fit.
    """
    fields = fields or [f._asdict() for f in registry.find("representations", representation).fields]
    torch.manual_seed(seed)
    size = {"width": 32, "layers": 1, "embedding": 8, "plan_size": PlanEncoder(labels).size}
    made = registry.find("networks", network)({"fields": fields, **size})
    weights = {name: np.asarray(values, np.float32) for name, values in made.state_dict().items()}
    for name in weights:
        if name.endswith("logits.weight"):
            weights[name] *= sharpness
    said = {
        "representation": {"name": representation},
        "network": {"name": network, "config": made.settings()},
        "labels": list(labels),
        **info,
    }
    if sketcher:
        said["sketch"] = sketcher.settings
    model.write(folder, said, weights, {}, "# A model for tests\n", plans, sketcher and sketcher.arrays)
    return folder
