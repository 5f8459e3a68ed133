"""`ritornello doctor`: check a folder of MIDI files."""

from typing import Any

import click

from ritornello.cli.common import (
    PATH,
    option,
    output_options,
    overwrite_option,
    print_result,
    progress_bars,
    reading_options,
)


@click.command("doctor")
@click.argument("folder", type=PATH)
@option("--html", "Also write the report as a web page with piano rolls.", PATH)
@option("--copy-clean", "Copy the songs that a model can be trained on to a new folder.", PATH)
@reading_options
@option("--cache", "The folder for the results, instead of your cache folder.", PATH)
@overwrite_option
@output_options
def command(
    folder: str,
    html: str | None,
    copy_clean: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Report which files below FOLDER can be trained on, why others cannot, and what to do about them.

    Your files are not changed. The results are kept in your cache folder, so a second run reads only new
    files.

    \b
    ritornello doctor ~/Music/midi
    ritornello doctor ~/Music/midi --html report.html
    ritornello doctor ~/Music/midi --copy-clean ~/Music/clean
    """
    from ritornello.corpus.doctor.doctor import doctor
    from ritornello.corpus.doctor.report import as_json as diagnosis_as_json
    from ritornello.corpus.doctor.report import summarize
    from ritornello.corpus.doctor.report_terminal import TerminalReport
    from ritornello.system.made_files import writing

    outputs: dict[str, Any] = {"html": html, "copy_clean": copy_clean}
    with writing([html], overwrite), progress_bars(not (quiet or as_json)) as update:
        diagnosis = doctor(folder, progress=update, **outputs, **options)
    lines = [f"{html}   the report as a page"] if html else []
    lines += [f"{copy_clean}   {diagnosis.copied:,} songs copied"] if copy_clean else []
    result = diagnosis_as_json(diagnosis) if as_json else {}
    print_result(result, TerminalReport(summarize(diagnosis)), *lines, as_json=as_json, quiet=quiet)
