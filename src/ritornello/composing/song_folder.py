"""A folder of several composed songs: numbered files, and a page that shows them all."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from ritornello.composing.song import Song
from ritornello.rendering import palette, roll
from ritornello.system.files import file_path, write_bytes
from ritornello.system.templates import fill_template

INDEX = "index.html"
ROLL_WIDTH = 1200  # pixels


class SongFolder:
    """A folder for `count` songs: 01.mid, 02.mid and so on, with recipes, piano rolls and a page, index.html.

    The page shows the songs written so far, with the command that composes each one again.
    """

    def __init__(self, folder: str | Path, count: int) -> None:
        digits = len(str(count))
        self.folder = file_path(folder, "folder")
        self.midi_files = [self.folder / f"{number:0{digits}}.mid" for number in range(1, count + 1)]
        self.songs: dict[int, Song] = {}

    @property
    def files(self) -> list[Path]:
        """All files of the folder after all songs are written."""
        endings = (".mid", ".json", ".png")
        songs = [file.with_suffix(ending) for file in self.midi_files for ending in endings]
        return [*songs, self.folder / INDEX]

    def write(self, song: Song, number: int) -> Path:
        """Write the song `number` (from 0), and the page again; returns its MIDI file. Raises OutputError."""
        file = self.midi_files[number]
        song.write_with_recipe(file)
        roll.png(song.score, file.with_suffix(".png"), width=ROLL_WIDTH)
        self.songs[number] = song
        rows = [self._row(number) for number in sorted(self.songs)]
        page = fill_template("songs.html", title=f"{len(rows)} songs", songs=rows, palette=palette)
        write_bytes(self.folder / INDEX, page.encode())
        return file

    def _row(self, number: int) -> dict[str, str]:
        """Return the values of the page's template for a song."""
        file, song = self.midi_files[number], self.songs[number]
        code = f" --representation {shlex.quote(song.recipe.code)}" if song.recipe.code else ""
        return {
            "name": file.stem,
            "plan": str(song.plan),
            "again": f"ritornello compose --recipe {file.stem}.json{code} -o {file.name}",
            "render": f"ritornello render {file.name} -o {file.stem}/",
        }


def write_songs(songs: Sequence[Song], folder: str | Path) -> list[Path]:
    """Write songs to a folder as numbered MIDI files with recipes, piano rolls, and a page, index.html.

    Returns the MIDI files. Raises OutputError.
    """
    written = SongFolder(folder, len(songs))
    return [written.write(song, number) for number, song in enumerate(songs)]
