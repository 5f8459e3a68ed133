"""`ritornello explain`: show a loss, the fields of a representation, or the rows of a song."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result

if TYPE_CHECKING:
    from ritornello.music.score import Score


@click.command("explain")
@click.argument("what", metavar="loss|REPRESENTATION|FILE.mid")
@option("--points", "With loss: a TOML file with points of the curve.", PATH)
@option("--png", "With loss: also draw the curve into this file.", PATH)
@option("--as name", "With a file: the representation.", default="notes")
@option("--rows", "With a file: how many rows.", click.IntRange(min=1), default=24)
@overwrite_option
@output_options
def command(
    what: str,
    points: str | None,
    png: str | None,
    name: str,
    rows: int,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Explain the loss of pitches, the fields of a representation, or the rows of a song.

    \b
    ritornello explain loss --png loss.png
    ritornello explain messages
    ritornello explain song.mid --rows 50
    ritornello explain song.mid --as messages
    """
    from ritornello import notation
    from ritornello.models import registry
    from ritornello.notation.song_file import SONG_ENDINGS
    from ritornello.representations.table import print_table
    from ritornello.system.made_files import writing

    if what == "loss":
        with writing([png], overwrite):
            result, text = _loss(points, png)
    elif what in registry.names("representations"):
        fields = registry.find("representations", what).fields
        result, text = {"fields": [f._asdict() for f in fields]}, print_table(fields)
    elif what == "-" or what.lower().endswith(SONG_ENDINGS) or Path(what).exists():
        representation = registry.find("representations", name)()
        result, lines = _rows(notation.read(what), representation, rows)
        text = "\n".join(lines)
    else:
        known = ", ".join(["loss", *registry.names("representations")])
        raise click.UsageError(f"cannot explain {what!r}: must be one of {known}, or a song file")
    print_result(result, text, as_json=as_json, quiet=quiet)


def _rows(song: Score, representation: Any, rows: int) -> tuple[dict[str, Any], list[str]]:
    """The first rows of a song as data, and as text with, for `notes`, the sketch of each bar."""
    from ritornello.rendering.lead_sheet import bar_texts
    from ritornello.representations.notes import Notes

    values = representation.encode(song).values[:rows]
    words = representation.explain(values)
    result = {"rows": values.tolist(), "words": words}
    if not isinstance(representation, Notes):
        return result, words
    timeline = representation.timeline(representation.canonical(song)[0])
    bars = bar_texts(timeline, song.keys[0][1:] if song.keys else song.estimated_key)
    return result | {"bars": bars}, representation.explain(values, bars)


def _loss(points: str | None, png: str | None) -> tuple[dict[str, Any], str]:
    """The curve of the loss of 2018 as data, and as text: a chart, and the cost of each whole semitone."""
    from ritornello.models.losses.curve import Curve
    from ritornello.models.losses.curve_chart import cost_table, note_loss_chart
    from ritornello.rendering import charts as chart
    from ritornello.system.extras import require_extra

    require_extra("train", "scipy")
    fitted = Curve.read(points) if points else Curve.fit()
    drawing = note_loss_chart(fitted)
    if png:
        chart.png(drawing, png)
    return fitted.to_dict(), f"{chart.terminal(drawing)}\n\n{cost_table(fitted)}"
