"""`ritornello doctor`: what is in a folder, and what is the matter with it."""

from __future__ import annotations

from typing import Any

import click

from ritornello.cli.common import output_options, print_result, progress_bars


@click.command("doctor")
@click.argument("folder", type=click.Path())
@click.option("--html", type=click.Path(), help="Also write the report as one page, with piano rolls.")
@click.option(
    "--copy-clean", type=click.Path(), help="Copy the songs that can be learnt from to a new folder."
)
@click.option("--workers", type=int, help="Processes that read; as many as the machine has cores by default.")
@click.option(
    "--reader",
    type=click.Choice(["symusic", "mido"]),
    default="symusic",
    show_default=True,
    help="What reads the files; mido is slower.",
)
@click.option("--labels", type=click.Path(), help="A .csv or .jsonl of path and label, instead of folders.")
@click.option(
    "--retry", is_flag=True, help="Also read again what timed out, crashed or ran out of memory earlier."
)
@click.option(
    "--cache", type=click.Path(), help="A folder to remember the files in, instead of your cache folder."
)
@output_options
def command(
    folder: str,
    html: str | None,
    copy_clean: str | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Say what would become of every file below FOLDER, why, and what can be done. No file is changed.

    What was found is remembered in your cache folder, never in FOLDER: run again, it reads only what is new.

    \b
    ritornello doctor ~/Music/midi
    ritornello doctor ~/Music/midi --html report.html
    ritornello doctor ~/Music/midi --copy-clean ~/Music/clean
    """
    from ritornello.corpus.doctor.doctor import doctor
    from ritornello.corpus.doctor.report import as_json as diagnosis_as_json
    from ritornello.corpus.doctor.report import summarize
    from ritornello.corpus.doctor.report_terminal import TerminalReport

    outputs: dict[str, Any] = {"html": html, "copy_clean": copy_clean}
    with progress_bars(not (quiet or as_json)) as update:
        diagnosis = doctor(folder, progress=update, **outputs, **options)
    lines = [f"{html}   the report as a page"] if html else []
    lines += [f"{copy_clean}   {diagnosis.copied:,} songs copied"] if copy_clean else []
    result = diagnosis_as_json(diagnosis) if as_json else {}
    print_result(result, TerminalReport(summarize(diagnosis)), *lines, as_json=as_json, quiet=quiet)
