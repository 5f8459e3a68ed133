"""`ritornello reaper`: write the script for the DAW REAPER."""

import click

from ritornello.cli.common import PATH, option, output_options, overwrite_option, print_result


@click.command("reaper")
@option("-o --out", "The script to write; REAPER looks for scripts in its folder Scripts.", PATH)
@overwrite_option
@output_options
def command(out: str | None, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Write a script with which REAPER composes takes of the selected MIDI item.

    The script writes the item to a MIDI file, runs `redo`, `compose --prompt` or `compose --melody` with the
    Python that runs this command, and adds each song as a take. A time selection chooses the bars.

    \b
    ritornello reaper
    ritornello reaper -o Ritornello.lua
    """
    from ritornello.composing.reaper_script import FILE, reaper
    from ritornello.system.made_files import writing

    with writing([out or FILE], overwrite):
        path = reaper(out or FILE)
    how = "in REAPER: Actions > Show action list > New action > Load ReaScript"
    print_result({"file": str(path)}, str(path), how, as_json=as_json, quiet=quiet)
