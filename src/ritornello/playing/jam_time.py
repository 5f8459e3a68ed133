"""The options of a jam that concern time."""

import math
from dataclasses import dataclass

from ritornello.errors import InputError, check_between

MAX_BARS_OF_A_TURN = 16


@dataclass(frozen=True)
class JamTime:
    """The options of a jam that concern time. Raises InputError for wrong or contradicting values."""

    tempo: float | None = None
    """Beats per minute; None: the tempo of the MIDI clock, or one that is estimated from the phrases."""
    meter: tuple[int, int] = (4, 4)
    bars: int | None = None
    """The bars of a turn; None: a turn ends when the musician is silent."""
    clock_in: bool = False
    clock_out: bool = False
    metronome: bool = False

    def __post_init__(self) -> None:
        check_between("tempo", self.tempo, 20, 400)
        check_between("bars", self.bars, 1, MAX_BARS_OF_A_TURN)
        if self.tempo is not None and self.clock_in:
            raise InputError(f"tempo {self.tempo:g}: leave it out, because the MIDI clock sets the tempo")
        if (self.clock_out or self.metronome) and self.tempo is None and not self.clock_in:
            what = "clock-out" if self.clock_out else "metronome"
            raise InputError(f"{what} needs a tempo: give --tempo, or --clock-in")


def parse_meter(text: str) -> tuple[int, int]:
    """The numbers of a meter such as 3/4. Raises InputError."""
    numerator, _, denominator = text.partition("/")
    if numerator.isdecimal() and denominator in ("2", "4", "8", "16"):
        beats = 4 * int(numerator) / int(denominator)
        if 1 <= beats <= 12 and math.isclose(beats * 24, round(beats * 24)):
            return int(numerator), int(denominator)
    raise InputError(f"meter {text!r}: must be one such as 4/4, 3/4 or 6/8")
