"""Read forms that users write: sections by name, which repeat earlier sections of their name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ritornello.errors import PlanError
from ritornello.music.plan import MAX_BARS


def parse_form(text: str) -> tuple[tuple[int, int], ...]:
    """Return the `returns` of a plan for a form such as "A8 A8 B8 A8~": sections by name with their bars.

    See `returns_of_sections`. Raises PlanError if a section cannot be read.
    """
    return tuple(returns_of_sections(parse_sections(text)))


def parse_sections(text: str) -> list[tuple[str, int]]:
    """Return the names and the numbers of bars of the sections in a form. Raises PlanError."""
    sections = []
    for section in text.split():
        match = re.fullmatch(r"([^\W\d]+'*)(\d+)(~?)", section)
        if not match or not 1 <= int(match[2]) <= MAX_BARS:
            letters = re.fullmatch(r"[A-Za-z]{2,16}", text.strip())  # such as AABA
            example = " ".join(f"{name}8" for name in text.strip()) if letters else "A8 or A8~"
            raise PlanError(f"section {section!r}: must be a name and 1-{MAX_BARS} bars, such as {example}")
        sections.append((match[1] + match[3], int(match[2])))
    if not sections:
        raise PlanError("the form is empty: must be sections, such as 'A8 A8 B8 A8~'")
    if (bars := sum(count for _, count in sections)) > MAX_BARS:
        raise PlanError(f"form of {bars} bars: must be at most {MAX_BARS}")
    return sections


def returns_of_sections(sections: Iterable[tuple[str, int]]) -> list[tuple[int, int]]:
    """Return what each bar of sections (a name and a number of bars) repeats: the bar and the similarity.

    The first section of a name repeats nothing (-1, 0). Each later one repeats the latest of its name bar by
    bar: closely (3), or, with `~` after the name, in some of its notes (1). A' repeats some notes of A, or
    all notes of an earlier A'.
    """
    returns: list[tuple[int, int]] = []
    latest: dict[str, range] = {}
    for section, count in sections:
        letter, is_varied = letter_of(section, latest)
        repeated = latest.get(letter, range(0))
        similarity = 1 if is_varied else 3
        start = len(returns)
        returns += [(repeated[bar], similarity) if bar < len(repeated) else (-1, 0) for bar in range(count)]
        latest[section.removesuffix("~")] = range(start, start + count)
    return returns


def letter_of(section: str, earlier: Collection[str]) -> tuple[str, bool]:
    """Return the name of the section that a section repeats, and whether it varies that one.

    `earlier` has the names of the sections before. A~ varies A, and so does A' if A is among them and A' not.
    """
    name = section.removesuffix("~")
    letter = name.rstrip("'")
    if letter != name and name not in earlier and letter in earlier:
        return letter, True
    return name, name != section
