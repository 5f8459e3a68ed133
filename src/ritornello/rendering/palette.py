"""The colours of all pictures, on a dark background; colour-blind readers can tell the parts apart.

The seven hues are those of Okabe and Ito, "Color Universal Design" (2002, revised 2008). Their eighth colour,
black, is replaced by a light grey, which is the colour of drums.
"""

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

BACKGROUND = "#0F1216"  # of the page
LANE = "#161A20"  # background of the notes
BLACK_KEY = "#12151A"  # background of the notes of black keys
BEAT_LINE = "#222831"
OCTAVE_LINE = "#2A313B"
BAR_LINE = "#4A5361"
FAINT_TEXT = "#8B95A3"  # small text
TEXT = "#E8EAED"

MIN_OPACITY = 0.45  # of velocity 1; 127 is opaque


def part_colour(index: int) -> str:
    """The colour of the pitched part number `index` (from 0) of a song.

    Seven hues are followed by their seven tints; from the 15th part on, colours repeat.

    >>> part_colour(0), part_colour(7)
    ('#56B4E9', '#A2D6F3')
    """
    hue = list(HUES.values())[index % len(HUES)]
    return blend("#FFFFFF", hue, 0.45) if index // len(HUES) % 2 else hue


def opacity(velocity: int) -> float:
    """The opacity of a note of `velocity` (1-127): from MIN_OPACITY to 1, linear."""
    return MIN_OPACITY + (1 - MIN_OPACITY) * (velocity - 1) / 126


def blend(over: str, under: str, opacity: float) -> str:
    """The colour that results from drawing `over` on `under` with `opacity` (0-1)."""
    pairs = zip(rgb(over), rgb(under), strict=True)
    return "#" + "".join(f"{round(a * opacity + b * (1 - opacity)):02X}" for a, b in pairs)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0-255) of a colour "#RRGGBB"."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue
