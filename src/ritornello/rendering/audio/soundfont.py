"""Read soundfonts (.sf2, .sf3): presets as regions, each a recorded sample with its playing parameters.

In the file a preset has zones, each of which refers to an instrument; an instrument has zones, each of which
refers to a sample. Each zone has parameters, called generators, by number. `SoundFont.regions` combines each
pair of zones into a Region. Sections and numbers are those of the SoundFont Technical Specification 2.04.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError

Signal = npt.NDArray[np.float32]  # audio: (N,), or (2, N) for left and right, from -1 to 1
DRUM_BANK = 128

# The generators that are used: number -> (our name, default value) (section 8.1.2).
GENERATORS = {
    0: ("start", 0), 1: ("end", 0), 2: ("start_loop", 0), 3: ("end_loop", 0),
    4: ("start_coarse", 0), 12: ("end_coarse", 0), 45: ("start_loop_coarse", 0), 50: ("end_loop_coarse", 0),
    5: ("mod_lfo_pitch", 0), 6: ("vib_lfo_pitch", 0), 7: ("mod_env_pitch", 0),
    8: ("cutoff", 13500), 9: ("resonance", 0), 10: ("mod_lfo_cutoff", 0), 11: ("mod_env_cutoff", 0),
    13: ("mod_lfo_volume", 0), 17: ("pan", 0),
    21: ("mod_lfo_delay", -12000), 22: ("mod_lfo_rate", 0),
    23: ("vib_lfo_delay", -12000), 24: ("vib_lfo_rate", 0),
    25: ("mod_env_delay", -12000), 26: ("mod_env_attack", -12000), 27: ("mod_env_hold", -12000),
    28: ("mod_env_decay", -12000), 29: ("mod_env_sustain", 0),
    31: ("mod_env_key_hold", 0), 32: ("mod_env_key_decay", 0),
    33: ("delay", -12000), 34: ("attack", -12000), 35: ("hold", -12000), 36: ("decay", -12000),
    37: ("sustain", 0), 38: ("release", -12000), 39: ("key_hold", 0), 40: ("key_decay", 0),
    46: ("fixed_key", -1), 47: ("fixed_velocity", -1), 48: ("attenuation", 0),
    51: ("semitones", 0), 52: ("cents", 0), 54: ("loop_mode", 0), 56: ("scale", 100),
    57: ("exclusive_class", 0), 58: ("root_key", -1),
}  # fmt: skip
NUMBERS = {name: number for number, (name, _) in GENERATORS.items()}
INSTRUMENT, KEYS, VELOCITIES, SAMPLE = 41, 43, 44, 53  # generators that are not parameters
INSTRUMENT_ONLY = {0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 57, 58}  # ignored in a preset's zone
COMPRESSED = 0x10  # bit of a sample's type in .sf3: the sample is an Ogg file

TABLES = {
    b"phdr": [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("", "V12")],
    b"pbag": [("generator", "<u2"), ("modulator", "<u2")],
    b"pgen": [("number", "<u2"), ("amount", "<i2")],
    b"inst": [("name", "S20"), ("bag", "<u2")],
    b"ibag": [("generator", "<u2"), ("modulator", "<u2")],
    b"igen": [("number", "<u2"), ("amount", "<i2")],
    b"shdr": [("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("start_loop", "<u4"), ("end_loop", "<u4"),
              ("rate", "<u4"), ("key", "u1"), ("cents", "i1"), ("link", "<u2"), ("type", "<u2")],
}  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A sample and how it is played, for a range of keys and of velocities (both ends included)."""

    sample: int
    keys: tuple[int, int]
    velocities: tuple[int, int]
    parameters: tuple[int, ...]  # by generator number, 0-58

    def __getitem__(self, name: str) -> int:
        """A parameter by its name in GENERATORS, in the unit of the specification."""
        return self.parameters[NUMBERS[name]]

    def seconds(self, name: str) -> float:
        """A parameter in timecents, converted to seconds."""
        return float(2 ** (min(self[name], 8000) / 1200))


class SoundFontSample(NamedTuple):
    """A recorded sound; `key` is the MIDI pitch at which it was recorded, with cents as a fraction."""

    values: Signal  # (N,)
    loop: tuple[int, int]  # first index, and the one after the last
    rate_hz: int
    key: float


