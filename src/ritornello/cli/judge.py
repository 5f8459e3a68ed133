"""`ritornello judge`: whether songs are like human ones, and whether they are their own."""

from __future__ import annotations

from typing import Any

import click

from ritornello.cli.common import output_options, print_result, progress_bars


@click.command("judge")
@click.argument("songs", type=click.Path())
@click.option("--human", type=click.Path(), help="The songs to compare with: a folder of MIDI or a corpus.")
@click.option(
    "--model", type=click.Path(), help="A model: are the songs that it learnt from copied? One song: bundled."
)
@click.option(
    "--corpus",
    type=click.Path(),
    help="The songs that were learnt from, a corpus or folder: both are shown.",
)
@click.option("--html", type=click.Path(), help="Also write the report as one page, with plots.")
@click.option(
    "--most", type=int, default=200, show_default=True, help="Songs of each side, drawn by the seed."
)
@click.option(
    "--max-minutes", type=float, default=60.0, show_default=True, help="Longer songs are not judged."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same figures.")
@output_options
def command(songs: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Judge SONGS, a folder of MIDI of anybody's making, against human songs; or one song, a .mid file.

    1.0 is human in style and variety, 0.5 for the detector. Controls made of the human songs, from the songs
    themselves down to noise, say what each figure can tell.

    \b
    ritornello judge songs/ --human heldout/
    ritornello judge songs/ --human heldout/ --model model --html report.html
    ritornello judge song.mid
    ritornello judge song.mid --human heldout/
    """
    from ritornello.evaluation import report, song_description
    from ritornello.evaluation.judge import judge

    with progress_bars(not (quiet or as_json)) as update:
        found = judge(songs, progress=update, **options)
    lines = song_description.description_lines(found) if "file" in found else report.report_lines(found)
    lines += [f"{options['html']}   the report as a page"] if options["html"] else []
    print_result(found, *lines, as_json=as_json, quiet=quiet)
