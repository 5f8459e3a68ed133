"""What is seen without a walk: never too few changes, nothing that misleads or wraps missed."""

import pytest

from ritornello.midi.track_scan import scan_tracks
from tests.scores import from_hex

NOTE = "00 90 3C 40  # note on"


@pytest.mark.parametrize(
    ("events", "changes", "misleads", "wraps"),
    [
        (NOTE, 0, False, False),
        ("00 FF 51 03 07 A1 20  # tempo", 1, False, False),
        ("00 FF 51 02 07 A1  # a tempo that is too short", 1, True, False),
        ("00 FF 58 04 04 1F 18 08  # meter over 2**31", 1, False, False),
        ("00 FF 58 04 04 20 18 08  # meter over 2**32", 1, False, True),
        ("00 F0 03 7E 7F F7  # system exclusive, after which 00 90 begins anew", 0, False, False),
        ("00 F7 02 90 3C  # an escape", 0, True, False),
        ("FF FF FF FF 7F 90 3C 40  # a time of five bytes", 0, True, False),
        ("FF FF FF 7F FF 01 00 " * 8 + "# 8 times 2**28 - 1 ticks", 0, False, True),
    ],
)
def test_what_is_seen(events: str, changes: int, misleads: bool, wraps: bool) -> None:
    seen = scan_tracks(from_hex(events, NOTE))
    assert (seen.may_mislead, seen.may_wrap) == (misleads, wraps)
    assert seen.max_changes == changes
