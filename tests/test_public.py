"""The public list: lazy, complete, typed."""

from __future__ import annotations

import pytest

import ritornello


def test_every_public_name_is_there() -> None:
    for name in ritornello.__all__:
        assert getattr(ritornello, name) is not None
    assert dir(ritornello) == sorted(ritornello.__all__)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'compos'"):
        ritornello.compos  # noqa: B018
