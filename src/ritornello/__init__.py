"""Ritornello learns from a folder of MIDI files and composes new songs.

    import ritornello as r

    r.prepare("midi/", "corpus/")
    r.train("corpus/", "model/", minutes=10)
    song = r.compose("model/", bars=16, seed=7)
    song.write("song.mid")

The names in `__all__` are the public interface. Each is imported when it is first used, so that composing
does not import what only training needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ritornello.system.version import __version__

_MODULES = {
    "Corpus": "corpus.corpus",
    "Model": "models.model",
    "Plan": "music.plan",
    "Score": "music.score",
    "Song": "composing.song",
    "Timeline": "music.timeline",
    "compose": "composing.compose",
    "compose_many": "composing.compose",
    "doctor": "corpus.doctor.doctor",
    "judge": "evaluation.judge",
    "learn": "learning.learn",
    "measure": "evaluation.measure",
    "prepare": "corpus.prepare",
    "read": "notation",
    "redo": "composing.compose",
    "render": "rendering.render",
    "replay": "composing.compose",
    "train": "training.train",
    "write": "midi",
}

if TYPE_CHECKING:
    from ritornello.composing.compose import compose as compose
    from ritornello.composing.compose import compose_many as compose_many
    from ritornello.composing.compose import redo as redo
    from ritornello.composing.compose import replay as replay
    from ritornello.composing.song import Song as Song
    from ritornello.corpus.corpus import Corpus as Corpus
    from ritornello.corpus.doctor.doctor import doctor as doctor
    from ritornello.corpus.prepare import prepare as prepare
    from ritornello.evaluation.judge import judge as judge
    from ritornello.evaluation.measure import measure as measure
    from ritornello.learning.learn import learn as learn
    from ritornello.midi import write as write
    from ritornello.models.model import Model as Model
    from ritornello.music.plan import Plan as Plan
    from ritornello.music.score import Score as Score
    from ritornello.music.timeline import Timeline as Timeline
    from ritornello.notation import read as read
    from ritornello.rendering.render import render as render
    from ritornello.training.train import train as train

__all__ = ["__version__", *sorted(_MODULES)]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ritornello' has no attribute {name!r}")
    return getattr(import_module(f"ritornello.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