@dataclass
class SoundFont:
    """An open soundfont; samples are read on demand."""

    path: Path
    tables: dict[bytes, npt.NDArray[Any]]  # each (rows,) of the columns in TABLES
    sample_bytes: npt.NDArray[np.uint8]  # (bytes,): the chunk of all samples
    _regions: dict[tuple[int, int], list[Region]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> SoundFont:
        """Read the tables of a soundfont. Raises InputError if it cannot be read or is damaged."""
        path = Path(path)
        try:
            data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)
        except OSError as error:
            raise InputError(f"cannot read the soundfont {str(path)!r}: {error.strerror}") from error
        try:
            return cls(path, *_sections(data))
        except ValueError as error:
            raise InputError(f"{path.name!r} is not a usable soundfont: {error}") from error

    @property
    def presets(self) -> dict[tuple[int, int], str]:
        """The name of each (bank, program)."""
        heads = self.tables[b"phdr"][:-1]
        return {(int(h["bank"]), int(h["program"])): h["name"].decode("latin-1") for h in heads}

    def preset(self, program: int, is_drum: bool) -> tuple[int, int]:
        """The (bank, program) in the font that plays a program, or a substitute for it.

        A missing drum kit is replaced by the lowest-numbered one; a missing program by one of its family of
        eight, else by the nearest number. Raises InputError if the font has no drums or no instruments.
        """
        bank = DRUM_BANK if is_drum else 0
        programs = [number for other, number in self.presets if other == bank]
        if not programs:
            kind = "drums (bank 128)" if is_drum else "instruments (bank 0)"
            raise InputError(f"the soundfont {self.path.name!r} has no {kind}")
        if is_drum:
            return bank, program if program in programs else min(programs)
        return bank, min(programs, key=lambda p: (p != program, p // 8 != program // 8, abs(p - program)))

    def regions(self, bank: int, program: int) -> list[Region]:
        """All regions of a preset (section 9.4)."""
        if (bank, program) not in self._regions:
            head = self.tables[b"phdr"]
            (indices,) = np.nonzero((head["bank"][:-1] == bank) & (head["program"][:-1] == program))
            self._regions[bank, program] = list(self._combine(int(indices[0])))
        return self._regions[bank, program]

    def _combine(self, preset: int) -> Iterator[Region]:
        """The regions of a preset.

        A parameter is the value of the instrument's zone, or its default, plus that of the preset's zone."""
        for outer, instrument in self._layer(b"phdr", b"pbag", b"pgen", preset, INSTRUMENT):
            for inner, sample in self._layer(b"inst", b"ibag", b"igen", instrument, SAMPLE):
                keys = _overlap(outer.get(KEYS), inner.get(KEYS))
                velocities = _overlap(outer.get(VELOCITIES), inner.get(VELOCITIES))
                parameters = [0] * (max(GENERATORS) + 1)
                for number, (_, default) in GENERATORS.items():
                    added = 0 if number in INSTRUMENT_ONLY else outer.get(number, 0)
                    parameters[number] = inner.get(number, default) + added
                yield Region(sample, keys, velocities, tuple(parameters))

    def _layer(
        self, heads: bytes, bags: bytes, generators: bytes, index: int, ends_with: int
    ) -> Iterator[tuple[dict[int, int], int]]:
        """The zones of a preset or instrument: their generators, and the instrument or sample they refer to.

        A first zone that refers to nothing holds defaults for the zones after it (section 7.3).
        """
        common: dict[int, int] = {}
        edges, bag = self.tables[heads]["bag"], self.tables[bags]["generator"]
        for zone in range(int(edges[index]), int(edges[index + 1])):
            rows = self.tables[generators][int(bag[zone]) : int(bag[zone + 1])]
            values = dict(zip(rows["number"].tolist(), rows["amount"].tolist(), strict=True))
            if ends_with in values:
                yield common | values, values[ends_with] & 0xFFFF
            elif zone == edges[index]:
                common = values

    def sample(self, region: Region) -> SoundFontSample:
        """The sample of a region, with its offsets and tuning. Raises InputError if it cannot be decoded."""
        head = self.tables[b"shdr"][region.sample]
        start, end = int(head["start"]), int(head["end"])
        loop = np.array([head["start_loop"], head["end_loop"]], np.int64)
        if head["type"] & COMPRESSED:
            offset = 0  # its loop is relative to its own start
            values = _decode(self.sample_bytes[start:end], self.path)
        else:
            offset = start
            values = self.sample_bytes.view("<i2")[start:end].astype(np.float32) / np.float32(32768)
        loop += [region["start_loop"] - offset, region["end_loop"] - offset]
        loop += [32768 * region["start_loop_coarse"], 32768 * region["end_loop_coarse"]]
        first = min(max(0, region["start"] + 32768 * region["start_coarse"]), max(0, len(values) - 1))
        last = max(first + 1, len(values) + region["end"] + 32768 * region["end_coarse"])
        loop = np.clip(loop - first, 0, len(values[first:last]))
        root = region["root_key"] if region["root_key"] >= 0 else int(head["key"])
        key = (root if root <= 127 else 60) - head["cents"] / 100  # the cents correct the sample
        cut_loop = (int(loop[0]), int(loop[1]))
        return SoundFontSample(values[first:last], cut_loop, int(head["rate"]), float(key))


def _overlap(first: int | None, second: int | None) -> tuple[int, int]:
    """The intersection of two ranges, each stored as low byte and high byte; None is 0-127."""
    ranges = [(0, 127) if both is None else (both & 0xFF, both >> 8 & 0xFF) for both in (first, second)]
    return max(low for low, _ in ranges), min(high for _, high in ranges)


def _decode(data: npt.NDArray[np.uint8], path: Path) -> Signal:
    """The values of a compressed sample. Raises InputError."""
    try:
        import soundfile
    except ImportError as error:
        raise InputError(f'{path.name!r} has compressed samples: pip install "ritornello[audio]"') from error
    try:
        values: Signal = soundfile.read(io.BytesIO(data.tobytes()), dtype="float32", always_2d=True)[0][:, 0]
    except RuntimeError as error:
        raise InputError(f"{path.name!r} has a sample that cannot be decoded: {error}") from error
    return values


def _riff_chunks(data: npt.NDArray[np.uint8]) -> Iterator[tuple[bytes, npt.NDArray[np.uint8]]]:
    """The chunks of a RIFF file: name and content. Raises ValueError."""
    place = 0
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8].tobytes(), "little")
        if place + 8 + size > len(data):
            raise ValueError(
                f"it is truncated: a chunk of {size:,} bytes begins at {place:,} of {len(data):,}"
            )
        yield data[place : place + 4].tobytes(), data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _sections(data: npt.NDArray[np.uint8]) -> tuple[dict[bytes, npt.NDArray[Any]], npt.NDArray[np.uint8]]:
    """The tables and the chunk of samples, with all indices checked. Raises ValueError."""
    if data[:4].tobytes() != b"RIFF" or data[8:12].tobytes() != b"sfbk":
        raise ValueError("it does not begin with RIFF ... sfbk")
    chunks: dict[bytes, npt.NDArray[np.uint8]] = {}
    for name, content in _riff_chunks(data[12:]):
        if name == b"LIST" and content[:4].tobytes() in (b"sdta", b"pdta"):
            chunks |= dict(_riff_chunks(content[4:]))
    if missing := [name.decode() for name in (*TABLES, b"smpl") if name not in chunks]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    tables = {}
    for name, columns in TABLES.items():
        row = np.dtype(columns)
        size = len(chunks[name])
        if size % row.itemsize or not size:
            raise ValueError(f"{name.decode()} has {size} bytes: must be a multiple of {row.itemsize}")
        tables[name] = np.frombuffer(chunks[name].tobytes(), row)
    sample_bytes = chunks[b"smpl"][: len(chunks[b"smpl"]) // 2 * 2]
    _check(tables, len(sample_bytes))
    return tables, sample_bytes


def _check(tables: dict[bytes, npt.NDArray[Any]], sample_bytes: int) -> None:
    """Raise ValueError unless every index lies in the table that it refers to."""
    for table, column, target in (
        (b"phdr", "bag", b"pbag"),
        (b"pbag", "generator", b"pgen"),
        (b"inst", "bag", b"ibag"),
        (b"ibag", "generator", b"igen"),
    ):
        index = tables[table][column].astype(np.int64)
        if (np.diff(index) < 0).any() or index.max() > len(tables[target]):
            raise ValueError(f"{table.decode()} has an index outside of {target.decode()}")
    for table, number, target in ((b"pgen", INSTRUMENT, b"inst"), (b"igen", SAMPLE, b"shdr")):
        rows = tables[table]
        last = int(rows["amount"][rows["number"] == number].astype(np.uint16).max(initial=0))
        if last >= (entries := len(tables[target]) - 1):
            raise ValueError(f"{table.decode()} refers to entry {last}, {target.decode()} has {entries}")
    heads = tables[b"shdr"][:-1]
    unit = np.where(heads["type"] & COMPRESSED, 1, 2)
    if (heads["start"] > heads["end"]).any() or (heads["end"].astype(np.int64) * unit > sample_bytes).any():
        raise ValueError("shdr refers to bytes outside of smpl")
    if not heads["rate"].all():
        raise ValueError("a sample has a rate of 0")
