"""The loss of the sketch network in torch: the cross-entropy of each kind of variable."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, dropout, one_hot

from ritornello.sketching.forward import Network, Operations
from ritornello.sketching.variables import CLOSINGS
from ritornello.training.sketch_batches import IGNORED, SketchBatch

FORBIDDEN = -1e9  # the logit of a bar that cannot be returned to


def losses(network: Network, batch: SketchBatch) -> dict[str, Tensor]:
    """Return the mean cross-entropy, a scalar in nats, of each kind of variable in the targets."""
    x = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch.inputs.items()}
    x |= network.biases(x)
    part, part_bars = network.read_parts(x)
    bars = network.read_bars(x, part_bars)
    written = network.write_parts(x, part, part_bars, bars)
    logits: dict[str, Tensor] = {
        "similarity": network.bar_logits("similarity", bars),
        "cadence": network.bar_logits("cadence", bars),
        "presence": network.presence_logits(x, written),
        "notes": network.part_logits("notes", x, written),
        "pitch": network.part_logits("pitch", x, written),
    }
    logits |= {name: network.bar_logits(name, bars) for name in CLOSINGS}
    for name in ("origin", "motif"):
        nothing, scores = network.pointer_logits(name, x, bars)
        logits[name] = torch.cat([nothing, scores.masked_fill(~x["allowed"], FORBIDDEN)], dim=-1)
    losses_of_kinds = {}
    for name, target in batch.targets.items():
        at = np.nonzero(target != IGNORED)
        if not len(at[0]):
            continue
        if name == "chord":
            chosen = network.chord_logits(x, bars, tuple(map(torch.from_numpy, at)))
        else:
            chosen = logits[name][at]
        losses_of_kinds[name] = cross_entropy(chosen, torch.from_numpy(target[at]))
    return losses_of_kinds


def torch_operations(share: float) -> Operations:
    """Return the operations of torch; in training a `share` of the numbers is dropped."""
    return Operations(
        lambda x: torch.softmax(x, -1),
        lambda x, index: torch.gather(x, -1, index.expand(*x.shape[:-2], *index.shape[-2:])),
        (lambda x: dropout(x, share)) if share else (lambda x: x),
        lambda indices, classes: one_hot(indices, classes + 1)[..., :-1].float(),
    )
