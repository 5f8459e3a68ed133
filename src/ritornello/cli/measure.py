"""`ritornello measure`: measure how well a model predicts songs."""

from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    code_options,
    open_model,
    option,
    output_options,
    overwrite_option,
    print_result,
    progress_bars,
)


@click.command("measure")
@click.argument("model", type=PATH)
@option("--on", "A corpus, or a folder of MIDI files.", PATH, required=True)
@option("--split", "The split of a corpus; by default valid.", ["train", "valid", "test"])
@option(
    "--given",
    "What the model knows. plan: plan, form, bars left and chords; none: nothing. By default both.",
    ["plan", "none"],
)
@option(
    "--hide",
    "What else the model does not know, separated by commas: groups of fields such as chord, cadence, "
    "texture, form, echo, or parts of the plan such as key.",
)
@option("--grammar", "Give probabilities only to the classes that are allowed in composing.", is_flag=True)
@option("--csv", "Also write the figures of each song.", PATH)
@option("--threads", "Threads of the CPU.", default=1)
@code_options
@overwrite_option
@output_options
def command(
    model: str,
    given: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    on: str,
    split: str | None,
    hide: str | None,
    **settings: Any,
) -> None:
    """Measure how well MODEL predicts songs, in nats per note; fewer are better.

    The reference nats can be compared between models with different representations.

    \b
    ritornello measure model --on corpus
    ritornello measure model --on corpus --split test --csv songs.csv
    ritornello measure model --on corpus --given plan --hide chord,cadence,texture
    ritornello measure model --on ~/Music/midi --given none --json
    """
    from ritornello.evaluation.measure import measure
    from ritornello.system.made_files import writing

    opened = open_model(model, settings)
    with writing([settings["csv"]], overwrite), progress_bars(not (quiet or as_json)) as update:
        names = [given] if given else ["plan", "none"]
        hidden = [group.strip() for group in hide.split(",")] if hide else []
        result = measure(opened, on, split=split, given=names, hide=hidden, progress=update, **settings)
    print_result(result, _text(result), as_json=as_json, quiet=quiet)


def _text(result: dict[str, Any]) -> str:
    """The figures in a table, with notes on what they mean."""
    from ritornello.evaluation.summary import FEWEST_SONGS
    from ritornello.system.templates import fill_template

    of_given = result["given"]
    first = next(iter(of_given.values()))
    head = ["given", "nats a note", "95% by song", "median song", *first["by_field"], "(END)"]
    rows = [[*head, "reference", "95% by song"]]
    for name, figures in of_given.items():
        cells = [figures["nats_per_note"], figures["interval"], figures["median"]]
        cells += [*figures["by_field"].values(), figures["end"]]
        cells += [figures["reference"], figures["reference_interval"]]
        rows.append([name, *map(_cell, cells)])
    more = {"table": rows, "fewest_songs": FEWEST_SONGS, "notes_lost": first["notes_lost"]}
    return fill_template("measurement.txt", **result, **more).rstrip()


def _cell(figure: Any) -> str:
    """A figure, or an interval, as text."""
    if figure is None:
        return "-"
    return f"{figure[0]:.3f}-{figure[1]:.3f}" if isinstance(figure, tuple) else f"{figure:.3f}"
