"""`ritornello info`: show what a song contains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result, reader_option

if TYPE_CHECKING:
    from ritornello.music.score import Score


@click.command("info")
@click.argument("file", type=PATH)
@reader_option
@option("--png", "Also write the piano roll as a picture.", PATH)
@overwrite_option
@output_options
def command(file: str, reader: Any, png: str | None, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Show what FILE, a song, contains: parts, bars, meter, key, tempo, a piano roll.

    \b
    ritornello info song.mid
    ritornello info song.mid --png song.png
    ritornello info - < song.musicxml
    """
    from ritornello import notation
    from ritornello.rendering import roll
    from ritornello.system.made_files import writing

    song, dropped = notation.open_song(file).parse(reader=reader)
    if png:
        with writing([png], overwrite):
            roll.png(song, png)
    facts, parts = _facts(song), _parts(song)
    facts["dropped"] = dropped
    lines = [f"{name:<15} {_text(value)}" for name, value in facts.items() if value not in ("", [], {}, 0)]
    lines += [
        f"part {i + 1:<10} {p['name']:<24} {p['sound']:<22} {p['notes']} notes" for i, p in enumerate(parts)
    ]
    result = {"file": file, **facts, "parts": parts}
    print_result(result, *lines, roll.terminal(song), as_json=as_json, quiet=quiet)


def _text(value: Any) -> str:
    """A fact as text; of a long list the first six items."""
    if isinstance(value, dict):
        return ", ".join(f"{count} {kind}" for kind, count in value.items())
    if isinstance(value, list):
        more = f" ... ({len(value)} in all)" if len(value) > 6 else ""
        return ", ".join(str(item) for item in value[:6]) + more
    return str(value)


def _parts(song: Score) -> list[dict[str, Any]]:
    """Name, instrument and number of notes of each part."""
    from ritornello.music import theory

    return [
        {
            "name": part.name,
            "sound": "drums" if part.is_drum else f"{theory.family(part.program)} ({part.program})",
            "notes": int((song.part == index).sum()),
        }
        for index, part in enumerate(song.parts)
    ]


def _facts(song: Score) -> dict[str, Any]:
    """The facts about the whole song."""
    from ritornello.music import theory
    from ritornello.music.timeline import Timeline

    timeline = Timeline.of(song)
    return {
        "title": song.title,
        "bars": timeline.full_bars,
        "pickup_beats": round(int(timeline.length_ticks[0]) / song.ticks_per_beat, 3)
        if timeline.pickup_bars
        else 0,
        "seconds": round(song.duration_s, 2),
        "notes": len(song),
        "ticks_per_beat": song.ticks_per_beat,
        "meters": [f"{m.numerator}/{m.denominator}" for m in song.meters],
        "keys": [theory.key_name(k.sharps, k.is_minor) for k in song.keys],
        "bpm": [round(t.bpm, 1) for t in song.tempi],
        "chords": len(song.chords),
        "markers": [m.text for m in song.markers],
    }
