"""`ritornello play`: play a song by the loudspeaker or on a MIDI port."""

import sys
from typing import Any

import click

from ritornello.cli.common import PATH, option


@click.command("play")
@click.argument("song", type=PATH)
@option("--bars", "Play only these bars, such as 9-12, counted from 1 (a pickup is bar 0).")
@option("--loop", "Repeat the song or the bars until Ctrl-C.", is_flag=True)
@option("--metronome", "Play a click on each beat.", is_flag=True)
@option("--solo", "Play only these parts: their names, instruments, or numbers from 1.")
@option("--mute", "Play all parts except these.")
@option("--out", "Play on this MIDI port (see `ritornello jam --list`) instead of the loudspeaker.")
@option("--device", "The name or number of the sound device; by default the system's.")
@option("--soundfont", "The soundfont (.sf2 or .sf3); by default one that is installed.", PATH)
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def command(song: str, quiet: bool, **options: Any) -> None:
    """Play SONG, a .mid file, by the loudspeaker or on a MIDI port; Ctrl-C ends it.

    \b
    ritornello play song.mid
    ritornello play song.mid --bars 9-12 --loop --metronome
    ritornello play song.mid --solo bass,drums
    ritornello play song.mid --out "FLUID Synth"
    """
    from ritornello.playing.play import play

    shown = not quiet and sys.stderr.isatty()
    play(song, **options, on_bar=show_bar if shown else None)
    if shown:
        click.echo(err=True)


def show_bar(bar: int) -> None:
    """Show the number of the bar that plays."""
    click.echo(f"\r  bar {bar} ", nl=False, err=True)
