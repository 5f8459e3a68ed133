"""`ritornello listen`: make a blind listening test as a page, or evaluate its ratings."""

from pathlib import Path
from typing import Any

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result, progress_bars


@click.command("listen")
@click.argument("folders", nargs=-1, required=True, type=PATH, metavar="FOLDER...")
@option("-o --out", "The folder to write: listen.html for the listeners, key.json for you.", PATH)
@option(
    "--key",
    "Evaluate ratings with this key.json; each FOLDER is a file of ratings, or a folder of such files.",
    PATH,
)
@option("--songs", "How many songs of each folder the test plays.", default=5)
@option("--seconds", "How many seconds of each song the test plays.", default=30.0)
@option("--no-anchor", "Do not hide excerpts of noise among the songs.", is_flag=True)
@option("--soundfont", "The soundfont (.sf2 or .sf3); by default one that is installed.", PATH)
@option("--seed", "The same seed draws the same songs.", default=0)
@overwrite_option
@output_options
def command(
    folders: tuple[str, ...],
    out: str | None,
    key: str | None,
    no_anchor: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Make a blind listening test of the songs in several FOLDERs, or evaluate its ratings.

    The page works offline, in any browser. It plays the songs in random order and asks four questions about
    each; only key.json says from which folder a song is. Listeners send you the file that the page saves.

    \b
    ritornello listen ours/ theirs/ human/ -o test/
    ritornello listen ratings/ --key test/key.json
    """
    if (out is None) == (key is None):
        raise click.UsageError("name either -o (to make a test) or --key (to evaluate ratings)")
    if key is not None:
        from ritornello.evaluation.listening_results import listening_results, results_text

        results = listening_results(key, folders)
        print_result(results, results_text(results), as_json=as_json, quiet=quiet)
        return
    from ritornello.evaluation.listening_test import KEY, PAGE, make_listening_test
    from ritornello.system.made_files import writing

    page, key_file = Path(str(out)) / PAGE, Path(str(out)) / KEY
    with writing([page, key_file], overwrite), progress_bars(not (quiet or as_json)) as update:
        test = make_listening_test(folders, str(out), anchor=not no_anchor, progress=update, **options)
    lines = [
        f"{page}   for the listeners: {len(test['items'])} songs, {page.stat().st_size / 1e6:.1f} MB",
        f"{key_file}   for you: the folder of each song",
        f"then: ritornello listen RATINGS --key {key_file}",
    ]
    print_result(test, *lines, as_json=as_json, quiet=quiet)
