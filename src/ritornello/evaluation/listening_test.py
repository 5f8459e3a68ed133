"""Make a page for a blind listening test of several folders of songs.

The page is one HTML file with its sounds and its script, so it works offline and can be sent alone. It does
not contain the folder of a song: this is in `key.json`, which listeners do not get. `listening_results` reads
the key and the ratings.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from ritornello.errors import InputError, check_between
from ritornello.evaluation.controls import marginals
from ritornello.evaluation.inputs import LabelledScore, open_songs
from ritornello.music.score import Score
from ritornello.rendering import audio
from ritornello.rendering.audio import sound_file
from ritornello.rendering.audio.soundfont import Signal
from ritornello.system.extras import require_extra
from ritornello.system.files import check_writable, write_bytes, write_json
from ritornello.system.progress import Progress, no_progress
from ritornello.system.templates import fill_template
from ritornello.system.version import __version__

PAGE, KEY = "listen.html", "key.json"
ANCHOR = "anchor"
ANCHOR_FILE = "notes drawn independently"
RATE_HZ = 44_100
FADE_S = 1.0  # the fade at the end of an excerpt
SCALE = (1, 5)  # the lowest and the highest rating
# The four criteria of the task Symbolic Music Generation of MIREX 2025; the wording is our own, because that
# task continues a prompt and this test has none
QUESTIONS = {
    "coherency": "Do its notes, parts and bars belong together?",
    "structure": "Does it have a form: phrases, things that come back, a direction?",
    "creativity": "Is it interesting and inventive?",
    "musicality": "Taken as a whole, is it good music?",
}


class Excerpt(NamedTuple):
    """The excerpt of one song that listeners rate."""

    system: str  # the name of its folder
    file: str  # the name of its file
    sound: bytes  # an MP3 file


def make_listening_test(
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    songs: int = 5,
    seconds: float = 30.0,
    anchor: bool = True,
    seed: int = 0,
    soundfont: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the page `listen.html` and `key.json` to the folder `out`, and return the key.

    Each folder (or corpus) is a system, which has its name. `songs` songs of each are drawn with `seed`, and
    their first `seconds` seconds are rendered by Ritornello's own synthesizer, all equally loud. With
    `anchor`, as many excerpts of noise are hidden among them: notes whose values are drawn independently from
    the songs of the first folder. High ratings of the noise show careless listening. Raises InputError,
    OutputError.
    """
    check_between("songs", songs, 1, 100)
    check_between("seconds", seconds, 5, 600)
    check_between("seed", seed, 0, (1 << 63) - 1)
    require_extra("audio", "soundfile")
    out = Path(out)
    check_writable(out / PAGE)
    audio.find_soundfont(soundfont)
    draw = np.random.default_rng(seed)
    scores = {name: _drawn_songs(path, songs, draw) for name, path in _names(folders).items()}
    if anchor:
        first = [song.score for song in next(iter(scores.values()))]
        scores[ANCHOR] = [LabelledScore(ANCHOR_FILE, score) for score in marginals(first, draw)]
    excerpts = list(_excerpts(scores, seconds, soundfont, progress or no_progress))
    order = draw.permutation(len(excerpts))
    items = {draw.bytes(4).hex(): excerpts[number] for number in order.tolist()}
    return _write(out, items, list(scores), seconds, seed)


def _names(folders: Sequence[str | Path]) -> dict[str, Path]:
    """The folders by the names of their systems. Raises InputError for fewer than two, or for equal names."""
    named = {Path(folder).resolve().name: Path(folder) for folder in folders}
    if len(folders) < 2 or len(named) < len(folders):
        raise InputError(f"folders {', '.join(map(str, folders))}: must be two or more, with different names")
    if ANCHOR in named:
        raise InputError(f"folder {ANCHOR!r}: must have another name, because the hidden noise has this one")
    return named


def _drawn_songs(folder: Path, count: int, draw: np.random.Generator) -> list[LabelledScore]:
    """Draw songs of a folder. Raises InputError if it has too few that can be read."""
    songs = list(open_songs(folder))
    if len(songs) < count:
        raise InputError(f"{str(folder)!r} has {len(songs)} songs: must be {count} or more, or lower --songs")
    return [songs[number] for number in sorted(draw.permutation(len(songs))[:count].tolist())]


def _excerpts(
    scores: dict[str, list[LabelledScore]], seconds: float, soundfont: str | Path | None, progress: Progress
) -> Iterator[Excerpt]:
    """Render the beginning of each song."""
    total, done = sum(map(len, scores.values())), 0
    for system, songs in scores.items():
        for song in songs:
            yield Excerpt(system, song.name, mp3(render_beginning(song.score, seconds, soundfont)))
            done += 1
            progress(done, total, "rendering")


def render_beginning(score: Score, seconds: float, soundfont: str | Path | None = None) -> Signal:
    """Return the first `seconds` seconds of a song as (2, N) samples; a longer song fades out at the end."""
    is_early = score.seconds(score.onset_ticks) < seconds
    is_early[:1] = True  # a song that begins late is not empty
    sound = audio.render(score.select(is_early), soundfont=soundfont, rate=RATE_HZ)
    length = round(seconds * RATE_HZ)
    if sound.shape[1] <= length:
        return sound
    cut: Signal = sound[:, :length].copy()
    fade = min(length, round(FADE_S * RATE_HZ))
    cut[:, length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return cut


def mp3(sound: Signal) -> bytes:
    """Return samples (2, N) as an MP3 file, which every browser plays and which does not name its song.

    Raises InputError and FailedError as `sound_file.write` does.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder, "song.mp3")
        sound_file.write(sound, file, RATE_HZ)
        return file.read_bytes()


def _write(
    out: Path, items: dict[str, Excerpt], systems: list[str], seconds: float, seed: int
) -> dict[str, Any]:
    """Write the page and the key; return the key."""
    digest = hashlib.sha256(b"".join(name.encode() + each.sound for name, each in items.items()))
    test = digest.hexdigest()[:12]
    key = {
        "ritornello": __version__,
        "test": test,
        "systems": systems,
        "questions": list(QUESTIONS),
        "seconds": seconds,
        "seed": seed,
        "items": {name: {"system": each.system, "file": each.file} for name, each in items.items()},
    }
    data = {
        "test": test,
        "names": list(QUESTIONS),
        "questions": QUESTIONS,
        "scale": SCALE,
        "items": list(items),
    }
    sounds = {name: b64encode(each.sound).decode() for name, each in items.items()}
    page = fill_template("listen.html", title="Listening test", data=data, sounds=sounds, seconds=seconds)
    write_bytes(out / PAGE, page.encode())
    write_json(out / KEY, key)
    return key
