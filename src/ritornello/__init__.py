"""Ritornello learns from a folder of MIDI files and composes new songs.

    import ritornello as r

    r.prepare("midi/", "corpus/")
    r.train("corpus/", "model/", minutes=10)
    song = r.compose("model/", bars=16, seed=7)
    song.write("song.mid")

The names in `__all__` are the public interface. Each is imported when it is first used, so that composing
does not import what only training needs. Type checkers read `__init__.pyi`.
"""

from importlib import import_module
from typing import Any

from ritornello.system.version import __version__

_MODULES = {
    "Corpus": "corpus.corpus",
    "Model": "models.model",
    "Plan": "music.plan",
    "Score": "music.score",
    "Song": "composing.song",
    "Timeline": "music.timeline",
    "change": "composing.change_song",
    "compose": "composing.compose",
    "compose_many": "composing.compose",
    "doctor": "corpus.doctor.doctor",
    "jam": "playing.jam",
    "judge": "evaluation.judge",
    "learn": "learning.learn",
    "measure": "evaluation.measure",
    "pack": "models.packing",
    "perform": "composing.performed_files",
    "play": "playing.play",
    "prepare": "corpus.prepare",
    "read": "notation",
    "reaper": "composing.reaper_script",
    "redo": "composing.compose",
    "render": "rendering.render",
    "replay": "composing.compose",
    "sketch": "composing.compose",
    "train": "training.train",
    "vary": "composing.compose",
    "write": "midi",
    "write_songs": "composing.song_folder",
}

__all__ = ["__version__", *sorted(_MODULES)]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ritornello' has no attribute {name!r}")
    return getattr(import_module(f"ritornello.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
