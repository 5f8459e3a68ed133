"""Songs as MidiTok's REMI tokens, with what the reference needs to compare them: for `rivals.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.reference import reference

Ints = npt.NDArray[np.int64]

GRID = 24  # ticks a beat
LONGEST = 16 * GRID  # ticks, of a note


@dataclass(frozen=True)
class Song:
    """The tokens (L,) of a song, its notes before they were tokens, and what the reference adds in nats."""

    ids: Ints
    notes: int
    charge: float


class Remi:
    """MidiTok's REMI at 24 positions a beat and 32 velocities, and how wide its classes are."""

    def __init__(self) -> None:
        from miditok import REMI, TokenizerConfig

        config = TokenizerConfig(
            pitch_range=(0, 127),
            beat_res={(0, 4): 24, (4, 16): 4},
            num_velocities=32,
            use_time_signatures=True,
            use_pitchdrum_tokens=False,
            time_signature_range={4: list(range(1, 13))},
            special_tokens=["PAD", "BOS", "EOS"],
        )
        self.tokenizer = REMI(config)
        names: dict[str, int] = self.tokenizer.vocab
        self.size = len(names)
        self.kind = np.empty(self.size, object)  # of a token: Bar, Pitch ...
        for name, number in names.items():
            self.kind[number] = name.split("_")[0]
        self.begin, self.end = names["BOS_None"], names["EOS_None"]
        self.pitches = names["Pitch_0"], names["Pitch_127"]
        self.told = self.kind == "TimeSig"
        self.width = self._widths()

    def song(self, ticks_per_beat: int, notes: Ints, meters: Ints) -> Song:
        """Notes (N, 4) (onset, duration, pitch, velocity), meters (M, 3) (onset, over, under) as tokens."""
        ids = self._tokens(ticks_per_beat, notes, meters)
        durations, velocities = (self.width[ids[self.kind[ids] == kind]] for kind in ("Duration", "Velocity"))
        widths = {"shift": 1, "part": 1, "pitch": 1, "duration": durations, "velocity": velocities}
        charge = reference(0.0, widths, kept=len(durations), source_notes=len(notes))
        return Song(np.concatenate([[self.begin], ids, [self.end]]), len(notes), charge)

    def _tokens(self, ticks_per_beat: int, notes: Ints, meters: Ints) -> Ints:
        from symusic import Note, Score, TimeSignature, Track

        score: Any = Score(ticks_per_beat)
        track: Any = Track("piano", 0, False)
        for onset, duration, pitch, velocity in notes.tolist():
            track.notes.append(Note(onset, duration, pitch, velocity))
        score.tracks.append(track)
        for onset, over, under in meters.tolist():
            beats = over * 4 / under  # MidiTok takes an eighth for the beat in 3/8: two bars are one
            over = int(beats) if beats.is_integer() else int(2 * beats)
            score.time_signatures.append(TimeSignature(onset, min(max(over, 1), 12), 4))
        return np.array(self.tokenizer.encode(score)[0].ids, np.int64)

    def _widths(self) -> npt.NDArray[np.float64]:
        """How many durations or velocities each token stands for: asked of MidiTok."""
        bars = np.arange(LONGEST) * 5 * GRID * 4
        one = np.ones(LONGEST, np.int64)
        lengths = np.stack([bars, np.arange(LONGEST) + 1, 60 * one, 64 * one], axis=1)
        loud = np.stack([bars[:127], GRID * one[:127], 60 * one[:127], np.arange(127) + 1], axis=1)
        meter = np.array([[0, 4, 4]])
        count = np.ones(self.size)
        for kind, notes in (("Duration", lengths), ("Velocity", loud)):
            ids = self._tokens(GRID, notes, meter)
            ids = ids[self.kind[ids] == kind]
            assert len(ids) == len(notes)
            number, times = np.unique(ids, return_counts=True)
            count[number] = times
            if kind == "Velocity":
                count[ids[0]] += 1  # velocity 0, which no note has, is one of the reference's 128
        return count


def read_songs(path: Path, remi: Remi) -> dict[str, list[Song]]:
    """The songs of each side of the split in what `pop.py` wrote."""
    data = np.load(path, allow_pickle=False)
    notes = np.stack([data[name] for name in ("onset_ticks", "duration_ticks", "pitch", "velocity")], axis=1)
    sides: dict[str, list[Song]] = {"train": [], "valid": [], "test": []}
    for number, side in enumerate(data["split"].tolist()):
        mine = slice(*data["offsets"][number : number + 2].tolist())
        meters = data["meters"][data["meters"][:, 0] == number, 1:]
        song = remi.song(int(data["ticks_per_beat"][number]), notes[mine].astype(np.int64), meters)
        sides[side].append(song)
    return sides
