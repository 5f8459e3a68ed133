"""The colours of all pictures: parts that colour-blind people can tell apart, on a dark ground.

The seven hues are those of Okabe and Ito, "Color Universal Design" (2002, revised 2008); their black becomes
a light grey here, because the ground is dark, and is kept for drums.
"""

from __future__ import annotations

HUES = {
    "sky blue": "#56B4E9",
    "orange": "#E69F00",
    "bluish green": "#009E73",
    "reddish purple": "#CC79A7",
    "yellow": "#F0E442",
    "vermillion": "#D55E00",
    "blue": "#0072B2",
}
DRUM_COLOUR = "#D5D9E0"

GROUND = "#0F1216"  # the page
LANE = "#161A20"  # behind the notes
BLACK_KEY = "#12151A"  # behind the notes of black keys
BEAT = "#222831"
OCTAVE = "#2A313B"
BAR = "#4A5361"
FAINT = "#8B95A3"  # small text
TEXT = "#E8EAED"

SOFTEST = 0.45  # the opacity of velocity 1; 127 is opaque


def part_colour(place: int) -> str:
    """The colour of the pitched part at `place` (from 0) in a song.

    After the seven hues come their tints, then both again: more than fourteen parts share colours.

    >>> part_colour(0), part_colour(7)
    ('#56B4E9', '#A2D6F3')
    """
    hue = list(HUES.values())[place % len(HUES)]
    return blend("#FFFFFF", hue, 0.45) if place // len(HUES) % 2 else hue


def opacity(velocity: int) -> float:
    """How opaque a note of `velocity` (1-127) is drawn: from SOFTEST to 1, in a straight line."""
    return SOFTEST + (1 - SOFTEST) * (velocity - 1) / 126


def blend(over: str, under: str, opacity: float) -> str:
    """The colour seen where `over` is laid on `under` with `opacity` (0-1)."""
    pairs = zip(channels(over), channels(under), strict=True)
    return "#" + "".join(f"{round(a * opacity + b * (1 - opacity)):02X}" for a, b in pairs)


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0-255) of a colour written #RRGGBB."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
