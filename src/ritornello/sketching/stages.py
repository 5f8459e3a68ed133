"""The stages in which the variables of a sketch are sampled, and the temperatures at which they are drawn.

Some things occur in few bars: a return, a motif that comes back, the end of a phrase, many notes, a chord
outside the scale. Each of them is unlikely in any one bar. At a low temperature, without the least likely
classes, or if the surest variables are drawn first, a sketch would hardly have any of them. So these
variables are drawn at temperatures near 1, in random order, and few at once, because those that are drawn at
once do not depend on each other. But chords with which phrases
close, and those of the last bar, are drawn at a low temperature, so that songs end well, and chords in which
another key than the plan's is heard are drawn anew.
"""

from __future__ import annotations

from typing import NamedTuple

from ritornello.sketching.variables import CLOSINGS

# Between these creativities temperatures and the cut (the share of the least likely classes, never drawn) are
# interpolated. TEMPERATURES are those at 0.5
CREATIVITIES, CUTS, LOWEST, HIGHEST = (0.0, 0.5, 1.0), (0.08, 0.03, 0.0), 0.1, 1.3
TEMPERATURES = {
    "origin": 1.0, "similarity": 1.0, "cadence": 1.0, "motif": 1.0, "notes": 0.9, "chord": 0.95,
    "pitch": 1.0, "closing_onset": 1.0,
}  # fmt: skip
OTHER_TEMPERATURE = 0.75  # of presences, closing pitches, and chords with which a phrase closes
LAST_BAR_TEMPERATURE = 0.45  # of chords; when it was chosen, 69% of chorales ended on the tonic, else 64%
KEY_TRIES = 4  # of six labels, 93% of songs have the plan's key at the first try, all at the fourth
MAX_ENTROPY = 1.0  # nats, of the variables that are drawn at once, without the largest


class Stage(NamedTuple):
    """The kinds of variables that are sampled together, and the largest number of passes of the network."""

    kinds: tuple[str, ...]
    passes: int
    is_careful: bool = False
    """Whether those of the lowest entropy are drawn first, and the least likely classes never."""


STAGES = (
    Stage(("presence",), 4, is_careful=True),
    Stage(("origin", "similarity"), 96),
    Stage(("cadence",), 64),
    Stage(("chord",), 64),
    Stage(CLOSINGS, 8),
    Stage(("motif",), 8),
    Stage(("notes", "pitch"), 60),
)
SIMILAR = 2  # bars with at least this similarity to their origin have its chords
SAME = 3  # bars with this similarity also have its textures and motif
