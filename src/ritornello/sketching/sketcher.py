"""The class Sketcher: a trained sketch network in numpy, which draws the open values of a plan's sketch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.errors import ModelError
from ritornello.models.chain.weight_checks import check_weights
from ritornello.models.model import Model
from ritornello.models.model_folder import RARE_BREAKS
from ritornello.music.plan import Plan
from ritornello.sketching.fill import Filling
from ritornello.sketching.forward import Network, numpy_operations
from ritornello.sketching.profile import Profiles, profile_shapes
from ritornello.sketching.shapes import SketchConfig, weight_shapes

MAX_PROFILES = 1_000_000
MAX_SIZES = {"width": 1024, "layers": 16, "heads": 16, "part_width": 1024}


@dataclass(frozen=True)
class Sketcher:
    """A sketch network: sizes, known labels, and weights (...,) float32 of the shapes `weight_shapes`."""

    config: SketchConfig
    labels: tuple[str, ...]
    weights: dict[str, npt.NDArray[np.float32]] = field(repr=False)
    profiles: Profiles = field(default_factory=lambda: Profiles.of([]), repr=False)
    labels_without_rests: frozenset[str] = frozenset()
    """Labels in whose songs parts never pause, so that no sketch of theirs has a bar of rest."""

    @classmethod
    def of(cls, model: Model) -> Sketcher | None:
        """Return the sketch network of a model, None if it has none. Raises ModelError if it is damaged."""
        settings = model.info.get("sketch")
        if model.sketch is None or settings is None:
            return None
        config, labels = _checked_settings(str(model.path), settings)
        try:
            weights = check_weights(model.sketch, weight_shapes(config) | profile_shapes(config.profiles))
        except ModelError as error:
            raise ModelError(f"{str(model.path)!r}: sketch.safetensors: {error}") from None
        profiles = Profiles.read(weights, config.profiles)
        for label in profiles.songs[:, 0].tolist():
            if label not in range(len(labels) + 1):
                message = f"profile_songs has label {label:g}: must be 0-{len(labels)}"
                raise ModelError(f"{str(model.path)!r}: sketch.safetensors: {message}")
        usual = model.info.get("usual", {})
        without = (label for label, stats in usual.items() if stats.get("gaps", 1.0) < RARE_BREAKS)
        return cls(config, labels, weights, profiles, frozenset(without))

    @property
    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """The arrays of sketch.safetensors for this network."""
        return self.weights | self.profiles.arrays

    @property
    def settings(self) -> dict[str, Any]:
        """The entry "sketch" of model.json for this network."""
        names = (*MAX_SIZES, "profiles")
        return {"labels": list(self.labels), **{name: getattr(self.config, name) for name in names}}

    @property
    def network(self) -> Network:
        """Return the network as numpy computes it."""
        return Network(self.weights, self.config, numpy_operations())

    def fill(
        self,
        plan: Plan,
        generator: np.random.Generator,
        creativity: float = 0.5,
        *,
        open_bars: Sequence[bool] | npt.NDArray[np.bool_] | None = None,
        required: Collection[int] = (),
        without_rests: Collection[int] = (),
    ) -> Plan:
        """Return the plan with complete `returns`, `chords` and `sketch`; values that it has stay.

        Open are returns of (-1, -1), and the chords of `open_bars` (bars,). Without that mask, all chords are
        open if the plan has none, and else none is. The parts with the numbers `required` play in a quarter
        of the bars or more, unless the textures that are drawn differ from that; those `without_rests` in all
        open bars. `creativity` goes from 0 (the likeliest values) to 1.
        """
        mask = None if open_bars is None else np.asarray(open_bars, bool)
        labels = {label for label, _ in plan.genres}
        if labels and labels <= self.labels_without_rests:
            without_rests = range(len(plan.parts))
        filling = Filling(
            self.network, self.labels, plan, mask, generator, creativity, required, without_rests
        )
        if len(self.profiles):
            filling.draw_profile(self.profiles)
        return filling.plan()


def _checked_settings(path: str, settings: Any) -> tuple[SketchConfig, tuple[str, ...]]:
    """Read the sizes and labels in model.json. Raises ModelError."""
    labels = settings.get("labels") if isinstance(settings, dict) else None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ModelError(f"{path!r} has sketch.labels {labels!r:.40}: must be a list of texts")
    for name, most in MAX_SIZES.items():
        value = settings.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise ModelError(f"{path!r} has sketch.{name} {value!r:.40}: must be 1-{most}")
    sizes = {name: settings[name] for name in MAX_SIZES}
    profiles = settings.get("profiles", 0)
    if not isinstance(profiles, int) or isinstance(profiles, bool) or not 0 <= profiles <= MAX_PROFILES:
        raise ModelError(f"{path!r} has sketch.profiles {profiles!r:.40}: must be 0-{MAX_PROFILES}")
    config = SketchConfig(len(labels), **sizes, profiles=profiles)
    if config.width % config.heads or config.part_width % config.heads:
        raise ModelError(f"{path!r} has sketch.heads {config.heads}: must divide the widths")
    return config, tuple(labels)
