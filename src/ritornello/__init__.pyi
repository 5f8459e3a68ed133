"""The types of the public names, which `__init__.py` imports when they are first used."""

from ritornello.composing.change_song import change as change
from ritornello.composing.compose import compose as compose
from ritornello.composing.compose import compose_many as compose_many
from ritornello.composing.compose import redo as redo
from ritornello.composing.compose import replay as replay
from ritornello.composing.compose import sketch as sketch
from ritornello.composing.compose import vary as vary
from ritornello.composing.performed_files import perform as perform
from ritornello.composing.reaper_script import reaper as reaper
from ritornello.composing.song import Song as Song
from ritornello.composing.song_folder import write_songs as write_songs
from ritornello.corpus.corpus import Corpus as Corpus
from ritornello.corpus.doctor.doctor import doctor as doctor
from ritornello.corpus.prepare import prepare as prepare
from ritornello.evaluation.judge import judge as judge
from ritornello.evaluation.measure import measure as measure
from ritornello.learning.learn import learn as learn
from ritornello.midi import write as write
from ritornello.models.model import Model as Model
from ritornello.models.packing import pack as pack
from ritornello.music.plan import Plan as Plan
from ritornello.music.score import Score as Score
from ritornello.music.timeline import Timeline as Timeline
from ritornello.notation import read as read
from ritornello.playing.jam import jam as jam
from ritornello.playing.play import play as play
from ritornello.rendering.render import render as render
from ritornello.system.version import __version__ as __version__
from ritornello.training.train import train as train

__all__: list[str]
