"""The sources of songs with their licences, the search for notices of rights, and the ledger of files used.

A file with a notice of rights is rejected, unless the licence of its source covers that notice, which is
then in `Source.allows`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ritornello.errors import InputError, MidiError
from ritornello.midi.chunks import split_file
from ritornello.midi.track_events import events
from ritornello.system.files import sha256, write_bytes

NOTICE = re.compile(
    r"copyright|copr\.|\(c\)|©|\(p\)|℗|\brights\b|reserved|non-?\s?commercial|permission|licen[cs]e"
    r"|personal use",
    re.IGNORECASE,
)
FIRST_TEXT, COPYRIGHT, LAST_TEXT = 0x01, 0x02, 0x0F  # types of meta events that contain text


@dataclass(frozen=True)
class Source:
    """Where files come from, and why a model trained on them may be distributed."""

    name: str
    label: str
    """Of all its songs; empty if each song has its own."""
    what: str
    composition: str
    transcription: str
    licence: str
    """Of the transcription: an SPDX identifier or a description."""
    address: str = ""
    allows: tuple[str, ...] = ()
    """Regular expressions of whole notices that the licence covers."""


SOURCES = {
    source.name: source
    for source in (
        Source(
            "jsb",
            "chorale",
            "JSB chorales on a grid of 16ths, train and valid splits (J. S. Bach)",
            "public domain",
            "bare pitches on a grid, facts",
            "public domain",
            "https://github.com/czhuang/JSB-Chorales-dataset",
        ),
        Source(
            "oneill",
            "fiddle",
            "O'Neill's Music of Ireland (1903), in ABC by volunteers, as music21's wheel has it",
            "public domain",
            "a bare record of the printed notes, without a notice",
            "public domain",
            "https://github.com/cuthbertLab/music21",
            allows=(r"T: The Book of Rights\.",),  # the title of a tune
        ),
        Source(
            "ryan",
            "fiddle",
            "Ryan's Mammoth Collection (1883), in ABC by volunteers, as music21's wheel has it",
            "public domain",
            "a bare record of the printed notes, without a notice",
            "public domain",
            "https://github.com/cuthbertLab/music21",
        ),
        Source(
            "freedoom",
            "game",
            "music of the game Freedoom",
            "BSD-3-Clause, Contributors to the Freedoom project",
            "the same (MIDI files by the composers)",
            "BSD-3-Clause",
            "https://freedoom.github.io/",
            # names of composers in copyright events, and the program that wrote the file
            allows=(r"QMUS2MID \(C\) S\.Bacquet", r"FrostByttenSnep", r"Stratos", r"Composer :"),
        ),
        Source(
            "simutrans",
            "game",
            "music of the game Simutrans",
            "Artistic-1.0, the Simutrans Team; LICENSE.txt includes the MIDI files by name",
            "the same (MIDI files by the composers)",
            "Artistic-1.0",
            "https://www.simutrans.com/",
            allows=(
                r"(copyright )?\(c\) ?20\d\d( shunter| RykSeb| AnoKTOK / RykSeb)?",
                r"(\(c\) )?shunter( \(c\))?( 2006)?",
                r"copyright 2011 by Gobanboshi",
            ),
        ),
        Source(
            "groove",
            "drums",
            "Groove MIDI Dataset: beats of 4 bars or more, train and validation splits, as General MIDI",
            "CC-BY-4.0, Google LLC; Jon Gillick, Adam Roberts, Jesse Engel, Douglas Eck and David Bamman, "
            '"Learning to Groove with Inverse Sequence Transformations", ICML 2019',
            "the same (recorded performances)",
            "CC-BY-4.0",
            "https://magenta.tensorflow.org/datasets/groove",
        ),
        Source(
            "quartets",
            "quartet",
            "string quartets of Haydn, Mozart, Beethoven and Schumann in MusicXML, in music21's wheel",
            "public domain",
            "files without a notice, given to music21's corpus by their encoders",
            "no notice of rights",
            "https://github.com/cuthbertLab/music21",
        ),
        Source(
            "blasphemer",
            "",
            "music of the game Blasphemer: Jute Gyte, ax34",
            "the same licence",
            "BSD-3-Clause, Copyright (c) 2024 Contributors to the Blasphemer project",
            "BSD-3-Clause",
            "https://github.com/Catoptromancy/blasphemer",
        ),
        Source(
            "chopin_first_editions",
            "",
            "First Editions of Fryderyk Chopin's Music",
            "public domain (the composers died before 1955)",
            "Copyright 2017-2021 The Fryderyk Chopin Institute (https://nifc.pl); "
            "changed: from Humdrum to MIDI",
            "CC-BY-4.0",
            "https://github.com/pl-wnifc/humdrum-chopin-first-editions",
        ),
        Source(
            "easyrpg_rtp",
            "",
            "EasyRPG RTP: music by Juan Manuel Nigretti and Someoneman",
            "the same licence",
            "https://easyrpg.org; changed: meta events taken out",
            "CC-BY-4.0",
            "https://github.com/EasyRPG/RTP",
        ),
        Source(
            "freedink",
            "",
            "Dink Smallwood, music of the game",
            "the same licence",
            "Copyright (C) 1997-2003 Seth A. Robinson; altered: meta events taken out",
            "Zlib",
            "https://www.gnu.org/software/freedink/",
        ),
        Source(
            "mutopia",
            "",
            "The Mutopia Project: pieces in the public domain or under CC BY (credits: who typeset them)",
            "public domain (the composers died before 1955)",
            "typeset by volunteers; changed: from LilyPond to MIDI, repeats played out",
            "public domain, or CC-BY-2.5 to 4.0",
            "https://www.mutopiaproject.org",
        ),
        Source(
            "open_hymnal",
            "",
            "The Open Hymnal Project (Brian J. Dumont), editions 2005-2014",
            "public domain",
            "public domain",
            "public domain",
            "https://github.com/jclements3/HarpHymnal",
        ),
        Source(
            "openewld",
            "",
            "OpenEWLD, Federico Simonetta 2018: lead sheets",
            "free of copyright",
            "MIT, Copyright (c) 2018 00sapo",
            "MIT",
            "https://github.com/00sapo/OpenEWLD",
        ),
        Source(
            "openscore_lieder",
            "",
            "The OpenScore Lieder Corpus",
            "public domain (the composers died before 1955)",
            "volunteers of OpenScore",
            "CC0-1.0",
            "https://github.com/OpenScore/Lieder",
        ),
        Source(
            "openscore_orchestra",
            "",
            "OpenScore Orchestra, in Mark Gotham's Hauptstimme",
            "public domain (the composers died before 1955)",
            "volunteers of OpenScore",
            "CC0-1.0",
            "https://github.com/MarkGotham/Hauptstimme",
        ),
        Source(
            "openscore_quartets",
            "",
            "OpenScore String Quartets",
            "public domain (the composers died before 1955)",
            "volunteers of OpenScore",
            "CC0-1.0",
            "https://github.com/OpenScore/StringQuartets",
        ),
        Source(
            "polish",
            "",
            "Polish Music Heritage in Open Access",
            "public domain (the composers died before 1955)",
            "Copyright 2019-2022 The Fryderyk Chopin Institute (https://nifc.pl, "
            "https://polishscores.org); changed: from Humdrum to MIDI",
            "CC-BY-4.0",
            "https://github.com/pl-wnifc/humdrum-polish-scores",
        ),
    )
}


def uncovered_notice(source: Source, texts: list[str]) -> str:
    """The first of `texts` that the licence of the source does not cover, or ""."""
    patterns = [re.compile(pattern, re.IGNORECASE) for pattern in source.allows]
    for text in texts:
        notice = " ".join(text.split())
        if notice and not any(pattern.fullmatch(notice) for pattern in patterns):
            return notice
    return ""


def notices_in_midi(data: bytes) -> list[str]:
    """The copyright events of a MIDI file, and its other texts about rights.

    Raises InputError if the file is damaged.
    """
    notices = []
    try:
        for track in split_file(data).tracks:
            for event in events(track):
                if FIRST_TEXT <= event.kind <= LAST_TEXT:
                    text = track[event.end - event.size : event.end].decode("latin-1")
                    if event.kind == COPYRIGHT or NOTICE.search(text):
                        notices.append(text)
    except MidiError as error:
        raise InputError(f"cannot be searched for notices: {error}") from error
    return notices


def notices_in_text(text: str, only: str = "") -> list[str]:
    """The lines about rights; only lines that match the pattern `only` are searched."""
    lines = (line for line in text.splitlines() if not only or re.match(only, line))
    return [line for line in lines if NOTICE.search(line)]


def notices_in_xml(root: Any) -> list[str]:
    """The <rights> elements of a MusicXML file, and its other texts about rights."""
    notices = [element.text for element in root.iter("rights") if (element.text or "").strip()]
    texts = (element.text for element in root.iter() if element.tag != "rights")
    return notices + [text for text in texts if text and NOTICE.search(text)]


@dataclass
class Ledger:
    """The files used, with their SHA-256, and those left out, with the reason, by source and name."""

    files: dict[str, dict[str, str]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    credits: dict[str, str] = field(default_factory=dict)
    """Whom a licence asks to name, by file, where it is not the source as a whole."""

    def use(self, source: str, name: str, data: bytes) -> None:
        """Record that a file is used."""
        self.files.setdefault(source, {})[name] = sha256(data)

    def leave_out(self, source: str, name: str, reason: str) -> None:
        """Record that a file, or a song in it, is left out."""
        self.left_out.setdefault(source, {})[name] = reason

    def write(self, path: Path) -> None:
        """Write the sources and the files used as JSON, one line for each file."""
        sources = {name: asdict(SOURCES[name]) for name in sorted(self.files)}
        content: dict[str, Any] = {
            "sources": sources,
            "files": {n: dict(sorted(self.files[n].items())) for n in sources},
        }
        content |= {"credits": self.credits} if self.credits else {}
        write_bytes(path, (json.dumps(content, indent=0, ensure_ascii=False) + "\n").encode())
