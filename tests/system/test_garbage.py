"""The garbage collector pauses in a block, and goes on after it as before."""

from __future__ import annotations

import gc

import pytest

from ritornello.system.garbage import garbage_collector_paused


def test_it_goes_on_after_the_block_also_after_an_error() -> None:
    with garbage_collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError), garbage_collector_paused():
        raise ValueError
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        with garbage_collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
