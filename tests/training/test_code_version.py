"""The version of a representation changes with its code and settings, not with words about them."""

from __future__ import annotations

import pytest

from ritornello.representations.chorale import Chorale
from ritornello.representations.notes import Notes
from ritornello.training.code_version import _code, version_name


class Moved(Notes):
    """Notes with a setting."""

    def __init__(self, by: object) -> None:
        self.by = by


def test_comments_and_docstrings_do_not_count() -> None:
    plain = _code(b"def f(x):\n    return x + 1\n")
    assert _code(b"'''A module.'''\ndef f(x):  # one more\n    '''Add.'''\n\n    return x + 1") == plain
    assert _code(b"def f(x):\n    return x + 2\n") != plain


def test_each_representation_and_setting_has_its_own() -> None:
    names = [version_name(each) for each in (Notes(), Chorale(), Moved(1), Moved(2))]
    assert len(set(names)) == 4
    assert version_name(Moved(1)) == names[2]
    assert names[1].startswith("chorale-")


def test_settings_that_cannot_be_compared_have_none() -> None:
    with pytest.raises(TypeError):
        version_name(Moved(object()))
