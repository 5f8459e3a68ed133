"""Songs in files of all formats, also packed: MIDI, and MusicXML, ABC and Humdrum kern.

Other libraries convert the latter three to MIDI.
"""

from ritornello.notation.convert import to_midi as to_midi
from ritornello.notation.formats import NOTATION_ENDINGS as NOTATION_ENDINGS
from ritornello.notation.formats import format_of as format_of
from ritornello.notation.formats import split_abc as split_abc
from ritornello.notation.reading import parse_notation as parse_notation
from ritornello.notation.song_file import SongFile as SongFile
from ritornello.notation.song_file import open_song as open_song
from ritornello.notation.song_file import read as read
