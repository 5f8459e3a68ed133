"""The profile of a song, worked out by hand, and how profiles are drawn, joined and told to the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ritornello.music.plan import GRID
from ritornello.sketching.profile import (
    GROUP_OF,
    GROUPS,
    NUMBERS,
    PROFILE_INPUTS,
    Profiles,
    known_groups,
    no_profile,
    plan_numbers,
    profile_inputs,
    profile_of,
)
from ritornello.sketching.variables import OPEN, Variables
from tests.sketching.sketchers import LABELS, OPEN_PLAN, WHOLE_PLAN, random_sketcher


def variables(plan=WHOLE_PLAN, open_bars=None) -> Variables:
    return Variables.of(plan, plan.timeline(GRID), open_bars)


def numbers(**changes: object) -> dict[str, float]:
    profile = profile_of(replace(variables(), **changes))  # type: ignore[arg-type]
    return dict(zip(NUMBERS, profile.tolist(), strict=True))


def test_the_form() -> None:
    found = numbers()
    assert found["returns"] == pytest.approx(3 / 8)  # the bars 4, 5 and 6
    assert found["returns that go on"] == 1  # 5 after 4, and 6 after 5
    assert found["returns of whole bars"] == pytest.approx(2 / 3)  # not bar 6
    # phrases end in the bars 3 and 7: one length between two ends; none of the two is closed but the end
    assert found["phrases of the commonest length"] == 1
    assert found["closed phrase ends"] == 0
    assert found["new bars with an earlier motif"] == pytest.approx(1 / 5)  # bar 1 of 0, 1, 2, 3 and 7


def test_the_chords() -> None:
    found = numbers()
    # D for one bar, A7 for six and D for one; in D major all tones are of the scale
    assert found["chord changes"] == pytest.approx(2 / 31)
    assert found["different chords"] == pytest.approx(np.log2(2) / 6)
    assert found["commonest chord"] == pytest.approx(24 / 32)
    assert found["chords outside the scale"] == 0


def test_a_chord_outside_the_scale() -> None:
    plan = replace(WHOLE_PLAN, chords=(replace_root(0), *WHOLE_PLAN.chords[1:]))
    profile = dict(zip(NUMBERS, profile_of(variables(plan)).tolist(), strict=True))
    assert profile["chords outside the scale"] == pytest.approx(4 / 32)  # E flat major in D major


def replace_root(number: int) -> object:
    return WHOLE_PLAN.chords[number]._replace(root=3)


def test_the_textures() -> None:
    found = numbers()
    # the piano has 4, 7, 0 and 20 notes (classes 4, 7, 0 and 17) a bar, twice; the drums have 8
    assert found["notes"] == pytest.approx((2 * (4 + 7 + 17) + 8 * 8) / 14 / 20)
    assert found["rests"] == pytest.approx(2 / 16)
    assert found["different textures"] == pytest.approx(4 / 8)
    changes = (2 * (3 + 7 + 17) + 13) / 14  # of the piano, over 7 pairs of bars of two parts
    assert found["changes of notes"] == pytest.approx(changes / (2 + changes))
    assert found["parts alike"] == pytest.approx(1 / (1 + (4 + 1 + 8 + 9) / 4))


def test_what_is_open_is_unknown() -> None:
    profile = profile_of(replace(variables(), motif=np.full(8, OPEN)))
    is_motif = list(GROUPS).index("motif") == GROUP_OF
    assert (np.isnan(profile) == is_motif).all()


def test_known_groups_decide_for_themselves() -> None:
    assert known_groups(variables()).all()
    only_chords = replace(WHOLE_PLAN, returns=None, sketch=None)
    known = known_groups(variables(only_chords))
    assert (known == (list(GROUPS).index("chord") == GROUP_OF)).all()
    assert not known_groups(variables(OPEN_PLAN)).any()


def test_the_inputs_of_a_profile() -> None:
    profile = no_profile()
    profile[1] = 0.175  # half of the way from the knot 0.1 to 0.25
    inputs = profile_inputs(profile)
    assert inputs.shape == (PROFILE_INPUTS,)
    assert inputs[6:12].tolist() == pytest.approx([0, 0.5, 0.5, 0, 0, 0])
    assert inputs[-len(NUMBERS) :].tolist() == [1, 0] + [1] * (len(NUMBERS) - 2)
    assert inputs.sum() == pytest.approx(1 + len(NUMBERS) - 1)


def stored(*labels: int) -> Profiles:
    """Profiles of songs with these labels; the first number of each is its place, in tenths."""
    v = variables()
    profiles = Profiles.of([(label, plan_numbers(WHOLE_PLAN, 8 * 2**n), v) for n, label in enumerate(labels)])
    profiles.numbers[:, 0] = np.arange(len(labels)) / 10
    return profiles


def drawn(profiles: Profiles, plan=WHOLE_PLAN, bars: int = 8) -> set[float]:
    generator = np.random.default_rng(0)
    found = [profiles.draw(plan, bars, LABELS, generator)[0] for _ in range(100)]
    return {round(float(number), 3) for number in found}


def test_only_songs_of_the_label_are_drawn() -> None:
    assert drawn(stored(0, 1, 0, 1)) <= {0.0, 0.2}  # WHOLE_PLAN is a hymn, label 0
    assert drawn(stored(0, 1), replace(WHOLE_PLAN, genres=())) == {0.0, 0.1}
    assert np.isnan(stored(1).draw(WHOLE_PLAN, 8, LABELS, np.random.default_rng(0))).all()


def test_songs_of_the_same_length_are_drawn_most() -> None:
    generator, profiles = np.random.default_rng(0), stored(0, 0, 0, 0)
    found = [profiles.draw(WHOLE_PLAN, 16, LABELS, generator)[0] for _ in range(400)]
    shares = np.bincount(np.round(np.array(found) * 10).astype(int), minlength=4) / 400
    # lengths of 8, 16, 32 and 64 bars: chances of exp(-2), 1, exp(-2) and exp(-4)
    chances = np.exp([-2.0, 0, -2, -4])
    np.testing.assert_allclose(shares, chances / chances.sum(), atol=0.06)


def test_profiles_of_labels_without_songs_are_kept() -> None:
    joined = stored(0).joined(stored(0, 1, 2), [1, 0, None])  # label 0 is here label 1, and so on
    assert joined.songs[:, 0].tolist() == [0, 1]
    assert joined.numbers[:, 0].tolist() == pytest.approx([0.0, 0.0])
    assert len(stored().joined(stored(), [])) == 0


def test_profiles_are_stored_and_read() -> None:
    arrays = stored(0, 1).arrays | {"other": np.zeros(1)}
    profiles = Profiles.read(arrays, 2)
    assert list(arrays) == ["other"]
    assert len(profiles) == 2
    assert Profiles.read({}, 0).arrays == Profiles.of([]).arrays == {}


def test_a_profile_changes_what_is_drawn() -> None:
    sketcher = random_sketcher()
    assert len(sketcher.profiles) == 2
    without = replace(sketcher, profiles=Profiles.of([]))
    plans = [s.fill(OPEN_PLAN, np.random.default_rng(0)) for s in (sketcher, without)]
    assert plans[0] != plans[1]
