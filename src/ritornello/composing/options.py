"""The options of composing: the type, default, allowed range and help of each, defined once.

The options of the commands `compose`, `sketch`, `redo`, `vary`, `perform` and `change`, the defaults and the
help of the Python functions, and the range checks are made from these classes. `ritornello --help` imports
this module, so it imports no numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ritornello.composing.option_types import checked_value
from ritornello.errors import PlanError, check_between
from ritornello.performing.performance import MAX_SEED

if TYPE_CHECKING:
    from ritornello.composing.draw_sketch import DrawnSketch
    from ritornello.music.midi_song import MidiSong
    from ritornello.music.score import Score

Music: TypeAlias = "str | Path | Score | MidiSong"  # the path of a song file, or a song that was read or made
SketchSource: TypeAlias = "str | Path | DrawnSketch"  # the path of a sketch, or one that was drawn
Function = TypeVar("Function", bound=Callable[..., Any])
MAX_SONGS = 1000
MAX_CANDIDATES = 100
DEFAULT_CREATIVITY = 0.5


def _text(value: float | None) -> str:
    """Return a number as text: 10 for 10.0, but all digits of an integer."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _option(
    help_text: str,
    default: Any = None,
    low: float | None = None,
    high: float | None = None,
    *,
    flag: str = "",
    is_dial: bool = False,
    choices: Collection[str] = (),
) -> Any:
    """Return a field with its help, its range (both ends are allowed) and, if it is not --NAME, its flag.

    The value of a dial is stored in the recipe of a song, to compose another song like it.
    """
    text = help_text.replace("RANGE", f"{_text(low)}-{_text(high)}")
    metadata: dict[str, Any] = {"help": text, "low": low, "high": high, "flag": flag, "is_dial": is_dial}
    metadata["choices"] = list(choices)
    return field(default=default, metadata=metadata)


def _creativity() -> Any:
    help_text = "RANGE. Low: only the most probable notes; high: rare notes too."
    return _option(help_text, DEFAULT_CREATIVITY, 0, 1, is_dial=True)


def _chords() -> Any:
    return _option(
        'Chords in bars, repeated to the end: "C | Am F | G7/B | N.C."; or one a bar: "Am F C G", "ii V7 I"; '
        "or a text file (.txt)."
    )


def _chords_from() -> Any:
    return _option(
        "A song whose chords are used: the chords in its file, or chords estimated from its notes."
    )


def _seed() -> Any:
    return _option("The same seed gives the same music; by default a random one.", None, 0, MAX_SEED)


def _feel(default: float, help_text: str) -> Any:
    return _option(help_text, default, 0, 1)


def _swing() -> Any:
    return _option(
        "The length of the first of two notes in per cent of both, RANGE; 50 is straight.", 50.0, 50, 75
    )


def _swing_notes() -> Any:
    choices = ("eighths", "sixteenths")
    return _option("Which notes swing.", "eighths", choices=choices)


@dataclass(frozen=True, kw_only=True)
class _Options:
    """The base class of options. Raises PlanError for a value of another type, or out of its range."""

    def __post_init__(self) -> None:
        for option in fields(self):
            low, high, choices = (option.metadata[name] for name in ("low", "high", "choices"))
            allowed = "" if low is None else f"{_text(low)}-{_text(high)}"
            given = getattr(self, option.name)
            value = checked_value(option.name, str(option.type), given, allowed)
            if low is not None and value is not None and not low <= value <= high:
                raise PlanError(f"{option.name} {_text(value)}: must be {allowed}")
            if choices and value not in choices:
                raise PlanError(f"{option.name} {value!r}: must be {' or '.join(choices)}")
            if value is not given:
                object.__setattr__(self, option.name, value)


