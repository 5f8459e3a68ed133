"""A trained network as a folder of plain data, which is opened without torch.

    model.json            representation, network and its settings, data, versions, hashes, measurements
    weights.safetensors   the network's weights
    tables.safetensors    arrays that composing needs besides the weights
    sketch.safetensors    the sketch network's weights, if the model has one (`ritornello.sketching`)
    plans.json            plans of training songs, from which `compose` draws what a user leaves open
    card.md               a description for people
    log.jsonl checkpoint/ while training

A model folder of unknown origin is data: names, sizes and shapes are checked, and nothing in it is run. A
model that was trained with a class in a user's own file (`my_net.py:MyNet`) works only if the user names
that file again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.errors import ModelError
from ritornello.models import registry
from ritornello.models.model_folder import Arrays, read_arrays, read_info, read_plans
from ritornello.models.model_folder import write as write
from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.plan import Plan
from ritornello.representations.table import fields_read
from ritornello.system.extras import require_extra
from ritornello.system.files import file_path, sha256


@dataclass(frozen=True)
class Model:
    """A model folder, read and checked. `info` is model.json, `plans` are those of training songs."""

    path: Path
    info: dict[str, Any]
    weights: Arrays
    tables: Arrays
    plans: tuple[Plan, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)
    """The user's own code by kind, such as {"networks": "my_net.py:MyNet"}."""
    sketch: Arrays | None = None
    """The weights of the sketch network; its settings are info["sketch"]."""

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        network: str | None = None,
        representation: str | None = None,
        loss: str | None = None,
    ) -> Model:
        """Read a model folder, a packed model, or hub:USER/MODEL, which huggingface_hub fetches.

        A model that was trained with a class in a user's file needs that file: `network` and
        `representation` are FILE.py:CLASS. (`loss` is only compared: nothing but training calls a loss.) A
        file that has changed since training is used, and a warning is logged. Raises ModelError that names
        the file and what is wrong with it, InputError for a FILE.py that does not exist.
        """
        file_path(path, "model")
        if str(path).startswith("hub:") or Path(path).is_file():
            from ritornello.models.packing import local_folder

            path = local_folder(path)
        path = Path(path)
        info = read_info(path)
        named = {"networks": network, "representations": representation, "losses": loss}
        code = {kind: name for kind, name in named.items() if name is not None}
        for kind, name in code.items():
            _check_code(path, info, kind, name)
        weights, tables = (read_arrays(path, info, name) for name in ("weights", "tables"))
        sketch = read_arrays(path, info, "sketch") if "sketch" in info["files"] else None
        return cls(path, info, weights, tables, read_plans(path, info), code, sketch)

    @property
    def hash(self) -> str:
        """SHA-256 of model.json, which holds the hashes of the arrays: it identifies the whole model."""
        return sha256(json.dumps(self.info, sort_keys=True).encode())

    @property
    def network(self) -> str:
        """The network's name."""
        return str(self.info["network"]["name"])

    @property
    def representation(self) -> Any:
        """The representation that the model was trained on. Raises ModelError, InputError."""
        return registry.find("representations", self._runnable("representations"))()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the network knows, in the order of its plan vector."""
        return tuple(self.info.get("labels", ()))

    @property
    def all_labels(self) -> tuple[str, ...]:
        """The labels by which a song can be requested: the network's, then others that stored plans have.

        After `learn` has kept the start model, its network does not know the labels of the user's songs, but
        their plans give such a song its meter, tempo, parts and form.
        """
        others = (label for plan in self.plans for label, _ in plan.genres)
        return tuple(dict.fromkeys((*self.labels, *others)))

    @property
    def temperature(self) -> float:
        """The factor of the temperatures with which songs are sampled; `learn` chooses it."""
        return float(self.info.get("temperature", 1.0))

    @property
    def has_key_frame(self) -> bool:
        """Whether its songs are in C major or A minor and are moved to their own key (`music.key_frame`)."""
        return self.info.get("key_frame") is True

    @property
    def plan_encoder(self) -> PlanEncoder:
        """The encoder of plans as vectors for this network."""
        return PlanEncoder(self.labels)

    @property
    def code_options(self) -> dict[str, str]:
        """The options of `Model.open` that this model needs: `network` and `representation` of user files."""
        kinds = {kind: registry.SINGULAR[kind] for kind in self.code if kind != "losses"}
        return {option: self.code[kind] for kind, option in kinds.items()}

    def network_in_torch(self) -> Any:
        """Return the network with its weights, in evaluation mode.

        Raises ModelError if the weights do not fit it, InputError.
        """
        import torch

        kind = registry.find("networks", self._runnable("networks"))
        network = kind(self.info["network"]["config"])
        weights = {name: torch.from_numpy(array.astype(np.float32)) for name, array in self.weights.items()}
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            problem = str(error).splitlines()[-1].strip()
            raise ModelError(f"{str(self.path)!r}: the weights do not fit the network: {problem}") from error
        return network.eval()

    def step(self) -> Any:
        """Return the network for one row at a time, before `start`; all steps of a model share the weights.

        It is the network's numpy step, or else the network in torch. A network of an older version may not
        read some known fields of the representation. Raises ModelError if the weights do not fit it, or if it
        reads fields that the representation does not have; InputError.
        """
        return copy(self._step)

    @cached_property
    def _step(self) -> Any:
        kind = registry.find_step(self._runnable("networks"))
        if kind is None:
            require_extra("train", "torch")
            from ritornello.models.torch_step import TorchStep

            network = self.network_in_torch()
            return TorchStep(network, fields_read(network, self.representation.fields))
        step = kind(self.weights, self.info["network"]["config"])
        if hasattr(step, "fields"):  # a network of reals has none
            _check_fields(step.fields, self.representation.fields)
        return step

    def _runnable(self, kind: str) -> str:
        """Return the name of the model's code in the registry, if it may be run. Raises ModelError."""
        recorded = self.info[registry.SINGULAR[kind]]["name"]
        if kind in self.code:
            return self.code[kind]
        if recorded in registry.BUILT_IN[kind]:  # listing what packages add takes milliseconds
            return str(recorded)
        option = registry.SINGULAR[kind]
        if registry.is_file(recorded):
            raise ModelError(
                f"{str(self.path)!r} was trained with the {option} {recorded!r}, and a model folder runs no "
                f"code: add --{option} FILE.py:CLASS (in Python {option}=...) to name that file"
            )
        known = registry.names(kind) + (registry.names("steps") if kind == "networks" else [])
        if recorded not in known:
            raise ModelError(
                f"{str(self.path)!r} has the {option} {recorded!r}: must be one of "
                f"{', '.join(registry.names(kind))}"
            )
        return str(recorded)


