"""`ritornello perform`: perform a song as people play."""

from pathlib import Path
from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    is_stdout,
    left_out,
    midi_target,
    option,
    options_of,
    output_options,
    overwrite_option,
    print_result,
    write_to_stdout,
)
from ritornello.composing.options import PerformOptions
from ritornello.system.made_files import writing


@click.command("perform")
@click.argument("song", type=PATH)
@option("-o --out", "The .mid to write, or - for standard output; by default SONG-performed.mid.", PATH)
@options_of(PerformOptions)
@option(
    "--model",
    "A model folder whose networks of feel perform; by default the bundled network, for drums only.",
    PATH,
)
@overwrite_option
@output_options
def command(song: str, out: str | None, overwrite: bool, as_json: bool, quiet: bool, **settings: Any) -> None:
    """Perform SONG, a song file: change timing, loudness, articulation, pedal and tempo as people play.

    The recipe beside the new file keeps the song as it was before. Sheet music, redo and --feel 0 use that.

    \b
    ritornello perform song.mid
    ritornello perform song.mid --feel 0.5 --style jazz -o played.mid
    ritornello perform song.mid --feel 0 --swing 62 --swing-notes sixteenths
    ritornello perform played.mid --feel 0 -o grid.mid
    """
    from ritornello.composing.performed_files import perform

    target = Path(midi_target(song, out, "performed"))
    if out is not None and is_stdout(out, as_json):
        write_to_stdout(perform(song, **settings).midi)
        return
    with writing([target, target.with_suffix(".json")], overwrite):
        played = perform(song, **settings)
        files = [str(file) for file in played.write(target)]
    performance = played.performance
    style = f", style {performance.style}" if performance.style else ""
    swing = (
        f", swing {performance.swing:g}% in {performance.swing_notes}"
        if performance.swing != PerformOptions.swing
        else ""
    )
    notes = f"{len(played.score)} notes, {played.score.duration_s:.0f} s"
    lines = [f"{files[0]}   {notes}, feel {performance.feel:g}{style}{swing}, seed {performance.seed}"]
    result = {"file": files[0], "performance": performance.to_dict(), "seconds": played.score.duration_s}
    print_result(result, *lines, *left_out(played.dropped), as_json=as_json, quiet=quiet)
