"""`ritornello measure`: how well a model predicts songs that it has not learnt."""

from __future__ import annotations

from typing import Any

import click

from ritornello.cli.common import code_options, open_model, output_options, print_result, progress_bars

NAMED = 5  # skipped songs that are named in words; --json has all


@click.command("measure")
@click.argument("model", type=click.Path())
@click.option("--on", required=True, type=click.Path(), help="A corpus, or a folder of MIDI files.")
@click.option(
    "--split", type=click.Choice(["train", "valid", "test"]), help="Of a corpus: this side; valid by default."
)
@click.option(
    "--given",
    type=click.Choice(["plan", "none"]),
    help="What the model is told: the plan, form, bars left and chords, or none of it. Both by default.",
)
@click.option("--csv", type=click.Path(), help="Also write what each song cost.")
@click.option("--threads", type=int, default=1, show_default=True, help="Of the CPU.")
@code_options
@output_options
def command(
    model: str, given: str | None, as_json: bool, quiet: bool, on: str, split: str | None, **settings: Any
) -> None:
    """Measure how well MODEL predicts songs: held-out nats per note, fewer being better.

    Whole songs, by field, each with its reference, in which models of any table can be compared.

    \b
    ritornello measure model --on corpus
    ritornello measure model --on corpus --split test --csv songs.csv
    ritornello measure model --on ~/Music/midi --given none --json
    """
    from ritornello.evaluation.measure import measure

    opened = open_model(model, settings)
    with progress_bars(not (quiet or as_json)) as update:
        names = [given] if given else ["plan", "none"]
        found = measure(opened, on, split=split, given=names, progress=update, **settings)
    print_result(found, *_words(found), as_json=as_json, quiet=quiet)


def _words(found: dict[str, Any]) -> list[str]:
    """The report in lines."""
    of = f"{found['split']} of {found['on']}" if found["split"] else found["on"]
    lines = [f"{found['model']} on {of}: {found['songs']:,} songs, {found['notes']:,} notes", ""]
    fields = list(next(iter(found["given"].values()))["by_field"])
    heads = ["given", "nats a note", "95% by song", *fields, "(END)", "reference", "95% by song"]
    rows = [heads]
    for name, figures in found["given"].items():
        cells = [figures["nats_per_note"], figures["interval"], *figures["by_field"].values(), figures["end"]]
        cells += [figures["reference"], figures["reference_interval"]]
        rows.append([name, *map(_cell, cells)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines += ["", *_remarks(found)]
    return lines


def _cell(figure: Any) -> str:
    """A figure, or an interval of two."""
    if figure is None:
        return "-"
    return f"{figure[0]:.3f}-{figure[1]:.3f}" if isinstance(figure, tuple) else f"{figure:.3f}"


def _remarks(found: dict[str, Any]) -> list[str]:
    """What one must know to read the figures."""
    from ritornello.evaluation.summary import FEWEST_SONGS

    lines = []
    if found["songs"] < FEWEST_SONGS:
        lines.append(f"fewer than {FEWEST_SONGS} songs: no interval, and another few may give other figures")
    if found["held_out"] is False:
        lines.append("the model has learnt these songs: this says nothing of others")
    if found["held_out"] and found["split"] == "valid":
        lines.append("the weights were chosen on this side: --split test has chosen nothing")
    if found["held_out"] is None:
        lines.append("not the corpus that the model learnt from: whether it knows these songs is not known")
    if lost := next(iter(found["given"].values()))["notes_lost"]:
        lines.append(f"{lost:,} notes are not in the model's table; the reference charges them")
    if skipped := found["skipped"]:
        lines.append(f"{len(skipped):,} skipped:")
        lines += [f"  {name}: {reason}" for name, reason in list(skipped.items())[:NAMED]]
        lines += [f"  and {len(skipped) - NAMED:,} more (--json names all)"] if len(skipped) > NAMED else []
    return lines
