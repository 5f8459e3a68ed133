"""Read chords from a text file or from another song, as a chart for the option `chords`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ritornello.composing.given_music import GivenMusic, read_song
from ritornello.composing.options import Music, RedoOptions, SketchOptions
from ritornello.composing.parse_options import parse_option
from ritornello.composing.performed_files import on_grid
from ritornello.errors import PlanError
from ritornello.music.chart import chart_chords, parse_chart
from ritornello.music.chord import Chord
from ritornello.music.chord_names import parse_chord
from ritornello.music.chord_symbols import bar_symbols
from ritornello.music.form import parse_form
from ritornello.music.modes import MODES, Key, parse_key_or_mode, tonality_name
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.theory import key_tonic
from ritornello.music.timeline import Timeline
from ritornello.system.files import read_bytes

Options = TypeVar("Options", bound="SketchOptions | RedoOptions")
TEXT_FILE = ".txt"
MAX_CHART_BYTES = 1 << 20
FEWEST_NAMES = 4  # fewer markers whose texts are names of chords are not taken for chords


def with_chart(options: Options, given: GivenMusic | None = None) -> Options:
    """Return the options with the chords as text, if they name a text file or another song.

    A chart must not be longer than the song is by the options. Chords of another song are transposed to the
    key of the options, or to that of the given music. A new song also gets the key, meter and length of that
    other song, if the options leave them open. A new song in a blues mode without chords in the options gets
    the chords of the twelve-bar blues. Raises PlanError, MidiError.
    """
    source = options.chords_from
    if source is not None and options.chords is not None:
        raise PlanError("chords and chords_from are given: give only one of the two")
    if source is not None:
        return _with_chords_of(source, options, given)
    chords = options.chords
    if isinstance(chords, Path) or (chords is not None and chords.strip().lower().endswith(TEXT_FILE)):
        options = replace(options, chords=_read_chart(Path(str(chords).strip())))
    if chords is not None:
        _check_length(options, given)
        return options
    is_open = given is None and getattr(options, "sketch", None) is None
    if is_open and options.key is not None and not isinstance(options, RedoOptions):
        mode = parse_option(parse_key_or_mode, options.key)[1]
        return replace(options, chords=MODES[mode].chart or None) if mode else options
    return options


def with_chords_in_bars(
    plan: Plan, chords: tuple[Chord, ...], chart: tuple[str, ...], bars: tuple[int, int]
) -> Plan:
    """Return the plan with `chords`, and between two bars (first, end) with the chords of a chart."""
    timeline = replace(plan, chords=(), returns=None).timeline(GRID)
    edges = [*timeline.start_ticks.tolist(), timeline.end_ticks]
    start, end = edges[bars[0]], edges[bars[1]]
    inside = [chord for chord in chart_chords(chart, plan, bars[0]) if chord.onset_ticks < end]
    before = [chord for chord in chords if chord.onset_ticks < start]
    held = [chord for chord in chords if chord.onset_ticks <= end][-1:]
    after = [chord for chord in chords if chord.onset_ticks > end]
    resumed = [chord._replace(onset_ticks=end) for chord in held if bars[1] < len(timeline)]
    return replace(plan, chords=(*before, *inside, *resumed, *after))


def _check_length(options: Options, given: GivenMusic | None) -> None:
    """Raise PlanError if the chart in the options has more bars than they state for the song."""
    chart = parse_chart(str(options.chords))
    most, whose = None, "of the song"
    if isinstance(options, RedoOptions):
        if given is not None and given.bars is not None:
            first, end = given.bars
            most, whose = end - max(first, given.timeline.pickup_bars), "to recompose"
    elif options.form is not None:
        most = len(parse_form(options.form))
    elif options.bars is not None or (given is not None and given.kind == "tune" and options.seconds is None):
        most = options.bars or (given.timeline.full_bars if given else None)
    if most is not None and len(chart) > most:
        raise PlanError(f"chords of {len(chart)} bars: must be at most {most}, the bars {whose}")


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
    """Return the options with the chart of another song."""
    song = read_song(on_grid(source)[0], "song of chords")
    timeline, song_key = _timeline_with_chords(song), song.canonical.estimated_key
    if song_key is None or not timeline.chords:
        raise PlanError(f"{song.name!r} has drums alone, so it has no chords")
    key: Key = given.plan.key if given and given.plan.key else song_key
    if options.key is not None:
        key = parse_option(parse_key_or_mode, options.key)[0]
    semitones = key_tonic(*key) - key_tonic(*song_key)
    moved = tuple(chord.transposed(semitones) for chord in timeline.chords)
    bars = bar_symbols(replace(timeline, chords=moved), key)[timeline.pickup_bars :]
    options = replace(options, chords=f"{' | '.join(bars)} |", chords_from=None)
    if given is not None or isinstance(options, RedoOptions) or getattr(options, "sketch", None) is not None:
        return options
    length_is_open = options.bars is None and options.seconds is None and options.form is None
    numerator, denominator = Plan.of(song.canonical).only_main_meter().meters[0][1:]
    return replace(
        options,
        key=options.key or tonality_name(key),
        meter=options.meter or f"{numerator}/{denominator}",
        bars=len(bars) if length_is_open else options.bars,
    )


def _timeline_with_chords(song: GivenMusic) -> Timeline:
    """Return the bars of a song with the chords that its file or its markers name, or else estimated ones."""
    timeline = song.timeline
    if song.score.chords:
        return timeline
    return replace(timeline, chords=_chords_in_markers(song.score) or timeline.chords)


def _chords_in_markers(score: Score) -> tuple[Chord, ...]:
    """Return the chords that the markers of a song name; () if fewer than three in four are names of chords.

    Also () if all are major chords, because letters from A to G may be names of sections.
    """
    chords = []
    for marker in score.rescaled(GRID).markers:
        try:
            chords.append(parse_chord(marker.text)._replace(onset_ticks=marker.onset_ticks))
        except ValueError:
            continue
    has_enough = len(chords) >= max(FEWEST_NAMES, len(score.markers) * 3 / 4)
    return tuple(chords) if has_enough and any(chord.kind != "maj" for chord in chords) else ()
