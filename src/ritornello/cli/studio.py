"""`ritornello studio`: compose, hear, choose and change songs in the browser."""

import click

from ritornello.cli.common import PATH, option


@click.command("studio")
@click.argument("songs", type=PATH, required=False)
@option(
    "--music",
    "A folder of MIDI files to learn from, which is not changed; may be repeated.",
    PATH,
    multiple=True,
)
@option("--model", "The model folder; by default the bundled model.", PATH)
@option("--soundfont", "A soundfont (.sf2 or .sf3) to hear songs with; may be repeated.", PATH, multiple=True)
@option("--port", "The port of the page on this machine; 0 chooses a free one.", int, default=0)
@option("--no-browser", "Only print the address.", is_flag=True)
def command(
    songs: str | None,
    music: tuple[str, ...],
    model: str | None,
    soundfont: tuple[str, ...],
    port: int,
    no_browser: bool,
) -> None:
    """Open the studio in the browser: compose, hear, choose and change songs.

    The songs are kept in the folder SONGS (ritornello-songs), each with all its versions. The page is served
    on this machine alone, and opens only by the printed address, which has a token. Ctrl-C ends the studio.

    \b
    ritornello studio
    ritornello studio my-songs --music ~/Music/midi
    ritornello studio --no-browser --port 8642
    """
    from ritornello.studio.server import serve
    from ritornello.studio.settings import settings_of

    settings = settings_of(songs, music, soundfont, model)
    serve(settings, port, browser=not no_browser, on_ready=lambda address: click.echo(f"studio: {address}"))
