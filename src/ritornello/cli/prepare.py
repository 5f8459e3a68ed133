"""`ritornello prepare`: make a corpus from a folder of MIDI files."""

from typing import Any

import click

from ritornello.cli.common import PATH, option, output_options, print_result, progress_bars, reading_options


@click.command("prepare")
@click.argument("folder", type=PATH)
@reading_options
@option("--out", "The corpus folder to write.", PATH, required=True)
@option(
    "--engine",
    "What reads the files: pool, processes on this machine; dask, the workers of a Dask cluster.",
    ["pool", "dask"],
    default="pool",
)
@option("--scheduler", "The Dask scheduler, for the engine dask.", metavar="ADDRESS")
@output_options
def command(folder: str, out: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Make a corpus from the MIDI files below FOLDER; the names of subfolders are labels, such as genres.

    No file is changed.

    \b
    ritornello prepare ~/Music/midi --out corpus
    ritornello prepare ~/Music/midi --out corpus --reader mido --workers 2
    ritornello prepare /shared/midi --out corpus --engine dask --scheduler tcp://10.0.0.1:8786
    """
    from dataclasses import asdict

    from ritornello.corpus.labels import MIN_SONGS
    from ritornello.corpus.prepare import prepare

    with progress_bars(not (quiet or as_json)) as update:
        report = prepare(folder, out, progress=update, **options)
    outcomes = sorted(report.outcomes.items(), key=lambda pair: -pair[1])
    lines = [f"{out}   {report.kept:,} of {report.files:,} files kept ({report.new:,} read now)"]
    lines += [f"  {count:>7,}  {outcome}" for outcome, count in outcomes]
    lines.append("  " + ", ".join(f"{count:,} to {use}" for use, count in report.splits.items()))
    if report.unused_labels:
        lines.append(f"  rows of --labels without a song: {report.unused_labels:,}")
    if report.rare_labels:
        rare = ", ".join(f"{label} ({count})" for label, count in report.rare_labels.items())
        lines.append(f"  labels left out, with fewer than {MIN_SONGS} songs: {rare}")
    if report.gone:
        lines.append(
            f"  {report.gone:,} files of the corpus are no longer in {folder}, but stay in the corpus; "
            "to remove them, prepare into a new --out"
        )
    result = asdict(report)
    result["fates"] = result.pop("outcomes")
    print_result(result, "\n".join(lines), as_json=as_json, quiet=quiet)