@dataclass(frozen=True, kw_only=True)
class SketchOptions(_Options):
    """The options of a sketch; None is taken from the plan of a training song that fits."""

    bars: int | None = _option(
        "Bars without the pickup, RANGE; by default 16, or as many as the form or the melody has.",
        None,
        1,
        1000,
    )
    seconds: float | None = _option("Length in seconds, RANGE, instead of bars.", None, 1, 3600)
    genre: str | None = _option("A label of the model, or a mix of labels: chorale:0.7,game:0.3.")
    key: str | None = _option('The key or mode, such as "D minor", "D dorian" or "A minor pentatonic".')
    tempo: float | None = _option("Quarter notes per minute in every meter, RANGE.", None, 10, 400)
    meter: str | None = _option("The time signature, such as 3/4.")
    parts: str | Iterable[str] | None = _option("Instruments of General MIDI: piano,bass,drums.")
    form: str | None = _option(
        'Sections and their bars; a name that appears again repeats its section: "intro4 A8 A8 B8 A8~" '
        "(A8~ or A'8: varied)."
    )
    chords: str | Path | None = _chords()  # noqa: RUF009
    chords_from: Music | None = _chords_from()  # noqa: RUF009
    creativity: float = _creativity()
    seed: int | None = _seed()
    force: bool = _option("Allow parts that no training song of the genre has.", False)


@dataclass(frozen=True, kw_only=True)
class ComposeOptions(SketchOptions):
    """The options of a song; None is taken from the sketch, or from the plan of a training song."""

    sketch: SketchSource | None = _option(  # noqa: RUF009
        "A sketch (.json) that `ritornello sketch` wrote; values that it leaves open are drawn."
    )
    prompt: Music | None = _option("A MIDI file to continue; its bars stay as they are.")  # noqa: RUF009
    prompt_bars: int | None = _option("Use only the first bars of the prompt: this many.")
    melody: Music | None = _option("A MIDI file that stays as it is; other parts are composed to it.")  # noqa: RUF009
    spread: float = _option(
        "RANGE, for the network of 2018 only: the size of random deviations from its predictions.",
        1.0, 0, 10, is_dial=True,
    )  # fmt: skip
    density: list[str] | str | Mapping[str, str | float] | None = _option(  # noqa: RUF009
        "PART=low, medium, high, or notes a bar: the mean over the bars in which a part plays; may be "
        "repeated. PART may be all."
    )
    register: list[str] | str | Mapping[str, str | int] | None = _option(  # noqa: RUF009
        "PART=low, medium, high, or a pitch such as C4: the mean pitch of a part; may be repeated."
    )
    intro: int | None = _option("Bars of an introduction before the bars of the song, RANGE.", None, 1, 64)
    outro: int | None = _option("Bars of an ending after the bars of the song, RANGE.", None, 1, 64)
    loop: bool = _option(
        "The last bar leads into the first, no note sounds beyond it; adds markers loopStart and loopEnd.",
        False,
    )
    candidates: int = _option(
        "Compose each song this many times, RANGE, each time by another sketch, and keep the one that "
        "follows its sketch best.", 1, 1, MAX_CANDIDATES,
    )  # fmt: skip
    feel: float = _feel(
        0.0, "RANGE: how much timing, loudness and tempo vary; 0: not at all (as written), 1: as people play."
    )
    swing: float = _swing()
    swing_notes: str = _swing_notes()


