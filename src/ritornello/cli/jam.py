"""`ritornello jam`: play with a musician."""

from typing import Any

import click

from ritornello.cli.common import PATH, option
from ritornello.composing.options import DEFAULT_CREATIVITY
from ritornello.errors import InputError


@click.command("jam")
@option("--list", "List the MIDI ports.", is_flag=True)
@option("--in in_port", "The MIDI port you play on: its name, a part of it, its number, or virtual.")
@option(
    "--out out_port", "The MIDI port Ritornello plays on: its name, a part of it, its number, or virtual."
)
@option("--mode", "Answer each phrase, or accompany the musician.", ["turns", "accompany"], default="turns")
@option("--tempo", "Beats per minute, 20-400; by default estimated from each phrase.", float)
@option("--meter", "The time signature.", default="4/4")
@option("--bars", "Bars of a turn, 1-16; by default a phrase ends when you are silent.", int)
@option("--clock-in", "Follow the MIDI clock of --in.", is_flag=True)
@option("--clock-out", "Send a MIDI clock to --out.", is_flag=True)
@option("--metronome", "Play a click on each beat, on the drum channel.", is_flag=True)
@option("--instrument", "Your instrument, a name of General MIDI.", default="piano")
@option(
    "--parts", "The parts that Ritornello plays; by default your instrument, or bass,drums if it accompanies."
)
@option("--key", 'The key, such as "D minor"; by default estimated from your notes.')
@option("--genre", "A label of the model.")
@option(
    "--creativity",
    "0-1. Low: only the most probable notes; high: rare notes too.",
    default=DEFAULT_CREATIVITY,
)
@option("--seed", "The same seed gives the same answers to the same notes.", default=0)
@option("--model", "The model folder; by default the bundled model.", PATH)
@option("--minutes", "The length of the jam in minutes; by default it lasts until Ctrl-C.", float)
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def command(list: bool, quiet: bool, **options: Any) -> None:
    """Play with a musician: answer phrases from one MIDI port on another, in the same key and tempo.

    \b
    ritornello jam --list
    ritornello jam --in "USB Keyboard" --out "FLUID Synth"
    ritornello jam --in 1 --out 1 --tempo 100 --bars 4 --metronome
    ritornello jam --in 1 --out 1 --mode accompany --parts bass,drums --clock-in
    """
    if list:
        _print_ports()
        return
    for name in ("in", "out"):
        if options[f"{name}_port"] is None:
            raise InputError(f"--{name} is missing: must be a MIDI port; `ritornello jam --list` lists them")
    from ritornello.playing.jam import jam

    def report(line: str) -> None:
        click.echo(f"  {line}", err=True)

    result = jam(**options, report=(lambda line: None) if quiet else report)
    if not quiet:
        median, percentile = f"{result.median_ms:.1f} ms (median)", f"{result.percentile_99_ms:.1f} ms"
        late = f"lateness {median}, {percentile} (99th percentile)"
        lost = f", {result.left_out} too late and left out" if result.left_out else ""
        click.echo(f"{result.turns} turns, {len(result.lateness_s)} notes, {late}{lost}")
    if result.is_interrupted:
        raise KeyboardInterrupt


def _print_ports() -> None:
    """Print the MIDI ports with their numbers."""
    from ritornello.playing.ports import port_names

    for direction in ("in", "out"):
        names = port_names(direction)
        click.echo(f"--{direction}")
        for number, name in enumerate(names, 1):
            click.echo(f"  {number}  {name}")
        if not names:
            click.echo("  none")
