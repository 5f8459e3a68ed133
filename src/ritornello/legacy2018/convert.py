"""Convert the network of 2018 to Keras and back (`ritornello convert`)."""

from pathlib import Path
from typing import Any

from ritornello.errors import InputError
from ritornello.models import model as folder
from ritornello.models.model import Model
from ritornello.system.extras import require_extra


def convert(source: str | Path, target: str | Path, *, like: str | Path | None = None) -> dict[str, Any]:
    """Convert a model folder of the network `original` to a .keras file, or a .keras file to a model folder.

    From Keras, everything except the weights is copied from the model folder `like`. Raises InputError,
    ModelError.
    """
    require_extra("keras", "keras", "torch")
    from ritornello.legacy2018.keras_file import from_keras, to_keras

    ends = [Path(path).suffix == ".keras" for path in (source, target)]
    if ends == [False, True]:
        opened = Model.open(source)
        to_keras(opened.weights, target, window=opened.info["network"]["config"]["window"])
    elif ends == [True, False]:
        if like is None:
            raise InputError("a .keras file has only weights: --like MODEL must give a folder with the rest")
        like_model = Model.open(like)
        weights, sizes = from_keras(source)
        network = {**like_model.info["network"], "config": {**like_model.info["network"]["config"], **sizes}}
        info = {**like_model.info, "network": network, "converted_from": Path(source).name, "measured": {}}
        folder.write(Path(target), info, weights, like_model.tables, f"Weights from {Path(source).name}.\n")
        opened = Model.open(target)
    else:
        raise InputError(f"{str(source)!r} and {str(target)!r}: exactly one must end in .keras")
    return {"file": str(target), "parameters": int(sum(a.size for a in opened.weights.values()))}
