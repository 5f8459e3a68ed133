"""Forms that users write."""

from __future__ import annotations

import pytest

from ritornello.errors import PlanError
from ritornello.music.form import parse_form


def test_form_in_sections() -> None:
    # bar by bar to the latest namesake; the third A is longer than the second, whose bars it returns to
    assert parse_form("A2 B1 A2~ A3") == (
        (-1, 0), (-1, 0), (-1, 0), (0, 1), (1, 1), (3, 3), (4, 3), (-1, 0),
    )  # fmt: skip


@pytest.mark.parametrize("form", ["", "A", "A0", "8A", "A8 B", "A8~~", "A1001"])
def test_an_invalid_form(form: str) -> None:
    with pytest.raises(PlanError, match="must be"):
        parse_form(form)


def test_an_apostrophe_varies_a_section() -> None:
    # A' repeats some of A, the next A' all of the first A', and B' some of B
    assert parse_form("A2 B1 A'2 A'2 B'1") == (*parse_form("A2 B1 A2~"), (3, 3), (4, 3), (2, 1))
    assert parse_form("A'2 A2") == ((-1, 0),) * 4  # no A comes before A'