@dataclass(frozen=True, kw_only=True)
class BatchOptions(_Options):
    """How many songs to compose and to keep. Raises PlanError for a number out of range."""

    n: int = _option("How many songs.", 1, 1, MAX_SONGS, flag="-n")
    best: int | None = _option(
        "Keep only this many songs, the most typical ones: their mean negative log-likelihood is closest to "
        "the median."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between("best", self.best, 1, self.n, PlanError)


def _parts_to_redo() -> Any:
    return _option("Only these parts: their names, instruments, or numbers from 1; by default all.")


def _lock() -> Any:
    return _option('What must stay: parts, bars, or bars of a part: "drums,1-4,bass:9-12".')


@dataclass(frozen=True, kw_only=True)
class RedoOptions(_Options):
    """Which bars and parts of a song to recompose, and how many versions."""

    bars: str | range | None = _option(
        "The bars to recompose, counted from 1 (a pickup is bar 0): 9-12; by default all."
    )
    parts: str | Collection[str] | None = _parts_to_redo()
    lock: str | Collection[str] | None = _lock()
    key: str | None = _option(
        'The key or mode of the new bars, such as "D dorian"; by default the key of the song.'
    )
    chords: str | Path | None = _chords()  # noqa: RUF009
    chords_from: Music | None = _chords_from()  # noqa: RUF009
    takes: int = _option("How many takes (versions) to write, RANGE.", 4, 1, MAX_SONGS)
    creativity: float = _creativity()
    seed: int | None = _seed()


@dataclass(frozen=True, kw_only=True)
class PerformOptions(_Options):
    """How a song file is performed."""

    feel: float = _feel(
        0.7,
        "RANGE: how much timing, loudness, tempo and pedal vary; 0: not at all, 1: as people play.",
    )
    swing: float = _swing()
    swing_notes: str = _swing_notes()
    style: str | None = _option(
        "The style: jazz, rock, piano, chorale and others; by default from the recipe or the folder's name."
    )
    seed: int | None = _option(
        "The same seed gives the same performance; by default the seed of the song.", None, 0, MAX_SEED
    )


@dataclass(frozen=True, kw_only=True)
class VaryOptions(_Options):
    """How much of a song is varied, and which parts and bars are kept."""

    amount: float = _option(
        "RANGE: the share of the notes that are composed again; 0 changes nothing, 1 gives another song of "
        "the same plan.", 0.3, 0, 1,
    )  # fmt: skip
    parts: str | Collection[str] | None = _parts_to_redo()
    lock: str | Collection[str] | None = _lock()
    creativity: float = _creativity()
    seed: int | None = _seed()


@dataclass(frozen=True, kw_only=True)
class ChangeOptions(_Options):
    """What to change in a song without composing."""

    transpose: int | None = _option("Semitones up, or down if negative, RANGE; drums stay.", None, -127, 127)
    key: str | None = _option(
        'The new key or mode, of the same mode: "D minor" of a song in minor, "E dorian" of one in dorian; '
        "notes move the shortest way."
    )
    tempo: float | None = _option(
        "The new main tempo in beats per minute, RANGE; other tempi change in proportion.", None, 10, 400
    )
    instrument: list[str] | str | Mapping[str, str] | None = _option(  # noqa: RUF009
        "PART=NAME: another instrument for a part, which moves by octaves into its range; may be repeated. "
        "A part is a name, an instrument, or a number from 1."
    )


EXAMPLES = {"instrument": "piano=violin", "density": "piano=low", "register": "piano=C4"}
PERFORMING = ("feel", "swing", "swing_notes")
DIALS = frozenset(option.name for option in fields(ComposeOptions) if option.metadata["is_dial"])


def assignments(name: str, value: Iterable[str] | str | Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Read "PART=VALUE,PART=VALUE", several such texts, or a mapping, as pairs of texts.

    `name` is that of the option. Raises PlanError for a text without "=".
    """
    if isinstance(value, Mapping):
        return [(str(part), str(item)) for part, item in value.items()]
    texts = [value] if isinstance(value, str) else value or ()
    pairs = []
    for text in (item for each in texts for item in each.split(",")):
        part, sign, item = (piece.strip() for piece in text.partition("="))
        if not (part and sign and item):
            example = EXAMPLES.get(name, "piano=...")
            raise PlanError(f"{name} {text.strip()!r}: must be PART=VALUE, such as {example}")
        pairs.append((part, item))
    return pairs


def with_help_of(options: type[_Options]) -> Callable[[Function], Function]:
    """Append the help of each option of a class to the docstring of the function that takes them."""

    def add(function: Function) -> Function:
        lines = [f"- {option.name}: {option.metadata['help']}" for option in fields(options)]
        function.__doc__ = "\n    ".join([function.__doc__ or "", "", *lines])
        return function

    return add