def _check_code(path: Path, info: dict[str, Any], kind: str, name: str) -> None:
    """Compare a user's code with what model.json records; log a warning if the file has changed.

    Raises ModelError if the model was trained without code of a user, InputError.
    """
    option = registry.SINGULAR[kind]
    section = info.get("training", {}) if kind == "losses" else info
    recorded = section.get(option, {}) if isinstance(section, dict) else {}
    recorded = recorded if isinstance(recorded, dict) else {}
    given = registry.identity(name)
    if registry.is_file(str(recorded.get("name"))):
        if recorded.get("sha256") != given.get("sha256"):
            import logging

            logging.getLogger(__name__).warning(
                "warning: %s is not the file with which %r was trained: its SHA-256 differs", name, str(path)
            )
    elif recorded.get("name") != name:
        used = f"the {option} {recorded['name']!r}" if "name" in recorded else f"its network's own {option}"
        raise ModelError(f"{str(path)!r} was trained with {used}, not {name!r}: leave out --{option}")


def _check_fields(read: Sequence[Any], fields: Sequence[Any]) -> None:
    """Raise ModelError unless the fields that a network reads are `fields`; units may differ.

    The network need not read all known fields.
    """
    names = {field.name for field in read}
    expected = [field for field in fields if field.kind != "known" or field.name in names]
    for number, pair in enumerate(zip_longest(read, expected)):
        actual, right = (
            "missing" if f is None else f"{f.name!r:.40} ({f.kind} of {f.size}, guesses {f.guesses})"
            for f in pair
        )
        if actual != right:
            raise ModelError(f"network.config.fields[{number}] is {actual}: must be {right}")
