"""How well the songs of a model hold together: the table of coherence for all of its labels."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.coherence import songs as made
from benchmarks.coherence.songs import CONTINUED_BARS, PROMPT_BARS, TAKES, Settings, full_bars, read
from benchmarks.shared import CORPUS, OUT, argument, benchmark, stored, table
from ritornello.composing import compose
from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.coherence import NOTHING, Amount, all_parts_play
from ritornello.evaluation.coherence_table import coherence as compare_coherence
from ritornello.evaluation.coherence_table import figure
from ritornello.evaluation.detector import detector
from ritornello.evaluation.features import song_table
from ritornello.evaluation.report import number, percent
from ritornello.models.model import Model
from ritornello.music.score import Score

ARMS = ("free", "as-long", "continued", "parts", "redo")
MOST_BARS = 128  # of human songs, for songs that are as long
PARTS = {"game": "piano,bass,drums"}  # that are asked for in the arm `parts`, by label
SHOWN_BARS = 16  # the length at which human songs are shown, and songs in the arms `parts` and `redo`
MOST_REDONE = 40  # songs
Figures = dict[str, dict[str, Any]]  # by the name of the measure


def measure_as_long(composed: Sequence[Score], human: Sequence[Score], seed: int) -> Figures:
    """The coherence of whole songs, and the AUC of the detector."""
    found = compare_coherence(composed, human)
    ours, theirs = (song_table([AnalysedSong(song) for song in songs]) for songs in (composed, human))
    result = detector(theirs, ours, {}, seed)
    if "auc" in result:
        auc = {"value": result["auc"], "interval": result["interval"], "songs": len(composed)}
        people = {"value": 0.5, "interval": None, "songs": len(human)}
        found["detector AUC"] = {"composed": auc, "human": people, "is_share": False}
    return found


def measure_parts(composed: Sequence[Score], human: Sequence[Score], asked: int) -> Figures:
    """The coherence of songs of `asked` parts; one that lacks a part does not count as playing them."""
    found = compare_coherence(composed, human, bars=SHOWN_BARS, requested_bars=SHOWN_BARS)

    def all_play(song: Score) -> Amount:
        has_all = len(np.unique(song.part)) >= asked
        return all_parts_play(AnalysedSong(song, keep_silence=True)) if has_all else Amount(0, 1)

    name = "each part plays in 1/4 of the bars"
    found[name]["composed"] = figure([all_play(song) for song in composed])
    found[name]["human"] = figure([NOTHING])
    return found


def measure_redo(model: Model, folder: Path, songs: int, settings: Settings) -> Figures:
    """In how many songs with bars that return not all takes of these bars differ."""
    fewer = []
    for place, file in enumerate(sorted((folder / f"{SHOWN_BARS}-bars").glob("*.mid"))[:songs]):

        def compute(file: Path = file, place: int = place) -> dict[str, int]:
            return made.count_takes(model, file, settings.seed * 1000 + place)

        found = stored(folder / "redo" / f"{file.stem}.json", compute)
        fewer.append(Amount(found["takes"] < TAKES, 1) if found["returning"] else NOTHING)
    composed = figure(fewer)
    return {f"fewer than {TAKES} takes differ": {"composed": composed, "human": figure([]), "is_share": True}}


def measure_label(
    model: Model, corpus: Corpus, label: str, options: argparse.Namespace, settings: Settings
) -> dict[str, Figures]:
    """Compose what is missing of the songs of a label, and return the figures of each column."""
    people = options.out / "human" / label
    files = made.write_human_songs(corpus, label, people)
    human = read(people)
    folder, songs, found = options.out / label, options.songs, dict[str, Figures]()
    for bars in options.bars if "free" in options.arms else ():
        made.compose_free(model, folder / f"{bars}-bars", songs, settings, genre=label, bars=bars)
        free = read(folder / f"{bars}-bars")[:songs]
        found[f"{bars} bars"] = compare_coherence(free, human, bars=bars, requested_bars=bars)
    if "parts" in options.arms and (names := PARTS.get(label)):
        made.compose_free(model, folder / names, songs, settings, genre=label, parts=names, bars=SHOWN_BARS)
        found[names] = measure_parts(read(folder / names)[:songs], human, len(names.split(",")))
    lengths = [full_bars(song) for song in human]
    short = [file for file, length in zip(files, lengths, strict=True) if length <= MOST_BARS]
    if "as-long" in options.arms and short:
        short = made.draw(short, songs, settings.seed)
        made.compose_as_long(model, label, short, folder / "as-long", settings)
        found["as long as people's"] = measure_as_long(
            read(folder / "as-long", short), read(people, short), settings.seed
        )
    long = [file for file, length in zip(files, lengths, strict=True) if length >= CONTINUED_BARS]
    if "continued" in options.arms and long:
        long = made.draw(long, songs, settings.seed)
        made.continue_songs(model, label, long, folder / "continued", settings)
        continued = [file for file in long if (folder / "continued" / file.name).exists()]
        pair = read(folder / "continued", continued), read(people, continued)
        bars = CONTINUED_BARS
        found["continued"] = compare_coherence(*pair, bars=bars, requested_bars=bars, seam_bar=PROMPT_BARS)
    if "redo" in options.arms and SHOWN_BARS in options.bars:
        found["redo"] = measure_redo(model, folder, min(songs, MOST_REDONE), settings)
    return found


# Tables


def cell(each: Mapping[str, Any] | None, is_share: bool) -> str:
    """A figure with its interval; empty without songs."""
    if each is None or each["value"] is None:
        return ""
    write: Callable[[float | None], str] = percent if is_share else number
    ends = "" if each["interval"] is None else f" ({'-'.join(write(end) for end in each['interval'])})"
    return write(each["value"]) + ends


def table_of_label(columns: Mapping[str, Figures]) -> str:
    """A row for each measure, a column for people and each kind of songs, in Markdown."""
    names = dict.fromkeys(name for figures in columns.values() for name in figures)
    shown = columns.get(f"{SHOWN_BARS} bars", {})
    rows = []
    for name in names:
        having = [figures for figures in columns.values() if name in figures]
        people = shown.get(name) or having[-1][name]
        is_share = people["is_share"]
        cells = [
            cell(figures[name]["composed"], is_share) if name in figures else ""
            for figures in columns.values()
        ]
        rows.append([name, cell(people["human"], is_share), *cells])
    counts = [
        str(max((each["composed"]["songs"] for each in figures.values()), default=0))
        for figures in columns.values()
    ]
    most = max(
        (each["human"]["songs"] for figures in columns.values() for each in figures.values()), default=0
    )
    return table(["", "people", *columns], [*rows, ["songs", most, *counts]])


@benchmark(
    CORPUS,
    OUT,
    argument("--model", help="a model folder (default: the bundled model)"),
    argument("--songs", type=int, default=200, help="of each label and length (default: %(default)s)"),
    argument("--bars", type=int, nargs="+", default=[8, 16, 32, 64], help="lengths (default: 8 16 32 64)"),
    argument("--labels", nargs="+", help="default: all labels of the model"),
    argument("--arms", nargs="+", default=list(ARMS), choices=ARMS, help="default: all"),
    argument("--no-rules", action="store_true", help="compose without sampling rules"),
    argument(
        "--option",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="options of composing, such as creativity=0.7 or, where the model can, candidates=1",
    ),
    argument("--seed", type=int, default=0),
    one_thread=True,
)
def coherence(options: argparse.Namespace) -> None:
    """Compose songs of all labels of a model, and print the table of coherence next to held-out human songs.

    CORPUS is the one from which the model learnt; people are the songs of its sides test and valid. The
    measures are those of `ritornello judge` (`evaluation/coherence.py`), with 95% intervals over songs. The
    columns are:

        N bars             --genre LABEL --bars N
        piano,bass,drums   --parts piano,bass,drums, 16 bars (label game); a missing part does not play
        as long ...        a song for each human song, of as many bars; the only one with the detector's AUC
        continued          human songs of at least 16 bars, from bar 9 on; the seam is compared with theirs
        redo               `redo --takes 4` of the four bars of a song of 16 that return most (40 songs)

    Human songs are whole, except where the length matters (drum bars that repeat, usual parts). Songs are
    kept in OUT/LABEL/COLUMN, human ones in OUT/human/LABEL, and not composed again; with a larger --songs
    more are added. A folder has songs of one model, seed, and set of options. OUT/tables.md and
    OUT/tables.json get the tables.
    """
    corpus, model = Corpus.open(options.corpus), compose.opened_model(options.model)
    settings = made.settings_of(options, model)
    made.check_settings(options.out, settings)
    found, text = {}, []
    for label in options.labels or model.labels:
        began = time.process_time()
        found[label] = measure_label(model, corpus, label, options, settings)
        text.append(f"**{label}**\n\n{table_of_label(found[label])}\n")
        print(f"{text[-1]}\n{time.process_time() - began:.0f} s of processor time", flush=True)
    (options.out / "tables.md").write_text("\n".join(text))
    (options.out / "tables.json").write_text(json.dumps(found, indent=1) + "\n")
