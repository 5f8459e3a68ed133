"""A soundfont (.sf2, .sf3): its presets as zones, each a recorded sample with how it is to be played.

The format is a table of numbers ("generators") in three layers: a preset has zones, each of which plays an
instrument, which has zones, each of which plays a sample. `SoundFont.zones` resolves the layers. Sections and
numbers are those of the SoundFont Technical Specification 2.04 (E-mu, 2006).
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

Samples = npt.NDArray[np.float32]
DRUM_BANK = 128

# Generators that are heeded: number -> name, value where nothing is said (section 8.1.2).
GENERATORS = {
    0: ("start", 0), 1: ("end", 0), 2: ("start_loop", 0), 3: ("end_loop", 0),
    4: ("start_coarse", 0), 12: ("end_coarse", 0), 45: ("start_loop_coarse", 0), 50: ("end_loop_coarse", 0),
    5: ("wobble_pitch", 0), 6: ("vibrato_pitch", 0), 7: ("envelope_pitch", 0),
    8: ("cutoff", 13500), 9: ("resonance", 0), 10: ("wobble_cutoff", 0), 11: ("envelope_cutoff", 0),
    13: ("wobble_volume", 0), 17: ("pan", 0),
    21: ("wobble_delay", -12000), 22: ("wobble_rate", 0),
    23: ("vibrato_delay", -12000), 24: ("vibrato_rate", 0),
    25: ("mod_delay", -12000), 26: ("mod_attack", -12000), 27: ("mod_hold", -12000),
    28: ("mod_decay", -12000), 29: ("mod_sustain", 0), 31: ("mod_key_hold", 0), 32: ("mod_key_decay", 0),
    33: ("delay", -12000), 34: ("attack", -12000), 35: ("hold", -12000), 36: ("decay", -12000),
    37: ("sustain", 0), 38: ("release", -12000), 39: ("key_hold", 0), 40: ("key_decay", 0),
    46: ("fixed_key", -1), 47: ("fixed_velocity", -1), 48: ("attenuation", 0),
    51: ("semitones", 0), 52: ("cents", 0), 54: ("loop_mode", 0), 56: ("scale", 100),
    57: ("exclusive_class", 0), 58: ("root_key", -1),
}  # fmt: skip
NUMBERS = {name: number for number, (name, _) in GENERATORS.items()}
INSTRUMENT, KEYS, VELOCITIES, SAMPLE = 41, 43, 44, 53
SAMPLE_ONLY = {0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 57, 58}  # say nothing in a preset's zone
COMPRESSED = 0x10  # in a sample's type: .sf3, where it is a file in Ogg's format

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
class Zone:
    """A sample and how it is played, for a range of keys and of velocities (both ends included)."""

    sample: int
    keys: tuple[int, int]
    velocities: tuple[int, int]
    settings: tuple[int, ...]  # by generator number, 0-58

    def __getitem__(self, name: str) -> int:
        """A setting by its name in GENERATORS, in the units of the specification."""
        return self.settings[NUMBERS[name]]

    def seconds(self, name: str) -> float:
        """A time that is stored in timecents."""
        return float(2 ** (min(self[name], 8000) / 1200))


class Recording(NamedTuple):
    """A sample: its values (N,) from -1 to 1, its loop, its rate, and the key, with cents, of its pitch."""

    values: Samples
    loop: tuple[int, int]
    rate: int
    key: float


@dataclass
class SoundFont:
    """A soundfont that is open; samples are read when they are asked for."""

    path: Path
    tables: dict[bytes, npt.NDArray[Any]]
    waves: npt.NDArray[np.uint8]  # the chunk of all samples, as bytes
    _zones: dict[tuple[int, int], list[Zone]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> SoundFont:
        """Read the tables of a soundfont. Raises InputError that names what is wrong with it."""
        path = Path(path)
        try:
            data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)
        except OSError as error:
            raise InputError(f"cannot read the soundfont {str(path)!r}: {error.strerror}") from error
        try:
            return cls(path, *_sections(data))
        except ValueError as error:
            raise InputError(f"{path.name!r} is not a soundfont that can be played: {error}") from error

    @property
    def presets(self) -> dict[tuple[int, int], str]:
        """The name of each (bank, program)."""
        heads = self.tables[b"phdr"][:-1]
        return {(int(h["bank"]), int(h["program"])): h["name"].decode("latin-1") for h in heads}

    def preset(self, program: int, is_drum: bool) -> tuple[int, int]:
        """The (bank, program) that plays a part: its own, else the nearest that there is.

        Drums without their kit take the standard one; a program that is missing takes one of its family of
        eight, else the nearest number. Raises InputError where there are no drums, or nothing else.
        """
        bank = DRUM_BANK if is_drum else 0
        have = [number for found, number in self.presets if found == bank]
        if not have:
            sort = "drums (bank 128)" if is_drum else "instruments (bank 0)"
            raise InputError(f"the soundfont {self.path.name!r} has no {sort}")
        if is_drum:
            return bank, program if program in have else min(have)
        return bank, min(have, key=lambda p: (p != program, p // 8 != program // 8, abs(p - program)))

    def zones(self, bank: int, program: int) -> list[Zone]:
        """All zones of a preset, its layers resolved (section 9.4)."""
        if (bank, program) not in self._zones:
            head = self.tables[b"phdr"]
            (places,) = np.nonzero((head["bank"][:-1] == bank) & (head["program"][:-1] == program))
            self._zones[bank, program] = list(self._resolve(int(places[0])))
        return self._zones[bank, program]

    def _resolve(self, preset: int) -> Iterator[Zone]:
        for outer, instrument in self._layer(b"phdr", b"pbag", b"pgen", preset, INSTRUMENT):
            for inner, sample in self._layer(b"inst", b"ibag", b"igen", instrument, SAMPLE):
                keys = _overlap(outer.get(KEYS), inner.get(KEYS))
                velocities = _overlap(outer.get(VELOCITIES), inner.get(VELOCITIES))
                settings = [0] * (max(GENERATORS) + 1)
                for number, (_, default) in GENERATORS.items():
                    added = 0 if number in SAMPLE_ONLY else outer.get(number, 0)
                    settings[number] = inner.get(number, default) + added
                yield Zone(sample, keys, velocities, tuple(settings))

    def _layer(
        self, heads: bytes, bags: bytes, generators: bytes, index: int, ends_with: int
    ) -> Iterator[tuple[dict[int, int], int]]:
        """The zones of a preset or of an instrument: their settings, and the number of what they play.

        A first zone that plays nothing gives settings to all that follow (section 7.3).
        """
        common: dict[int, int] = {}
        edges, bag = self.tables[heads]["bag"], self.tables[bags]["generator"]
        for zone in range(int(edges[index]), int(edges[index + 1])):
            rows = self.tables[generators][int(bag[zone]) : int(bag[zone + 1])]
            own = dict(zip(rows["number"].tolist(), rows["amount"].tolist(), strict=True))
            if ends_with in own:
                yield common | own, own[ends_with] & 0xFFFF
            elif zone == edges[index]:
                common = own

    def recording(self, zone: Zone) -> Recording:
        """The sample of a zone, cut and tuned as the zone says. Raises InputError if it cannot be decoded."""
        head = self.tables[b"shdr"][zone.sample]
        start, end = int(head["start"]), int(head["end"])
        loop = np.array([head["start_loop"], head["end_loop"]], np.int64)
        if head["type"] & COMPRESSED:
            values, offset = _decoded(self.waves[start:end], self.path), 0  # its loop counts from its start
        else:
            offset = start
            values = self.waves.view("<i2")[start:end].astype(np.float32) / np.float32(32768)
        loop += [zone["start_loop"] - offset, zone["end_loop"] - offset]
        loop += [32768 * zone["start_loop_coarse"], 32768 * zone["end_loop_coarse"]]
        first = min(max(0, zone["start"] + 32768 * zone["start_coarse"]), max(0, len(values) - 1))
        last = max(first + 1, len(values) + zone["end"] + 32768 * zone["end_coarse"])
        loop = np.clip(loop - first, 0, len(values[first:last]))
        root = zone["root_key"] if zone["root_key"] >= 0 else int(head["key"])
        tuned = (root if root <= 127 else 60) - head["cents"] / 100  # the cents correct the sample
        return Recording(values[first:last], (int(loop[0]), int(loop[1])), int(head["rate"]), float(tuned))


def _overlap(first: int | None, second: int | None) -> tuple[int, int]:
    """The range that two ranges (low byte, high byte; None: everything) have in common."""
    ranges = [(0, 127) if both is None else (both & 0xFF, both >> 8 & 0xFF) for both in (first, second)]
    return max(low for low, _ in ranges), min(high for _, high in ranges)


def _decoded(data: npt.NDArray[np.uint8], path: Path) -> Samples:
    """The values of a compressed sample."""
    try:
        import soundfile
    except ImportError as error:
        raise InputError(f'{path.name!r} is compressed, for it: pip install "ritornello[audio]"') from error
    try:
        values: Samples = soundfile.read(io.BytesIO(data.tobytes()), dtype="float32", always_2d=True)[0][:, 0]
    except RuntimeError as error:
        raise InputError(f"{path.name!r} has a sample that cannot be decoded: {error}") from error
    return values


def _chunks(data: npt.NDArray[np.uint8]) -> Iterator[tuple[bytes, npt.NDArray[np.uint8]]]:
    """The chunks of RIFF's format one after the other: name and content."""
    place = 0
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8].tobytes(), "little")
        if place + 8 + size > len(data):
            raise ValueError(f"it is cut off: {size:,} bytes follow at {place:,} of {len(data):,}")
        yield data[place : place + 4].tobytes(), data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _sections(data: npt.NDArray[np.uint8]) -> tuple[dict[bytes, npt.NDArray[Any]], npt.NDArray[np.uint8]]:
    """The tables and the chunk of samples, checked so that no number leads outside. Raises ValueError."""
    if data[:4].tobytes() != b"RIFF" or data[8:12].tobytes() != b"sfbk":
        raise ValueError("it does not begin with RIFF ... sfbk")
    found: dict[bytes, npt.NDArray[np.uint8]] = {}
    for name, content in _chunks(data[12:]):
        if name == b"LIST" and content[:4].tobytes() in (b"sdta", b"pdta"):
            found |= dict(_chunks(content[4:]))
    if missing := [name.decode() for name in (*TABLES, b"smpl") if name not in found]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    tables = {}
    for name, columns in TABLES.items():
        row = np.dtype(columns)
        size = len(found[name])
        if size % row.itemsize or not size:
            raise ValueError(f"{name.decode()} has {size} bytes, must be a multiple of {row.itemsize}")
        tables[name] = np.frombuffer(found[name].tobytes(), row)
    waves = found[b"smpl"][: len(found[b"smpl"]) // 2 * 2]
    _check(tables, len(waves))
    return tables, waves


def _check(tables: dict[bytes, npt.NDArray[Any]], bytes_of_waves: int) -> None:
    """Raise ValueError unless every index of a table lies in the table that it points to."""
    for table, column, target in (
        (b"phdr", "bag", b"pbag"),
        (b"pbag", "generator", b"pgen"),
        (b"inst", "bag", b"ibag"),
        (b"ibag", "generator", b"igen"),
    ):
        index = tables[table][column].astype(np.int64)
        if (np.diff(index) < 0).any() or index.max() > len(tables[target]):
            raise ValueError(f"{table.decode()} points outside of {target.decode()}")
    for table, number, target in ((b"pgen", INSTRUMENT, b"inst"), (b"igen", SAMPLE, b"shdr")):
        rows = tables[table]
        last = int(rows["amount"][rows["number"] == number].astype(np.uint16).max(initial=0))
        if last >= (there := len(tables[target]) - 1):
            raise ValueError(f"{table.decode()} points at {last}, {target.decode()} has {there}")
    heads = tables[b"shdr"][:-1]
    unit = np.where(heads["type"] & COMPRESSED, 1, 2)
    if (heads["start"] > heads["end"]).any() or (heads["end"].astype(np.int64) * unit > bytes_of_waves).any():
        raise ValueError("shdr points outside of smpl")
    if not heads["rate"].all():
        raise ValueError("a sample has a rate of 0")
