"""Fates: what may become of a file. Every file that is looked at ends with exactly one of them."""

from __future__ import annotations

from typing import NamedTuple


class Fate(NamedTuple):
    """A fate in plain words: what is the matter with the file, and what can be done about it."""

    reason: str
    remedy: str


KEPT = "kept"
READ_AGAIN = "read again"

FATES: dict[str, Fate] = {
    KEPT: Fate("it is in the corpus", ""),
    # the file as such
    "cannot open": Fate("it could not be opened or read", "see its permissions, or copy it again"),
    "not a file": Fate("a pipe, a device or a folder has the name of a song", "remove it"),
    "not MIDI": Fate(
        "it does not begin as a MIDI file does",
        "it is something else under a wrong name, often a web page from a failed download: download it again",
    ),
    "unreadable": Fate(
        "its bytes break the format, so that no reader gets through",
        "it is cut off or damaged: download it again, or open and save it in a sequencer",
    ),
    # beyond the limits
    "too large": Fate("the file is over 16 MiB", "cut it into songs"),
    "too many notes": Fate("it has over 1,000,000 notes", "cut it into songs"),
    "too many events": Fate(
        "it has over 10,000 changes of tempo, meter or key, or markers", "thin its tempo curve in a sequencer"
    ),
    "too long": Fate("its last note begins after more than 32,768 beats", "cut it into songs"),
    "absurd ticks": Fate(
        "a track lasts longer than 2,147,483,647 ticks, which no reader counts right",
        "open and save it in a sequencer at 480 ticks a beat",
    ),
    "timed out": Fate(
        "reading it took over the deadline (10 s)", "where the machine was busy, run again with --retry"
    ),
    "crashed": Fate(
        "the program that read it died on it", "run again with --retry, or anew with --reader mido"
    ),
    "out of memory": Fate("reading it took over 1 GiB of memory", "cut it into songs"),
    READ_AGAIN: Fate("it could not be read then, and was later: it has another row", ""),
    # the music
    "empty": Fate("it has no note that starts and ends", "it may hold only text: leave it out"),
    "too short": Fate("it has fewer than 16 notes", "leave it out, or join fragments to a song"),
    "one repeated note": Fate("all its notes have one pitch", "a click track or a test: leave it out"),
    "drums only": Fate("it has drums and nothing else", "leave it out, or prepare with drums_only=True"),
    # a copy of a song that is kept
    "same file": Fate("another file has the same bytes", "none needed: one copy is kept"),
    "same notes": Fate("another song has the same notes", "none needed: one copy is kept"),
    "transposed": Fate("another song has the same notes in another key", "none needed: one copy is kept"),
    "near": Fate("another song has mostly the same melodic runs", "none needed: one version is kept"),
    # archives
    "archive": Fate("it was opened, its songs have fates of their own", ""),
    "damaged archive": Fate("it could not be read to its end", "download it again; songs before are kept"),
    "unknown packing": Fate("it is packed in a way that is not read safely", "unpack it yourself"),
    "encrypted": Fate("it needs a password", "unpack it yourself"),
    "unsafe name": Fate("its path inside the archive leads out of it", "unpack it yourself, with care"),
    "nested archive": Fate("it is an archive inside an archive", "unpack the outer one"),
    "archive bomb": Fate(
        "it unpacks to over 4 GiB, or to over 200 times its size", "unpack it yourself if you trust it"
    ),
}  # fmt: skip

UNSURE = ("timed out", "crashed", "out of memory")  # may be the machine's doing: --retry reads these again
COPIES = ("same file", "same notes", "transposed", "near")
