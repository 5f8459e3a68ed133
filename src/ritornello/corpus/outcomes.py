"""The outcomes of files in `prepare` and `doctor`, their reasons, and what the user can do about them.

Each file gets exactly one outcome. The names are written into the index of a corpus.
"""

from typing import NamedTuple


class Outcome(NamedTuple):
    """The reason of an outcome, and what the user can do about it ("" if nothing need be done)."""

    reason: str
    remedy: str


KEPT = "kept"
READ_AGAIN = "read again"
ONE_IS_KEPT = "nothing to do: one of them is kept"

OUTCOMES: dict[str, Outcome] = {
    KEPT: Outcome("the song is in the corpus", ""),
    # the file itself
    "cannot open": Outcome("the file could not be read", "check its permissions, or copy it again"),
    "not a file": Outcome("a pipe, a device or a folder has the name of a song", "remove it"),
    "not MIDI": Outcome(
        "the file does not begin as a MIDI file does",
        "it is another kind of file, often a web page from a failed download: download it again",
    ),
    "no reader": Outcome(
        "the library that reads MusicXML and kern is not installed",
        'pip install "ritornello[sheet]", then run again with --retry',
    ),
    "unreadable": Outcome(
        "the file breaks its format, so it cannot be read to its end",
        "it is cut off or damaged: download it again, or open and save it in a sequencer",
    ),
    # beyond a limit
    "too large": Outcome("the file is larger than 16 MiB", "cut it into songs"),
    "too many notes": Outcome("the song has over 1,000,000 notes", "cut it into songs"),
    "too many events": Outcome(
        "the song has over 10,000 changes of tempo, meter, key or chord, or markers",
        "thin out its tempo curve in a sequencer",
    ),
    "too long": Outcome("the last note begins after more than 32,768 beats", "cut it into songs"),
    "absurd ticks": Outcome(
        "a track lasts longer than 2,147,483,647 ticks, which MIDI readers count wrongly",
        "open and save it in a sequencer at 480 ticks per beat",
    ),
    "timed out": Outcome("reading took over 10 s", "if the machine was busy, run again with --retry"),
    "crashed": Outcome(
        "the process that read the file crashed", "run again with --retry, or start again with --reader mido"
    ),
    "out of memory": Outcome("reading the file took over 1 GiB of memory", "cut it into songs"),
    READ_AGAIN: Outcome("reading failed at first and succeeded in a later run: see its later row", ""),
    # the music
    "empty": Outcome("no note starts and ends", "the file may hold only text: leave it out"),
    "too short": Outcome("the song has fewer than 16 notes", "leave it out, or join fragments into a song"),
    "one repeated note": Outcome("all notes have the same pitch", "a click track or a test: leave it out"),
    "drums only": Outcome("the song has only drums", "leave it out"),
    # duplicates of a song that is kept
    "same file": Outcome("another file has the same bytes", ONE_IS_KEPT),
    "same notes": Outcome("another song has the same notes", ONE_IS_KEPT),
    "transposed": Outcome("another song has the same notes in another key", ONE_IS_KEPT),
    "near": Outcome("another song shares most of its melodic passages", ONE_IS_KEPT),
    # archives
    "archive": Outcome("the archive was opened; each song in it has an outcome of its own", ""),
    "damaged archive": Outcome(
        "the archive could not be read to its end", "download it again; the songs before the damage are used"
    ),
    "unknown packing": Outcome("this compression method cannot be unpacked safely", "unpack it yourself"),
    "encrypted": Outcome("a password is needed", "unpack it yourself"),
    "unsafe name": Outcome("its path leads out of the archive", "unpack it yourself, with care"),
    "nested archive": Outcome("it is an archive inside an archive", "unpack the outer archive"),
    "archive bomb": Outcome(
        "the archive unpacks to over 4 GiB, or to over 200 times its size",
        "unpack it yourself if you trust it",
    ),
}  # fmt: skip

# may be due to the machine: --retry reads these again
RETRYABLE = ("timed out", "crashed", "out of memory", "no reader")
DUPLICATES = ("same file", "same notes", "transposed", "near")
