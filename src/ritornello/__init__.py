"""Ritornello learns from a folder of MIDI files and composes new songs.

    import ritornello as r

    r.prepare("midi/", "corpus/")
    r.train("corpus/", "model/", minutes=10)
    song = r.compose("model/", bars=16, seed=7)
    song.write("song.mid")

The names below are the public interface; each is imported when it is first used, so that composing never
pays for what only training needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Corpus": "corpus",
    "Model": "model",
    "Plan": "plan",
    "Score": "score",
    "Song": "song",
    "Timeline": "timeline",
    "compose": "composer",
    "compose_many": "composer",
    "doctor": "checkup",
    "judge": "judgement",
    "learn": "learner",
    "measure": "workflow",
    "prepare": "workflow",
    "read": "midi",
    "redo": "composer",
    "render": "workflow",
    "replay": "composer",
    "train": "workflow",
    "write": "midi",
}

if TYPE_CHECKING:
    from ritornello.checkup import doctor as doctor
    from ritornello.composer import compose as compose
    from ritornello.composer import compose_many as compose_many
    from ritornello.composer import redo as redo
    from ritornello.composer import replay as replay
    from ritornello.corpus import Corpus as Corpus
    from ritornello.judgement import judge as judge
    from ritornello.learner import learn as learn
    from ritornello.midi import read as read
    from ritornello.midi import write as write
    from ritornello.model import Model as Model
    from ritornello.plan import Plan as Plan
    from ritornello.score import Score as Score
    from ritornello.song import Song as Song
    from ritornello.timeline import Timeline as Timeline
    from ritornello.workflow import measure as measure
    from ritornello.workflow import prepare as prepare
    from ritornello.workflow import render as render
    from ritornello.workflow import train as train

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ritornello' has no attribute {name!r}")
    return getattr(import_module(f"ritornello.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
