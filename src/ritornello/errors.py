"""All errors that Ritornello raises on purpose.

    RitornelloError
    ├── InputError            what the user gave cannot be used        exit code 2
    │   ├── MidiError         a .mid file cannot be read
    │   ├── ScoreError        notes or events out of range
    │   ├── CorpusError       a corpus folder is missing, damaged or newer than this version
    │   ├── ModelError        a model folder is missing, damaged or does not fit
    │   └── PlanError         a song is asked for that cannot be
    └── FailedError           the input was fine, the work failed      exit code 1
        └── OutputError       a result cannot be written

Every message is one line that names the thing, its value and the allowed range.
"""


class RitornelloError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(RitornelloError):
    """What the user gave cannot be used."""

    exit_code = 2


class MidiError(InputError):
    """A .mid file cannot be read; names file, place (byte or track) and reason."""


class ScoreError(InputError):
    """Notes or events of a Score are out of range; names the value and the range."""


class CorpusError(InputError):
    """A corpus folder is missing, damaged, or made by a newer version."""


class ModelError(InputError):
    """A model folder is missing, damaged, or does not fit what it is used for."""


class PlanError(InputError):
    """A song is asked for that cannot be made; names the value and the allowed range."""


class FailedError(RitornelloError):
    """The input was fine, but the work could not be finished."""


class OutputError(FailedError):
    """A result cannot be written (disk full, target read-only); names the path."""


def check_between(name: str, value: int, least: int, most: int) -> None:
    """Raise InputError unless a number is in its range."""
    if not least <= value <= most:
        raise InputError(f"{name} {value}, must be {least}-{most}")
