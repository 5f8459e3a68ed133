"""What all tests share: hypothesis without a deadline, and the same examples on every run.

With RITORNELLO_LONG=1 in the environment: twenty times as many examples, drawn anew each time.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

slow_is_fine = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=60, derandomize=True, **slow_is_fine)
settings.register_profile("long", max_examples=1200, **slow_is_fine)
settings.load_profile("long" if os.environ.get("RITORNELLO_LONG") else "quick")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered between runs does not go into the user's own cache folder."""
    monkeypatch.setenv("RITORNELLO_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
