"""`ritornello judge`: compare songs with human songs, and look for copied passages."""

from typing import Any

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result, progress_bars


@click.command("judge")
@click.argument("songs", type=click.Path())
@option("--human", "Human songs to compare with: a folder of MIDI files, or a corpus.", PATH)
@option(
    "--model",
    "The model that composed: shows what is copied from its training songs. For one song: the bundled.",
    PATH,
)
@option(
    "--corpus", "Its training songs, a corpus or folder: shows copied passages next to the originals.", PATH
)
@option("--seam", "For continuations: how many bars were given. Compares the 4 bars before and after.", int)
@option("--html", "Also write the report as a web page with plots.", PATH)
@option(
    "--most", "The most composed, and the most human songs to compare; the seed chooses them.", default=200
)
@option("--max-minutes", "Longer songs are not judged.", default=60.0)
@option("--seed", "The same seed gives the same figures.", default=0)
@overwrite_option
@output_options
def command(songs: str, overwrite: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Compare SONGS, a folder of MIDI files, with human songs; or describe one song, a .mid file.

    For human songs, style and variety are 1.0, and the detector is at 0.5. Controls (the human songs, altered
    more and more, up to noise) show what each figure can detect.

    \b
    ritornello judge songs/ --human heldout/
    ritornello judge songs/ --human heldout/ --model model --html report.html
    ritornello judge song.mid
    ritornello judge song.mid --human heldout/
    """
    from ritornello.evaluation import report, song_description
    from ritornello.evaluation.judge import judge
    from ritornello.system.made_files import writing

    with writing([options["html"]], overwrite), progress_bars(not (quiet or as_json)) as update:
        found = judge(songs, progress=update, **options)
    text = song_description.description_text(found) if "file" in found else report.report_text(found)
    lines = [f"{options['html']}   the report as a page"] if options["html"] else []
    print_result(found, text, *lines, as_json=as_json, quiet=quiet)
