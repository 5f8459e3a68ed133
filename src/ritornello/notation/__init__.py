"""Songs in other formats than MIDI: MusicXML, ABC and Humdrum kern, converted to MIDI by other libraries."""

from ritornello.notation.convert import to_midi as to_midi
from ritornello.notation.formats import NOTATION_ENDINGS as NOTATION_ENDINGS
from ritornello.notation.formats import format_of as format_of
from ritornello.notation.formats import split_abc as split_abc
from ritornello.notation.reading import parse_notation as parse_notation
