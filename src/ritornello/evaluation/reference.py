"""Reference nats: what predicting a song costs on one fine grid, so that tables of any bins compare.

A table says of a note in which bins it lies; the nats that a model pays for it say no more than that. So the
reference adds what is left to say, as if all values within a bin were equally likely:

    reference = the nats paid for everything
              + the log of the width of its bin, for each note kept and each property
              + LOST for each note of the source that the table does not hold

    property   values that count as different
    shift      384   onsets, in ticks of 1/24 beat from the one before
    part       513   128 programs of 4 instances, and drums
    pitch      128
    duration   384   ticks of 1/24 beat; what lasts longer counts as 384, and the last bin is as wide as that
    velocity   128

A width is the number of those values in the bin. A uniform predictor then pays the same whatever its bins
are, and a coarser table gains nothing; nor does one that leaves out notes, which cost as much as notes of
which nothing is known, or a property, which is then one bin of all its values.

Onsets on other grids. On a coarser one every note is charged the width of its cell, also where it begins with
the note before: the cell does not say that they are together. A width need not be whole (1.5 ticks at 16
cells a beat). On a grid finer than 1/24 beat a cell counts as one tick: the tick is at least as likely as the
cell in it, so this never flatters, and is exact where no other cell of the tick has a chance. Who can add up
the chances of a tick's cells may hand in the nats of the tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, prod

import numpy as np
import numpy.typing as npt

VALUES = {"shift": 384, "part": 513, "pitch": 128, "duration": 384, "velocity": 128}
LOST = log(prod(VALUES.values()))  # nats for a note of which nothing is known, 27.85


def reference(
    nats: npt.ArrayLike, widths: Mapping[str, npt.ArrayLike], *, kept: int, source_notes: int
) -> float:
    """The reference nats of a song (or of many together); divide by `source_notes` for nats per note.

    `nats` is all that was paid, of any shape: notes, and whatever else the table or token list has (waits,
    bar lines, the end). `kept` of the `source_notes` notes are held by it. `widths` gives, by the properties
    of VALUES, the width (kept,) of each such note's bin, or one number for all of them; a property that is
    not named is charged in full. Where a property is one and the same in all songs (a corpus of pianos), and
    no model need say it, its width is 1.

    Raises ValueError for an unknown property, a width out of range, or more notes kept than there were.
    """
    if not 0 <= kept <= source_notes:
        raise ValueError(f"{kept} notes kept, must be 0-{source_notes}")
    if unknown := set(widths) - set(VALUES):
        raise ValueError(f"property {min(unknown)!r}, must be one of {', '.join(VALUES)}")
    total = float(np.sum(nats, dtype=np.float64)) + (source_notes - kept) * LOST
    for name, values in VALUES.items():
        width = np.broadcast_to(np.asarray(widths.get(name, values), np.float64), (kept,))
        if not ((width > 0) & (width <= values)).all():
            raise ValueError(f"a width of {name} of {width.min():g} to {width.max():g}, must be 0-{values}")
        total += float(np.log(np.maximum(width, 1)).sum())
    return total
