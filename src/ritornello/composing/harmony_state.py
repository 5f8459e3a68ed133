"""The chords of a song and the tones of the present one that were composed, for the rules of harmony."""

from __future__ import annotations

from bisect import bisect_right

from ritornello.composing.request import Request
from ritornello.music.chord import NO_BASS, Chord
from ritornello.music.chord_names import chord_tones
from ritornello.music.instrument_ranges import pitch_range
from ritornello.music.sketch import UNKNOWN
from ritornello.music.theory import CHORDS, family
from ritornello.representations.grid.texture import textures_by_part
from ritornello.representations.grid.vocabulary import DRUM_PART, part_classes, part_of_class

NO_TONES: frozenset[int] = frozenset()


class HarmonyState:
    """The chords of a request, and the composed tones of the present chord. Tones are pitch classes."""

    def __init__(self, request: Request) -> None:
        self._onsets = [chord.onset_ticks for chord in request.plan.chords]
        self._chords = request.plan.chords
        self._tones = [chord_tones(chord) for chord in self._chords]
        self._requested = frozenset(request.parts or ())
        self.parts = _low_to_high(request)
        self._number = -1  # the index of the present chord, that at the last note
        self._missing: set[int] = set()  # the further tones of the present chord that were not composed yet
        self._bass_bar = -1  # the last bar in which a note of the bass part was composed during this chord
        self._onset = -1
        self._struck: set[int] = set()  # tones of composed notes at the last onset

    @classmethod
    def of(cls, request: Request) -> HarmonyState | None:
        """Return the state of a request; None if the network itself can represent all chords of its plan."""
        plan = request.plan
        is_needed = plan.mode or any(chord.suffix or chord.bass != NO_BASS for chord in plan.chords)
        return cls(request) if is_needed else None

    def add(self, onset: int, part: int, pitch: int, bar: int, playing: tuple[int, ...]) -> None:
        """Read a new note (ticks, part class, pitch) in a bar, and the parts that play in that bar."""
        if part == DRUM_PART:
            return
        number = self._number_at(onset)
        if number != self._number:
            self._number, self._missing, self._bass_bar = number, set(self._further_tones(number)), -1
        self._missing.discard(pitch % 12)
        if part == self.bass_part(playing):
            self._bass_bar = bar
        self._struck = self._struck if onset == self._onset else set()
        self._onset = onset
        self._struck.add(pitch % 12)

    def chord_at(self, tick: int) -> Chord | None:
        """Return the chord at a tick; None before the first."""
        number = self._number_at(tick)
        return self._chords[number] if number >= 0 else None

    def tones_at(self, tick: int) -> frozenset[int]:
        """Return the tones of the chord at a tick, with its bass."""
        number = self._number_at(tick)
        return self._tones[number] if number >= 0 else NO_TONES

    def struck_at(self, tick: int) -> frozenset[int]:
        """Return the tones of the composed notes that begin at a tick."""
        return frozenset(self._struck) if tick == self._onset else NO_TONES

    def missing_at(self, tick: int) -> frozenset[int]:
        """Return the further tones of the chord at a tick that were not composed yet."""
        number = self._number_at(tick)
        return frozenset(self._missing) if number == self._number else self._further_tones(number)

    def wrong_at(self, tick: int) -> frozenset[int]:
        """Return the tones that the nearest kind of the chord at a tick has, but the chord itself has not."""
        number = self._number_at(tick)
        return self._kind_tones(number) - self._tones[number] if number >= 0 else NO_TONES

    def elapsed_share(self, tick: int) -> float:
        """Return the share of the chord's duration, 0-1, that lies before a tick.

        It is 0 for the last chord, whose end is not known here, and before the first chord.
        """
        number = self._number_at(tick)
        if not 0 <= number < len(self._onsets) - 1:
            return 0.0
        start, end = self._onsets[number : number + 2]
        return (tick - start) / (end - start)

    def bass_is_due(self, tick: int, bar: int) -> bool:
        """Whether the bass part has no note yet in a bar during the chord at a tick."""
        return self._number_at(tick) != self._number or self._bass_bar < bar

    def next_bass_tick(self, tick: int) -> int:
        """Return the tick of the next chord after a tick if it is a slash chord, else -1."""
        number = self._number_at(tick) + 1
        is_slash = number < len(self._chords) and self._chords[number].bass != NO_BASS
        return self._onsets[number] if is_slash else -1

    def bass_part(self, playing: tuple[int, ...]) -> int:
        """Return the lowest part of those that play in a bar and of those with given notes; -1 for none."""
        return next((part for part in self.parts if part in playing or part not in self._requested), -1)

    def _number_at(self, tick: int) -> int:
        return bisect_right(self._onsets, tick) - 1

    def _kind_tones(self, number: int) -> frozenset[int]:
        chord = self._chords[number]
        if chord.is_silent:
            return NO_TONES
        return frozenset((chord.root + step) % 12 for step in CHORDS[chord.kind][1])

    def _further_tones(self, number: int) -> frozenset[int]:
        """Return the tones of a chord that its nearest kind lacks, apart from its bass."""
        if number < 0:
            return NO_TONES
        return self._tones[number] - self._kind_tones(number) - {self._chords[number].bass}


def _low_to_high(request: Request) -> tuple[int, ...]:
    """Return the classes of the plan's pitched parts, from low to high: basses first.

    Their height is the planned mean pitch, or else the middle of the instrument's range.
    """
    textures = textures_by_part(request.plan.sketch)

    def height(part: int) -> tuple[bool, float]:
        planned = [pitch for notes, pitch in textures.get(part, ()) if notes and pitch != UNKNOWN]
        program = part_of_class(part).program
        mean = sum(planned) / len(planned) if planned else sum(pitch_range(program)) / 2
        return family(program) != "bass", mean

    pitched = {part for part in part_classes(request.plan.parts).tolist() if part != DRUM_PART}
    return tuple(sorted(pitched, key=height))
