"""`ritornello genres`: list the labels of a model."""

import shlex

import click

from ritornello.cli.common import PATH, output_options, print_result


@click.command("genres")
@click.argument("model", type=PATH, required=False)
@output_options
def command(model: str | None, as_json: bool, quiet: bool) -> None:
    """List the labels of MODEL, or of the bundled model, with their usual instruments, meters and tempi.

    Below each label is a command that composes such a song. The mark says how well the model composes it: how
    often the detector of `ritornello judge` can tell a composed song from a song that people wrote.

    \b
    ritornello genres
    ritornello genres model
    """
    from ritornello.composing import compose

    genres = compose.genres(model)
    model_text = f" {shlex.quote(model)}" if model else ""
    tempi = ["-".join(map(str, dict.fromkeys(genre.tempo_bpm))) for genre in genres]
    lines = [
        f"{genre.label:<24} {genre.songs:>6,} songs, {', '.join(genre.parts)}\n"
        f"    {' or '.join(genre.meters)}, {tempo} bpm; {genre.mark}\n"
        f"    ritornello compose{model_text} --genre {shlex.quote(genre.label)}"
        for genre, tempo in zip(genres, tempi, strict=True)
    ]
    lines = lines or ["this model has no labels: ritornello compose" + model_text]
    print_result(
        {"genres": [{**genre._asdict(), "mark": genre.mark} for genre in genres]},
        *lines,
        as_json=as_json,
        quiet=quiet,
    )
