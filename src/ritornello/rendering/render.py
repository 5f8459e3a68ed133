"""Write a song as sound, picture, sheet music or MIDI by the ending of a file, or all to a folder."""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from ritornello import midi, notation
from ritornello.errors import InputError
from ritornello.music.drum_maps import from_drum_map as drums_from
from ritornello.music.drum_maps import to_drum_map as drums_to
from ritornello.music.midi_song import MidiSong
from ritornello.music.score import Score
from ritornello.rendering import audio, palette, roll, roll_contents, sheet
from ritornello.rendering.roll_layout import picture_width
from ritornello.rendering.stems import write_stems
from ritornello.system.files import check_regular, check_writable, file_path, write_bytes, write_json
from ritornello.system.templates import fill_template

Writers = dict[str, Callable[[Path], object]]
MUSICXML_ENDINGS = (".musicxml", ".xml")
PICTURE_ENDINGS = (".png", ".svg")
ENDINGS = (*audio.FORMATS, *PICTURE_ENDINGS, *MUSICXML_ENDINGS, *midi.MIDI_ENDINGS)
# The files of a folder, each with its key in the table of `_writers`
FORMATS_OF_A_FOLDER = {"song.mid": ".mid", "song.ogg": ".ogg", "roll.png": "roll.png"}
FORMATS_OF_A_FOLDER |= {"score.musicxml": ".musicxml", "score.svg": "sheet.svg"}
FILES_OF_A_FOLDER = (*FORMATS_OF_A_FOLDER, "recipe.json", "index.html")


