"""The key frame: which shift moves a key to C major or A minor."""

import pytest

from ritornello.music.key_frame import frame_shift, shift_within
from ritornello.music.theory import key_tonic, transposed_key


@pytest.mark.parametrize("is_minor", [False, True])
@pytest.mark.parametrize("sharps", range(-7, 8))
def test_each_key_is_moved_to_c_major_or_a_minor(sharps: int, is_minor: bool) -> None:
    shift = frame_shift((sharps, is_minor))
    assert -5 <= shift <= 6
    assert (key_tonic(sharps, is_minor) + shift) % 12 == (9 if is_minor else 0)
    assert transposed_key((sharps, is_minor), shift) == (0, is_minor)


def test_drums_have_no_key() -> None:
    assert frame_shift(None) == 0


def test_a_shift_out_of_range_moves_by_octaves() -> None:
    assert shift_within(-5, -4, 12) == 7
    assert shift_within(6, -6, 3) == -6
    assert shift_within(6, -3, 3) == 0  # the song spans too many pitches
