"""Songs of several models and folders, judged by the same held-out human songs."""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judge.ngram import Ngram
from benchmarks.judge.tables import all_tables, picture, table_by_label
from benchmarks.shared import CORPUS, argument, benchmark, stored
from ritornello import midi
from ritornello.composing import compose
from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.compare import FEWEST_OF_LABEL
from ritornello.evaluation.judge import judge as judge_songs
from ritornello.models.model import Model
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

PHRASE_BARS = 4
HUMAN, TRAIN, NGRAM = "human", "training songs", "n-gram"


def songs_of(corpus: Corpus, sides: str, label: str | None) -> list[int]:
    """The numbers of the songs on some sides, such as "test+valid", and of a label."""
    numbers = [n for side in sides.split("+") for n in corpus.songs(side).tolist()]
    return [n for n in numbers if label is None or label in corpus.info(n).labels]


def draw_numbers(numbers: list[int], most: int, seed: int) -> list[int]:
    """At most `most` of the numbers, drawn by the seed."""
    draw = np.random.default_rng(seed)
    return numbers if len(numbers) <= most else sorted(draw.choice(numbers, most, replace=False).tolist())


def judged_labels(corpus: Corpus, sides: str) -> list[str]:
    """The labels with enough songs on these sides to be judged by themselves."""
    numbers = songs_of(corpus, sides, None)
    songs = Counter(label for number in numbers for label in corpus.info(number).labels)
    return sorted(label for label, count in songs.items() if count >= FEWEST_OF_LABEL)


def is_music(song: Score) -> bool:
    """Whether a song has more than three notes per bar; one with fewer holds nothing but chord labels."""
    return len(song) > 3 * len(Timeline.of(song))


def compose_songs(path: str, bars: Sequence[int], seed: int, label: str | None) -> list[Score]:
    """A song of each number of bars by a model, rounded to phrases; songs of one length are one batch."""
    folder, *settings = path.split(",")
    model = Model.open(folder)
    options: dict[str, Any] = {"genre": label} if label else {}
    options |= {name: float(value) for name, value in (setting.split("=") for setting in settings)}
    places: dict[int, list[int]] = defaultdict(list)
    for place, count in enumerate(bars):
        places[max(PHRASE_BARS, PHRASE_BARS * round(count / PHRASE_BARS))].append(place)
    made: dict[int, Score] = {}
    for count, here in places.items():
        songs = compose.compose_many(model, len(here), bars=count, seed=seed + count, **options)
        made |= {place: song.score for place, song in zip(here, songs, strict=True)}
        print(f"  {len(made)} of {len(bars)}", end="\r", flush=True)
    return [made[place] for place in range(len(bars))]


def write_songs(songs: Sequence[Score], folder: Path) -> None:
    """Write songs as MIDI files; the folder gets its name when all of them are written."""
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    for number, song in enumerate(songs):
        midi.write(song, part / f"{number:03}.mid")
    part.rename(folder)


def make_sides(
    corpus: Corpus, out: Path, given: dict[str, str], label: str | None, options: argparse.Namespace
) -> dict[str, Path]:
    """The folder of MIDI files of each side; those that do not exist are composed."""
    held_out = [n for n in songs_of(corpus, options.side, label) if is_music(corpus.score(n))]
    human = [corpus.score(n) for n in draw_numbers(held_out, options.songs, options.seed)]
    bars = [len(Timeline.of(song)) for song in human]
    folders = {name: out / name for name in (HUMAN, TRAIN, *([] if label else [NGRAM]))}
    train = songs_of(corpus, "train", label)
    if not folders[HUMAN].exists():
        write_songs(human, folders[HUMAN])
    if not folders[TRAIN].exists():
        write_songs([corpus.score(n) for n in draw_numbers(train, len(human), options.seed)], folders[TRAIN])
    if NGRAM in folders and not folders[NGRAM].exists():
        write_songs(Ngram([corpus.score(n) for n in train]).songs(bars, options.seed), folders[NGRAM])
    for name, path in given.items():
        folders[name] = out / name
        if not (Path(path.split(",")[0]) / "model.json").is_file():
            folders[name] = Path(path)
        elif not folders[name].exists():
            began = time.process_time()
            songs = compose_songs(path, bars, options.seed, label)
            notes, took_s = sum(map(len, songs)), time.process_time() - began
            print(
                f"{name}: {len(songs)} songs, {notes:,} notes in {took_s:.0f} s of processor time", flush=True
            )
            write_songs(songs, folders[name])
    return folders


def judge_sides(
    corpus: Corpus, out: Path, given: dict[str, str], label: str | None, options: argparse.Namespace
) -> dict[str, Any]:
    """The reports of all sides; writes tables and picture into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    folders = make_sides(corpus, out, given, label, options)
    human = folders.pop(HUMAN)
    reports = {}
    for name, folder in folders.items():

        def compute(folder: Path = folder) -> dict[str, Any]:
            began = time.process_time()
            report = judge_songs(folder, human, corpus=options.corpus, most=options.songs, seed=options.seed)
            return report | {"processor_s": time.process_time() - began}

        reports[name] = stored(out / f"{name}.json", compute)
        if "too_few" in reports[name]["style"]:
            raise SystemExit(f"{name}: {reports[name]['style']['too_few']}")
        print(f"{name}: judged in {reports[name]['processor_s']:.0f} s of processor time", flush=True)
    reports = {name: reports[name] for name in (*given, NGRAM, TRAIN) if name in reports}
    (out / "judge.md").write_text(all_tables(reports))
    (out / "judge.svg").write_text(picture(reports))
    print(all_tables(reports), flush=True)
    return reports


@benchmark(
    CORPUS,
    argument("sides", nargs="*", metavar="NAME=PATH", help="models, or folders of MIDI files"),
    argument("--out", type=Path, required=True, help="songs and reports are kept here and not made again"),
    argument("--side", default="test+valid", help="the held-out songs: test, valid or both"),
    argument("--genre", metavar="LABEL", help="only songs of a label"),
    argument("--labels", action="store_true", help="each label with enough held-out songs, by itself"),
    argument("--songs", type=int, default=200, help="of each side, at most (default: %(default)s)"),
    argument("--seed", type=int, default=0),
)
def judge(options: argparse.Namespace) -> None:
    """Judge sides by the same held-out songs, as `ritornello judge --corpus` does, and compare the reports.

    The human side is the held-out songs of CORPUS. Each PATH is a side: a model folder, which composes for
    each human song one that is about as long, or a folder of MIDI files (of the benchmark `rival-songs`, or
    of any program). Options of composing follow a model's path: `a=model,creativity=0.7`. Two sides are
    always there: an n-gram (unless a label is chosen, since it plays one part), and songs of the train side,
    which show the figures of human songs, and that copies fail originality. No song is picked out; seeds are
    fixed.

    OUT/NAME/ gets the songs, OUT/NAME.json the report, OUT/judge.md the tables, OUT/judge.svg a picture.
    With --labels each label has a folder OUT/LABEL/, and OUT/labels.md a row for each label and side.
    """
    if options.genre and options.labels:
        raise SystemExit("judge: give --genre or --labels, not both")
    given = dict(side.split("=", 1) for side in options.sides)
    corpus = Corpus.open(options.corpus)
    if not options.labels:
        judge_sides(corpus, options.out, given, options.genre, options)
        return
    labels = judged_labels(corpus, options.side)
    reports = {label: judge_sides(corpus, options.out / label, given, label, options) for label in labels}
    (options.out / "labels.md").write_text(table_by_label(reports))
    print(table_by_label(reports))