@runtime_checkable
class RecipeLike(Protocol):
    """An object with the content of a recipe, as Recipe is, which this module does not import."""

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON can hold it."""
        ...


class RenderResult(NamedTuple):
    """The result of rendering a song."""

    files: tuple[Path, ...]  # that were written
    missing: dict[str, str]  # files of a folder that could not be written: the reason of each
    dropped: dict[str, int]  # events of the song that its MIDI file lacks: their number by kind


def render(
    song: str | Path | Score | MidiSong,
    out: str | Path,
    *,
    picture: Literal["roll", "sheet"] = "roll",
    recipe: str | Path | dict[str, Any] | RecipeLike | None = None,
    grid: Score | None = None,
    soundfont: str | Path | None = None,
    synth: audio.Synth = "own",
    rate: int = 44_100,
    max_minutes: float = audio.MAX_MINUTES,
    max_bars: int = sheet.MAX_BARS_OF_SHEET_MUSIC,
    bits: int | None = None,
    stems: str | None = None,
    from_drum_map: str | None = None,
    to_drum_map: str | None = None,
) -> RenderResult:
    """Write a song (a Score, a song file or a composed song) to `out`, in the format of its ending.

    If `out` is a folder (see `is_folder`), all formats are written to it, with an HTML page and the `recipe`
    (a file, its content or a Recipe; by default that of a composed song). With `stems` ("wav", "flac" or
    "mid"), the folder gets a MIDI and a sound file for each part instead (see `write_stems`). .png and .svg
    files show `picture`.

    Sheet music ignores the pedal and has at most `max_bars` bars; of a performed song it shows `grid`, the
    song on its grid. Sound lasts at most `max_minutes`; it has `rate` samples a second, in .wav and .flac of
    16 or 24 `bits` (default: 16, of stems 24). `from_drum_map` is the drum map of the song, `to_drum_map`
    that of written MIDI files (names of DRUM_MAPS; default: General MIDI). Raises InputError, FailedError,
    OutputError.
    """
    out_is_folder = is_folder(out)
    path = Path(out)
    sheet.check(max_bars)
    audio.sound_file.check_bits(bits or 16)
    _check_choice("picture", picture, ("roll", "sheet"))
    content = _recipe_content(getattr(song, "recipe", None) if recipe is None else recipe)
    if isinstance(song, MidiSong):
        grid = grid or song.score_on_grid()
    score, written, dropped = _read_song(song, from_drum_map)
    for_midi, lost = written, 0
    if to_drum_map is not None:
        for_midi, lost = drums_to(written, to_drum_map)
    to_write = song if isinstance(song, MidiSong) and from_drum_map is to_drum_map is None else for_midi
    dropped |= {"drum notes that the kit does not have": lost} if lost else {}
    sound = {"soundfont": soundfont, "synth": synth, "rate": rate, "max_minutes": max_minutes}
    if stems is not None:
        if not out_is_folder:
            raise InputError(f"{str(out)!r} must be a folder for stems, such as stems/")
        return RenderResult(write_stems(score, for_midi, path, stems, bits or 24, **sound), {}, dropped)
    sound["bits"] = bits or 16
    writers = _writers(score, grid or written, to_write, max_bars, sound)
    if out_is_folder:
        audio.check(score, rate=rate, max_minutes=max_minutes)
        return _write_folder(score, path, writers, content)._replace(dropped=dropped)
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise InputError(f"{path.name!r} must end in {', '.join(ENDINGS)}, or be a folder")
    if kind in PICTURE_ENDINGS and not len(score):
        raise InputError("the song has no notes to draw")
    check_writable(path)
    writers[f"{picture}{kind}" if kind in PICTURE_ENDINGS else kind](path)
    return RenderResult((path,), {}, dropped if kind in midi.MIDI_ENDINGS else {})


def _check_choice(name: str, value: object, known: Collection[str]) -> None:
    """Raise InputError unless a value is one of some words."""
    if not (isinstance(value, str) and value in known):
        raise InputError(f"{name} {value!r:.60}: must be {' or '.join(known)}")


def _read_song(song: str | Path | Score | MidiSong, kit: str | None) -> tuple[Score, Score, dict[str, int]]:
    """The song for sound and pictures, the song with details for sheet music and MIDI, and dropped events.

    `kit` is the drum map of the song; None means General MIDI.
    """
    if isinstance(song, Score):
        score = written = song
        dropped = dict[str, int]()
    else:
        file = notation.open_song(song)
        score = file.parse().score
        written, dropped = file.parse(pedal="ignore", with_details=True)
    if kit is not None:
        score, written = drums_from(score, kit), drums_from(written, kit)
    return score, written, dict(dropped)


def is_folder(out: str | Path) -> bool:
    """Whether `out` is a folder: one that exists, or a path that ends with a slash or has no ending.

    Raises InputError for what is neither the name of a file nor of a folder: "", "-" and ".png", and for a
    folder that exists as a file.
    """
    path = file_path(out)
    if path.name == "-":
        raise InputError(f"{str(out)!r}: must be the path of a file or a folder, not standard output")
    if path.name.lower() in (*ENDINGS, ".json") and not path.is_dir():
        raise InputError(f"{str(out)!r}: must have a name before its ending, such as song{path.name}")
    is_named_folder = str(out).endswith("/") or path.is_dir() or not path.suffix
    if is_named_folder and path.exists() and not path.is_dir():
        raise InputError(f"{str(out)!r} exists and is no folder: must be a folder, or a file with an ending")
    return is_named_folder


def _writers(
    score: Score, written: Score, for_midi: Score | MidiSong, max_bars: int, sound: dict[str, Any]
) -> Writers:
    """The function that writes each format, by ending; for pictures by "roll" or "sheet" and ending.

    `written` is the song for sheet music, `for_midi` the song for MIDI.
    """
    writers: Writers = {
        "roll.png": lambda path: roll.png(score, path),
        "roll.svg": lambda path: roll.svg(score, path),
        "sheet.png": lambda path: sheet.png(written, path, max_bars=max_bars),
        "sheet.svg": lambda path: sheet.svg(written, path, max_bars=max_bars),
    }
    writers |= dict.fromkeys(MUSICXML_ENDINGS, lambda path: sheet.musicxml(written, path, max_bars=max_bars))
    writers |= dict.fromkeys(midi.MIDI_ENDINGS, lambda path: midi.write(for_midi, path))
    return writers | dict.fromkeys(audio.FORMATS, lambda path: audio.write(score, path, **sound))


def _write_folder(
    score: Score, folder: Path, writers: Writers, recipe: dict[str, Any] | None
) -> RenderResult:
    """Write all formats to a folder; those that raise InputError are left out and listed as missing."""
    files = {name: writers[kind] for name, kind in FORMATS_OF_A_FOLDER.items()}
    for name in FILES_OF_A_FOLDER:
        check_regular(folder / name)
    if recipe is not None:
        files["recipe.json"] = lambda path: write_json(path, recipe)
    done: list[str] = []
    missing: dict[str, str] = {}
    for name, write in files.items():
        try:
            write(folder / name)
        except InputError as error:
            missing[name] = str(error)
        else:
            done.append(name)
    write_bytes(folder / "index.html", song_page(score, done).encode())
    return RenderResult(tuple(folder / name for name in (*done, "index.html")), missing, {})


def song_page(score: Score, files: Collection[str]) -> str:
    """The page of a folder that contains `files`: it plays the sound and shows the pictures."""
    title, bars = roll_contents.printable(score.title) or "A song", roll_contents.shown_bars(score)
    values = {"summary": roll_contents.summary_line(score, bars), "roll_width": picture_width(bars)}
    return fill_template("song.html", title=title, files=files, palette=palette, **values)


def _recipe_content(recipe: str | Path | dict[str, Any] | RecipeLike | None) -> dict[str, Any] | None:
    """The content of a recipe, which JSON can hold. Raises InputError."""
    if recipe is None:
        return None
    if isinstance(recipe, RecipeLike):
        return recipe.to_dict()
    if not isinstance(recipe, dict):
        return _read_recipe(file_path(recipe, "recipe"))
    try:
        json.dumps(recipe, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"the recipe cannot be written as JSON: {error}") from None
    return recipe


def _read_recipe(path: Path) -> dict[str, Any]:
    """The content of a recipe file. Raises InputError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the recipe {str(path)!r}: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"the recipe {str(path)!r} contains a {type(content).__name__}: must be an object")
    return content
