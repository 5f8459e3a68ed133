"""Small soundfonts made byte by byte, with waveforms of known pitch."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ritornello.rendering.audio.soundfont import INSTRUMENT, NUMBERS, SAMPLE

RATE = 44_100
KEYS = 43


def sine(cycles: int = 100, length: int = 10_000) -> np.ndarray:
    """A sine with a whole number of cycles, so that it loops without a click; 441 Hz by default."""
    return np.sin(2 * np.pi * cycles * np.arange(length) / length) * 0.5


def font(
    path: Path,
    *zones: dict[str, int],
    program: int = 0,
    bank: int = 0,
    wave: np.ndarray | None = None,
    root: int = 69,
    cents: int = 0,
    keys: tuple[int, int] = (0, 127),
) -> Path:
    """A soundfont of one preset, one instrument and one sample, with a zone for each dict of generators."""
    values = np.rint((sine() if wave is None else wave) * 32767).astype("<i2")
    generators, bags = [], []
    for settings in zones or ({},):
        bags.append(len(generators))
        generators.append((KEYS, keys[0] | keys[1] << 8))
        generators += [(NUMBERS[name], value) for name, value in settings.items()]
        generators.append((SAMPLE, 0))
    bags.append(len(generators))
    tables = {
        b"phdr": _head("preset", program, bank, 0) + _head("EOP", 0, 0, 1),
        b"pbag": struct.pack("<4H", 0, 0, 1, 0),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<HhHh", INSTRUMENT, 0, 0, 0),
        b"inst": b"inst".ljust(20, b"\0") + struct.pack("<H", 0) + b"EOI".ljust(20, b"\0")
        + struct.pack("<H", len(bags) - 1),
        b"ibag": b"".join(struct.pack("<2H", bag, 0) for bag in bags),
        b"imod": bytes(10),
        b"igen": b"".join(struct.pack("<HH", n, v & 0xFFFF) for n, v in generators) + bytes(4),
        b"shdr": _sample(0, len(values), root, cents) + _sample(0, 0, 0, 0),
    }  # fmt: skip
    smpl = _chunk(b"smpl", values.tobytes() + bytes(92))
    body = b"sfbk" + _chunk(b"LIST", b"INFO" + _chunk(b"ifil", struct.pack("<2H", 2, 1)))
    body += _chunk(b"LIST", b"sdta" + smpl)
    body += _chunk(b"LIST", b"pdta" + b"".join(_chunk(name, table) for name, table in tables.items()))
    path.write_bytes(_chunk(b"RIFF", body))
    return path


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def _head(name: str, program: int, bank: int, bag: int) -> bytes:
    return name.encode().ljust(20, b"\0") + struct.pack("<3H", program, bank, bag) + bytes(12)


def _sample(start: int, end: int, root: int, cents: int) -> bytes:
    fields = struct.pack("<5IBbHH", start, end, start, end, RATE, root, cents, 0, 1)
    return b"wave".ljust(20, b"\0") + fields


def pitch_hz(sound: np.ndarray, rate: int) -> float:
    """The frequency of the strongest partial of (N,) samples, from the interpolated peak of the spectrum."""
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size)) + 1e-12
    peak = int(spectrum[1:-1].argmax()) + 1
    a, b, c = np.log(spectrum[peak - 1 : peak + 2])
    return (peak + 0.5 * (a - c) / (a - 2 * b + c)) * rate / size


def cents_between(hz: float, other_hz: float) -> float:
    return float(1200 * np.log2(hz / other_hz))
