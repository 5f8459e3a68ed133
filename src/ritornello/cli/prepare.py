"""`ritornello prepare`: from a folder of MIDI files to a corpus."""

from __future__ import annotations

from typing import Any

import click

from ritornello.cli.common import output_options, print_result, progress_bars


@click.command("prepare")
@click.argument("folder", type=click.Path())
@click.option("--out", required=True, type=click.Path(), help="The corpus folder to write.")
@click.option("--workers", type=int, help="Processes that read; as many as the machine has cores by default.")
@click.option(
    "--reader",
    type=click.Choice(["symusic", "mido"]),
    default="symusic",
    show_default=True,
    help="What reads the files; mido is slower.",
)
@click.option(
    "--engine",
    type=click.Choice(["pool", "dask"]),
    default="pool",
    show_default=True,
    help="Processes of this machine, or the workers of a Dask cluster.",
)
@click.option("--labels", type=click.Path(), help="A .csv or .jsonl of path and label, instead of folders.")
@click.option(
    "--retry", is_flag=True, help="Also read again what timed out, crashed or ran out of memory earlier."
)
@click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler, for the engine dask.")
@output_options
def command(folder: str, out: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Read every MIDI file below FOLDER; its folders are the labels. No file is changed.

    \b
    ritornello prepare ~/Music/midi --out corpus
    ritornello prepare ~/Music/midi --out corpus --reader mido --workers 2
    ritornello prepare /shared/midi --out corpus --engine dask --scheduler tcp://10.0.0.1:8786
    """
    from dataclasses import asdict

    from ritornello.corpus.prepare import prepare

    with progress_bars(not (quiet or as_json)) as update:
        report = prepare(folder, out, progress=update, **options)
    outcomes = sorted(report.outcomes.items(), key=lambda pair: -pair[1])
    lines = [f"{out}   {report.kept:,} of {report.files:,} files kept ({report.new:,} read now)"]
    lines += [f"  {count:>7,}  {outcome}" for outcome, count in outcomes]
    lines.append("  " + ", ".join(f"{count:,} to {use}" for use, count in report.splits.items()))
    if report.unused_labels:
        lines.append(f"  rows of the table of labels that name no song: {report.unused_labels:,}")
    result = asdict(report)
    result["fates"] = result.pop("outcomes")
    print_result(result, "\n".join(lines), as_json=as_json, quiet=quiet)
