"""Reference nats: the negative log-likelihood of songs on one fine grid, to compare representations.

A representation puts the properties of a note into bins, and the nats of a model are for bins only. The
reference adds nats for the exact value, as if all values within a bin were equally probable:

    reference = the nats of the model for all rows
              + for each note and each property: the logarithm of the width of its bin
              + LOST_NOTE_NATS for each note of the source that the representation does not hold

VALUES has the number of values that count as different: onsets in ticks of 1/24 beat from the onset before,
parts (128 programs of 4 instances, and drums), pitches, durations in ticks (longer ones count as the longest,
whose bin has their width) and velocities. The width of a bin is the number of these values in it. So a
uniform prediction has the same reference nats whatever its bins. A representation gains nothing by coarse
bins, nor by leaving out notes, which cost as much as unknown notes, nor by leaving out a property, which then
counts as a single bin.

Onsets on other grids: on a coarser grid each note has the width of its cell, also if it begins with the note
before, because the cell does not say so. A width need not be an integer (1.5 ticks at 16 cells per beat). On
a finer grid a cell counts as one tick. The tick is at least as likely as the cell, so the reference is never
too low, and it is exact if no other cell of the tick has a probability. A caller that can add up the
probabilities of a tick's cells may pass the nats of the tick instead.
"""

from collections.abc import Mapping
from math import log, prod

import numpy as np
import numpy.typing as npt

VALUES = {"shift": 384, "part": 513, "pitch": 128, "duration": 384, "velocity": 128}
LOST_NOTE_NATS = log(prod(VALUES.values()))  # 27.85, the nats of a note of which nothing is known


def reference(
    nats: npt.ArrayLike, widths: Mapping[str, npt.ArrayLike], *, kept: int, source_notes: int
) -> float:
    """Return the reference nats of a song, or of several; divide by `source_notes` for nats per note.

    `nats`, of any shape, are the nats of the model for all rows, which include waits and the end. `kept` of
    the `source_notes` notes are in the representation. `widths` has for properties of VALUES the width
    (kept,) of each note's bin, or one number for all notes. A property that is not in it counts as one bin; a
    property that is the same in all songs has the width 1.

    Raises ValueError for an unknown property, a width out of range, or more notes kept than there are.
    """
    if not 0 <= kept <= source_notes:
        raise ValueError(f"{kept} notes kept: must be 0-{source_notes}")
    if unknown := set(widths) - set(VALUES):
        raise ValueError(f"property {min(unknown)!r}: must be one of {', '.join(VALUES)}")
    total = float(np.sum(nats, dtype=np.float64)) + (source_notes - kept) * LOST_NOTE_NATS
    for name, values in VALUES.items():
        width = np.broadcast_to(np.asarray(widths.get(name, values), np.float64), (kept,))
        if not ((width > 0) & (width <= values)).all():
            raise ValueError(f"widths of {name} from {width.min():g} to {width.max():g}: must be 0-{values}")
        total += float(np.log(np.maximum(width, 1)).sum())
    return total
