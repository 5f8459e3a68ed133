"""`ritornello measure`: measure how well a model predicts songs."""

from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    code_options,
    open_model,
    option,
    output_options,
    print_result,
    progress_bars,
)

MAX_NAMED = 5  # skipped songs that are listed; --json lists all


@click.command("measure")
@click.argument("model", type=click.Path())
@option("--on", "A corpus, or a folder of MIDI files.", PATH, required=True)
@option("--split", "The split of a corpus; by default valid.", ["train", "valid", "test"])
@option(
    "--given",
    "What the model is given: plan, form, bars left and chords, or nothing; by default measure both.",
    ["plan", "none"],
)
@option("--csv", "Also write the figures of each song.", PATH)
@option("--threads", "Threads of the CPU.", default=1)
@code_options
@output_options
def command(
    model: str, given: str | None, as_json: bool, quiet: bool, on: str, split: str | None, **settings: Any
) -> None:
    """Measure how well MODEL predicts songs, in nats per note; fewer are better.

    The reference nats can be compared between models with different representations.

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
    print_result(found, *_lines(found), as_json=as_json, quiet=quiet)


def _lines(found: dict[str, Any]) -> list[str]:
    """The lines to print: a table of figures, then remarks."""
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
    """A figure, or an interval, as text."""
    if figure is None:
        return "-"
    return f"{figure[0]:.3f}-{figure[1]:.3f}" if isinstance(figure, tuple) else f"{figure:.3f}"


def _remarks(found: dict[str, Any]) -> list[str]:
    """What a reader must know about the figures."""
    from ritornello.evaluation.summary import FEWEST_SONGS

    lines = []
    if found["songs"] < FEWEST_SONGS:
        lines.append(
            f"fewer than {FEWEST_SONGS} songs: no confidence interval, and other songs may give other figures"
        )
    if found["held_out"] is False:
        lines.append("the model was trained on these songs: the figures say nothing about other songs")
    if found["held_out"] and found["split"] == "valid":
        lines.append("the weights were chosen on this split; --split test is independent of that choice")
    if found["held_out"] is None:
        lines.append("not the training corpus: it is unknown whether the model was trained on these songs")
    if lost := next(iter(found["given"].values()))["notes_lost"]:
        lines.append(
            f"{lost:,} notes cannot be represented by the model; the reference nats include their cost"
        )
    if skipped := found["skipped"]:
        lines.append(f"{len(skipped):,} skipped:")
        lines += [f"  {name}: {reason}" for name, reason in list(skipped.items())[:MAX_NAMED]]
        lines += (
            [f"  and {len(skipped) - MAX_NAMED:,} more (--json names all)"]
            if len(skipped) > MAX_NAMED
            else []
        )
    return lines
