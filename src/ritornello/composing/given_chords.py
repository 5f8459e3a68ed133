"""Chords that are not given as the text of an option: in a text file, or as those of another song."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ritornello.composing.given_music import GivenMusic, read_song
from ritornello.composing.options import Music, RedoOptions, SketchOptions
from ritornello.composing.parse_options import parse_option
from ritornello.errors import PlanError
from ritornello.music.chart import chart_chords, parse_chart
from ritornello.music.chord import Chord
from ritornello.music.chord_names import parse_chord
from ritornello.music.chord_symbols import bar_symbols
from ritornello.music.modes import MODES, Key, parse_key_or_mode, tonality_name
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.theory import key_tonic
from ritornello.music.timeline import Timeline
from ritornello.system.files import read_bytes

Options = TypeVar("Options", bound="SketchOptions | RedoOptions")
TEXT_FILE = ".txt"
MAX_CHART_BYTES = 1 << 20
FEWEST_NAMES = 4  # markers that name chords without saying that they are chords


def with_chart(options: Options, given: GivenMusic | None = None) -> Options:
    """Return the options with chords as text, where they name a text file or another song.

    The chords of a song are moved to the key that is asked for, or that of the given music. What the options
    leave open of key, meter and length, a new song has of the song whose chords it gets. A new song in the
    blues for which no chords are asked has those of its twelve bars. Raises PlanError, MidiError.
    """
    source = options.chords_from
    if source is not None and options.chords is not None:
        raise PlanError("chords and chords_from are given: give only one of the two")
    if source is not None:
        return _with_chords_of(source, options, given)
    chords = options.chords
    if isinstance(chords, Path) or (chords is not None and chords.strip().lower().endswith(TEXT_FILE)):
        return replace(options, chords=_read_chart(Path(str(chords).strip())))
    is_open = chords is None and given is None and getattr(options, "sketch", None) is None
    if is_open and options.key is not None and not isinstance(options, RedoOptions):
        mode = parse_option(parse_key_or_mode, options.key)[1]
        return replace(options, chords=MODES[mode].chart or None) if mode else options
    return options


def with_chords_in_bars(
    plan: Plan, chords: tuple[Chord, ...], chart: tuple[str, ...], bars: tuple[int, int]
) -> Plan:
    """Return the plan with `chords`, but those of a chart in the bars from the first up to the second."""
    timeline = replace(plan, chords=(), returns=None).timeline(GRID)
    edges = [*timeline.start_ticks.tolist(), timeline.end_ticks]
    start, end = edges[bars[0]], edges[bars[1]]
    inside = [chord for chord in chart_chords(chart, plan, bars[0]) if chord.onset_ticks < end]
    before = [chord for chord in chords if chord.onset_ticks < start]
    held = [chord for chord in chords if chord.onset_ticks <= end][-1:]
    after = [chord for chord in chords if chord.onset_ticks > end]
    resumed = [chord._replace(onset_ticks=end) for chord in held if bars[1] < len(timeline)]
    return replace(plan, chords=(*before, *inside, *resumed, *after))


def _read_chart(path: Path) -> str:
    """The chart in a text file, checked. Raises PlanError that names the file."""
    data = read_bytes(path, PlanError)
    if len(data) > MAX_CHART_BYTES:
        raise PlanError(f"{str(path)!r}: {len(data):,} bytes: must be at most {MAX_CHART_BYTES:,}")
    text = data.decode("utf-8-sig", "replace")
    try:
        parse_chart(text)
    except PlanError as error:
        raise PlanError(f"{str(path)!r}: {error}") from None
    return text


def _with_chords_of(source: Music, options: Options, given: GivenMusic | None) -> Options:
    """The options with the chart of another song."""
    song = read_song(source, "song of chords")
    timeline, own_key = _timeline_with_chords(song), song.canonical.estimated_key
    if own_key is None or not timeline.chords:
        raise PlanError(f"{song.name!r} has drums alone, so it has no chords")
    key: Key = given.plan.key if given and given.plan.key else own_key
    if options.key is not None:
        key = parse_option(parse_key_or_mode, options.key)[0]
    semitones = key_tonic(*key) - key_tonic(*own_key)
    moved = tuple(chord.transposed(semitones) for chord in timeline.chords)
    bars = bar_symbols(replace(timeline, chords=moved), key)[timeline.pickup_bars :]
    found = replace(options, chords=f"{' | '.join(bars)} |", chords_from=None)
    if given is not None or isinstance(found, RedoOptions) or getattr(found, "sketch", None) is not None:
        return found
    is_open = found.bars is None and found.seconds is None and found.form is None
    numerator, denominator = Plan.of(song.canonical).only_main_meter().meters[0][1:]
    return replace(
        found,
        key=found.key or tonality_name(key),
        meter=found.meter or f"{numerator}/{denominator}",
        bars=len(bars) if is_open else found.bars,
    )


def _timeline_with_chords(song: GivenMusic) -> Timeline:
    """The bars of a song with its chords: as it names them, in markers too, or else as estimated."""
    timeline = song.timeline
    return timeline if song.score.chords else replace(timeline, chords=_marked(song.score) or timeline.chords)


def _marked(score: Score) -> tuple[Chord, ...]:
    """The chords that most markers of a song name, if they cannot be letters of sections; else none."""
    found = []
    for marker in score.rescaled(GRID).markers:
        try:
            found.append(parse_chord(marker.text)._replace(onset_ticks=marker.onset_ticks))
        except ValueError:
            continue
    are_chords = len(found) >= max(FEWEST_NAMES, len(score.markers) * 3 / 4)
    return tuple(found) if are_chords and any(chord.kind != "maj" for chord in found) else ()
