"""`ritornello compose`: from a model to a song."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Any

import click

from ritornello.cli.common import output_options, show


@click.command("compose")
@click.argument("model", type=click.Path(), required=False)
@click.option("-o", "--out", type=click.Path(), help="The .mid to write; song.mid or the next free name.")
@click.option("--bars", type=int, default=16, show_default=True, help="How long, 1-1000.")
@click.option("--tempo", type=float, default=120.0, show_default=True, help="Beats per minute, 10-400.")
@click.option("--seed", type=int, help="The same seed gives the same song; drawn when not given.")
@click.option(
    "--spread",
    type=float,
    default=1.0,
    show_default=True,
    help="How far from the bare prediction (0) to draw.",
)
@output_options
def command(
    model: str | None,
    out: str | None,
    bars: int,
    tempo: float,
    seed: int | None,
    spread: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compose a song with the folder MODEL.

    \b
    ritornello compose model -o song.mid
    ritornello compose model --bars 32 --tempo 96 --seed 7
    """
    from ritornello import midi, workflow
    from ritornello.composing.recipe import in_words
    from ritornello.rendering import roll
    from ritornello.timeline import Timeline

    out = out or free_name("song.mid")
    if Path(out).suffix.lower() not in (".mid", ".midi"):
        raise click.UsageError(f"-o {out!r} must end in .mid or .midi")
    began = time.perf_counter()
    song, made = workflow.compose_with_recipe(model, bars=bars, tempo=tempo, seed=seed, spread=spread)
    midi.write(song, out, comment=in_words(made))
    took_s = time.perf_counter() - began
    found = len(Timeline.of(song))
    asked = f"--bars {bars} --tempo {tempo:g} --seed {made['seed']} --spread {spread:g}"
    again = f"ritornello compose {shlex.quote(str(model))} {asked} -o {shlex.quote(out)}"
    lines: list[Any] = [
        f"{made['model']['network']}, {bars} bars, {tempo:g} bpm, seed {made['seed']}",
        roll.terminal(song),
        f"{out}   {found} bars, {song.duration_s:.0f} s, {len(song)} notes, composed in {took_s:.1f} s",
        f"again: {again}",
    ]
    if found < bars:
        lines.insert(2, f"the music stops in bar {found} of {bars}: after it the network played no note")
    result = {"file": out, "bars": found, "notes": len(song), "seconds": song.duration_s, "recipe": made}
    show({**result, "composed_in_s": took_s}, *lines, as_json=as_json, quiet=quiet)


def free_name(name: str) -> str:
    """The name itself, or with the first number after it that no file has: song.mid, song-2.mid ..."""
    path, number = Path(name), 1
    while path.exists():
        number += 1
        path = Path(name).with_stem(f"{Path(name).stem}-{number}")
    return str(path)
