"""`ritornello judge`: compare songs with human songs, and look for copied passages."""

from __future__ import annotations

from typing import Any

import click

from ritornello.cli.common import output_options, print_result, progress_bars


@click.command("judge")
@click.argument("songs", type=click.Path())
@click.option(
    "--human", type=click.Path(), help="Human songs to compare with: a folder of MIDI files, or a corpus."
)
@click.option(
    "--model",
    type=click.Path(),
    help="A model whose training songs may be copied; for one song by default the bundled model.",
)
@click.option(
    "--corpus",
    type=click.Path(),
    help="The training songs, a corpus or folder: shows copied passages next to the originals.",
)
@click.option("--html", type=click.Path(), help="Also write the report as a web page with plots.")
@click.option(
    "--most",
    type=int,
    default=200,
    show_default=True,
    help="Songs of each kind to compare, drawn by the seed.",
)
@click.option(
    "--max-minutes", type=float, default=60.0, show_default=True, help="Longer songs are not judged."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same figures.")
@output_options
def command(songs: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Compare SONGS, a folder of MIDI files, with human songs; or describe one song, a .mid file.

    Human songs have a style and variety of 1.0, and 0.5 for the detector. Controls made from the human songs,
    from the songs themselves to noise, show how much each figure can distinguish.

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
