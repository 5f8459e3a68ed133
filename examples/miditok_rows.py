"""A tokenizer of MidiTok as a representation: one row a token, for the same commands as `notes`.

    pip install miditok
    ritornello train corpus --out model --size tiny --representation examples/miditok_rows.py:Remi
    ritornello measure model --on corpus --representation examples/miditok_rows.py:Remi
    ritornello compose model --bars 16 --representation examples/miditok_rows.py:Remi -o song.mid

Other tokenizers are subclasses of `TokenRows` with another `tokenizer`. There is one choice a row, the token,
so echo, alone, form and the sampling rules of `notes` do not exist here: a network learns tokens alone. What
is drawn in composing is what is measured: every token of the vocabulary but PAD, with no grammar in either.
Bytes of MIDI are the way from a Score to the tokenizer and back (MidiTok: Fradet et al. 2021).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import symusic
from miditok import REMI, TSD, MusicTokenizer, TokenizerConfig

from ritornello import midi
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.simple import SimpleCursor, SimpleRepresentation
from ritornello.representations.table import Field, Rows

MAX_TOKENS_OF_A_BAR = 256  # a song that is composed ends after so many for each of its bars
END = "EOS_None"
CONFIG: dict[str, Any] = {
    "pitch_range": (0, 127),
    "beat_res": {(0, 4): GRID, (4, 16): 4},
    "num_velocities": 32,
    "special_tokens": ["PAD", "EOS"],
    "use_programs": True,
    "use_time_signatures": True,
}


class TokenCursor(SimpleCursor):
    """B songs that are composed token by token; each ends with EOS, or before a bar too many begins."""

    def __init__(self, fields: Sequence[Field], bars: Sequence[int], names: Sequence[str]) -> None:
        """`bars` (B,) are the lengths of the songs, `names` the tokens of the vocabulary."""
        super().__init__(fields, [MAX_TOKENS_OF_A_BAR * count for count in bars])
        self.bars_left = np.array(bars)
        self.is_bar = np.array([name == "Bar_None" for name in names])
        self.end = list(names).index(END)

    def allowed(self, field: str) -> npt.NDArray[np.bool_]:
        """Which tokens may come next, (B, size + 1): all but PAD; after the end only the void class."""
        tokens = super().allowed(field)
        tokens[:, 0] = False
        return tokens

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Take the next tokens (B,)."""
        live, row = ~self.done, self.row
        super().put(field, values)
        token = self.values[:, row, 0] if row < self.values.shape[1] else np.zeros(len(live), np.int16)
        self.bars_left -= live & self.is_bar[token]
        ends = live & ((token == self.end) | (self.bars_left < 0))
        self.lengths[ends] = row  # the last token is left out


class TokenRows(SimpleRepresentation):
    """Rows of one choice, the token of a MidiTok tokenizer that has one stream for all programs."""

    tokenizer: ClassVar[MusicTokenizer]
    names: ClassVar[list[str]]  # of the tokens, by their numbers
    steps: ClassVar[npt.NDArray[np.bool_]]  # which tokens are pitches that can be transposed

    def __init_subclass__(cls) -> None:
        """Read the vocabulary of the subclass's tokenizer."""
        numbers: dict[str, int] = cls.tokenizer.vocab
        cls.names = sorted(numbers, key=lambda name: numbers[name])
        cls.steps = np.array([name.split("_")[0] == "Pitch" for name in cls.names])
        cls.fields = (Field("token", len(cls.names), "choice"),)

    def encode(self, score: Score, timeline: Timeline | None = None, given: Collection[str] = ()) -> Rows:
        """Return the tokens (N, 1) of a song, and EOS; the loss counts all of them."""
        file = symusic.Score.from_midi(midi.to_bytes(score)[0])
        ids = [*self.tokenizer.encode(file).ids, self.names.index(END)]
        values = np.array(ids, np.int16)[:, None]
        return Rows(values, np.ones(values.shape, bool))

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """Return the song of tokens (N, 1) with the meters and tempo of the plan.

        Tokens in an order that the tokenizer does not know are passed over, as MidiTok does.
        """
        ids = [int(token) for token in values[:, 0] if 0 < token < len(self.names)]
        file = self.tokenizer.decode(ids)
        song = midi.parse(file.dumps_midi()).score if file.note_num() else Score.of(GRID, [], [], [], [])
        scale = GRID / song.ticks_per_beat
        onset, end = (
            np.rint(ticks * scale).astype(int)
            for ticks in (song.onset_ticks, song.onset_ticks + song.duration_ticks)
        )
        notes = onset, np.maximum(end - onset, 1), song.pitch, song.velocity, song.part
        return Score.of(GRID, *notes, song.parts, **plan.events(GRID))

    def transposition_range(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """Return by how many semitones tokens (N, 1) may be transposed down (at most 0) and up."""
        tokens = values[:, 0][self._is_pitch(values[:, 0])]
        lowest, *_, highest = np.flatnonzero(self.steps)
        return (int(lowest - tokens.min()), int(highest - tokens.max())) if len(tokens) else (0, 0)

    def augmented(self, values: npt.NDArray[Any], semitones: int, bins: int = 0) -> npt.NDArray[Any]:
        """Return tokens (N, 1) transposed; they are not made louder."""
        moved: npt.NDArray[Any] = values.copy()
        moved[self._is_pitch(values)] += semitones
        return moved

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Return the name of each token (N, 1)."""
        return [self.names[token] for token in values[:, 0].tolist()]

    def cursor(
        self, timelines: Sequence[Timeline], given: Any = None, prompts: Any = None, hidden: Any = ()
    ) -> TokenCursor:
        """Return the state of sampling songs of these bars; nothing can be given."""
        return TokenCursor(self.fields, [len(timeline) for timeline in timelines], self.names)

    def _is_pitch(self, tokens: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which tokens, of any shape, are pitches; not those of drums, and not void."""
        found: npt.NDArray[np.bool_] = np.append(self.steps, False)[tokens]
        return found


class Remi(TokenRows):
    """REMI with programs in one stream, also known as REMI+ (Huang and Yang 2020, von Rütte et al. 2023)."""

    name = "remi"
    tokenizer = REMI(TokenizerConfig(**CONFIG, one_token_stream_for_programs=True))


class Tsd(TokenRows):
    """Time shifts and durations, without bars: a song ends where the network ends it."""

    name = "tsd"
    tokenizer = TSD(TokenizerConfig(**{**CONFIG, "use_time_signatures": False}))
