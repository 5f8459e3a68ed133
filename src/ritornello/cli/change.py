"""`ritornello change`: transpose a song, set its tempo, give parts other instruments."""

from pathlib import Path
from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    is_stdout,
    midi_target,
    option,
    options_of,
    output_options,
    overwrite_option,
    print_result,
    write_to_stdout,
)
from ritornello.composing.options import ChangeOptions
from ritornello.system.made_files import writing


@click.command("change")
@click.argument("song", type=PATH)
@options_of(ChangeOptions)
@option("-o --out", "The .mid to write, by default SONG-changed.mid, or - for standard output.", PATH)
@overwrite_option
@output_options
def command(song: str, out: str | None, overwrite: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Transpose SONG, a MIDI file, set its tempo, or give parts other instruments; nothing else changes.

    \b
    ritornello change song.mid --transpose -2
    ritornello change song.mid --key "D minor" --tempo 96
    ritornello change song.mid --instrument piano=harpsichord --instrument 2=cello -o new.mid
    """
    from ritornello.composing.change_song import change

    target = midi_target(song, out, "changed")
    changed = change(song, **options)
    if is_stdout(target, as_json):
        write_to_stdout(changed.file)
        return
    with writing([Path(target)], overwrite):
        changed.write(target)
    parts = ", ".join(part.name or f"part {k + 1}" for k, part in enumerate(changed.score.parts))
    lines = [f"{target}   {len(changed.score)} notes: {parts}"]
    if changed.left_out:
        lines.append(f"left out: {changed.left_out} notes that would double another of their part")
    print_result({"file": target, "left_out": changed.left_out}, *lines, as_json=as_json, quiet=quiet)
