"""The colours have enough contrast, and colour-blind readers can tell them apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from ritornello.rendering import palette
from ritornello.rendering.palette import HUES, LANE, MIN_OPACITY, blend, opacity, part_colour, rgb

# Linear RGB as it is seen without one of the three sorts of cones: Machado, Oliveira, Fernandes, "A
# physiologically-based model for simulation of color vision deficiency" (2009), table 1, severity 1.0.
SIGHT = {
    "usual": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Linear sRGB to XYZ (IEC 61966-2-1), and its white.
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, sight: str) -> np.ndarray:
    """CIELAB coordinates of a colour, as seen with a kind of colour vision."""
    value = np.array(rgb(colour)) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.array(SIGHT[sight]) @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_hues_are_those_of_okabe_and_ito() -> None:
    # red, green, blue as printed in "Color Universal Design" (2008 revision)
    published = {
        "sky blue": (86, 180, 233),
        "orange": (230, 159, 0),
        "bluish green": (0, 158, 115),
        "reddish purple": (204, 121, 167),
        "yellow": (240, 228, 66),
        "vermillion": (213, 94, 0),
        "blue": (0, 114, 178),
    }
    assert {name: rgb(colour) for name, colour in HUES.items()} == published


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_are_told_apart_by_everybody(sight: str) -> None:
    distances = {
        pair: np.linalg.norm(lab(HUES[pair[0]], sight) - lab(HUES[pair[1]], sight))
        for pair in combinations(HUES, 2)
    }
    # 2.3 is the least difference that is noticed (CIE 1976); small areas need several times that
    assert min(distances.values()) > 11, min(distances.items(), key=lambda item: item[1])
    first_four = [d for pair, d in distances.items() if set(pair) <= set(list(HUES)[:4])]
    assert min(first_four) > 15


def test_colours_stand_out_from_the_ground() -> None:
    every = [part_colour(place) for place in range(14)] + [palette.DRUM_COLOUR]
    assert min(contrast(colour, LANE) for colour in every) >= 3.0  # WCAG 2.2, 1.4.11: graphical objects
    assert (
        min(contrast(blend(colour, LANE, MIN_OPACITY), LANE) for colour in every) >= 1.6
    )  # the softest note
    assert contrast(palette.FAINT_TEXT, palette.BACKGROUND) >= 4.5  # WCAG 2.2, 1.4.3: text
    assert contrast(palette.TEXT, palette.BACKGROUND) >= 7


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1


def test_opacity_rises_with_velocity() -> None:
    assert opacity(1) == MIN_OPACITY and opacity(127) == 1
    assert opacity(64) == pytest.approx((1 + MIN_OPACITY) / 2)  # 64 is half-way from 1 to 127


def test_blend() -> None:
    assert blend("#FF0000", "#0000FF", 0.25) == "#4000BF"  # 255/4 = 64, 255*3/4 = 191
    assert blend("#123456", "#000000", 1) == "#123456"


def test_parts_beyond_the_hues_get_tints_then_repeat() -> None:
    assert len({part_colour(place) for place in range(14)}) == 14
    assert part_colour(14) == part_colour(0)
