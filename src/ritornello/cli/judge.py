"""`ritornello judge`: compare songs with human songs, and look for copied passages."""

from typing import Any

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result, progress_bars


@click.command("judge")
@click.argument("songs", type=PATH)
@option("--human", "Human songs to compare with: a folder of MIDI files, or a corpus.", PATH)
@option(
    "--model",
    "The model that composed the songs: shows what is copied from its training songs. For one song, the "
    "bundled model is the default.",
    PATH,
)
@option(
    "--corpus", "The model's training songs, a corpus or folder: shows copied passages and originals.", PATH
)
@option(
    "--seam",
    "For continuations: how many bars the prompt has. Compares the 4 bars before and after its end.",
    int,
)
@option("--html", "Also write the report as a web page with plots.", PATH)
@option(
    "--most", "Compare at most this many composed and this many human songs, chosen by the seed.", default=200
)
@option("--max-minutes", "Longer songs are not judged.", default=60.0)
@option("--seed", "The same seed gives the same figures.", default=0)
@overwrite_option
@output_options
def command(songs: str, overwrite: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Compare SONGS, a folder of MIDI files, with human songs; or describe one song, a .mid file.

    Songs as good as the human ones have a style and a variety of 1.0, and a detector of 0.5. Controls (human
    songs that are altered more and more, up to noise) show what each figure can detect.

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
        result = judge(songs, progress=update, **options)
    text = song_description.description_text(result) if "file" in result else report.report_text(result)
    lines = [f"{options['html']}   the report as a page"] if options["html"] else []
    print_result(result, text, *lines, as_json=as_json, quiet=quiet)
