"""Who composes like people: sides judged side by side, against the same held-out songs.

    python benchmarks/judge.py CORPUS --out DIR [--side test+valid] [--genre LABEL | --labels] [NAME=PATH ...]

CORPUS is a prepared folder, such as POP909-CL; its held-out songs are the human side, at most `--songs`. A
PATH is a model folder, which composes a song as long for each of them, or a folder of MIDI files by anybody
(`rival_songs.py` writes those of MidiTok and GPT-2, midigpt's own program its own). Two sides are there
anyhow: the n-gram of `ngram.py` (without a LABEL: it plays one part), and songs of the train side as they
are, which show what the figures are for human songs, and that copies fail originality. No song is picked;
seeds are fixed; what is in DIR is not composed again, so that sides can be added. Dials of a model follow
its path: `a=model,creativity=0.7`.

DIR/NAME/ gets the songs, DIR/NAME.json the report of `ritornello judge` with --corpus, DIR/judge.md the
tables, DIR/judge.svg the picture. `--labels` does all of it for each label with 40 held-out songs or more, in
DIR/LABEL/, and writes DIR/labels.md, a line a label.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from judged import by_label, picture, tables
from ngram import Ngram
from ritornello import midi
from ritornello.composing import compose
from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.compare import FEWEST_OF_LABEL
from ritornello.evaluation.judge import judge
from ritornello.models.model import Model
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

PHRASE = 4  # bars
HUMAN, TRAIN, NGRAM = "human", "training songs", "n-gram"


def of_sides(corpus: Corpus, sides: str, label: str | None) -> list[int]:
    """Songs of the sides named, such as "test+valid", and of a label."""
    numbers = [n for side in sides.split("+") for n in corpus.songs(side).tolist()]
    return [n for n in numbers if label is None or label in corpus.info(n).labels]


def some(numbers: list[int], most: int, seed: int) -> list[int]:
    """At most so many, drawn by the seed."""
    draw = np.random.default_rng(seed)
    return numbers if len(numbers) <= most else sorted(draw.choice(numbers, most, replace=False).tolist())


def labels_of(corpus: Corpus, sides: str) -> list[str]:
    """The labels of which so many songs are held out that figures count."""
    numbers = of_sides(corpus, sides, None)
    songs = Counter(label for number in numbers for label in corpus.info(number).labels)
    return sorted(label for label, count in songs.items() if count >= FEWEST_OF_LABEL)


def is_music(song: Score) -> bool:
    """Whether a song has more than three notes a bar: not those that hold nothing but chords."""
    return len(song) > 3 * len(Timeline.of(song))


def composed(path: str, bars: Sequence[int], seed: int, label: str | None) -> list[Score]:
    """A song of each number of bars by a model, to within half a PHRASE; equally long ones together."""
    folder, *options = path.split(",")
    model = Model.open(folder)
    dials: dict[str, Any] = {"genre": label} if label else {}
    dials |= {name: float(value) for name, value in (option.split("=") for option in options)}
    places: dict[int, list[int]] = defaultdict(list)
    for place, count in enumerate(bars):
        places[max(PHRASE, PHRASE * round(count / PHRASE))].append(place)
    made: dict[int, Score] = {}
    for count, here in places.items():
        songs = compose.compose_many(model, len(here), bars=count, seed=seed + count, **dials)
        made |= {place: song.score for place, song in zip(here, songs, strict=True)}
        print(f"  {len(made)} of {len(bars)}", end="\r", flush=True)
    return [made[place] for place in range(len(bars))]


def write(songs: Sequence[Score], folder: Path) -> None:
    """Write songs as MIDI files; the folder has its name when all are there."""
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    for number, song in enumerate(songs):
        midi.write(song, part / f"{number:03}.mid")
    part.rename(folder)


def make_sides(
    corpus: Corpus, out: Path, given: dict[str, str], label: str | None, options: argparse.Namespace
) -> dict[str, Path]:
    """The folders of MIDI files by side; what is missing is made."""
    held_out = [n for n in of_sides(corpus, options.side, label) if is_music(corpus.score(n))]
    human = [corpus.score(n) for n in some(held_out, options.songs, options.seed)]
    bars = [len(Timeline.of(song)) for song in human]
    folders = {name: out / name for name in (HUMAN, TRAIN, *([] if label else [NGRAM]))}
    train = of_sides(corpus, "train", label)
    if not folders[HUMAN].exists():
        write(human, folders[HUMAN])
    if not folders[TRAIN].exists():
        write([corpus.score(n) for n in some(train, len(human), options.seed)], folders[TRAIN])
    if NGRAM in folders and not folders[NGRAM].exists():
        write(Ngram([corpus.score(n) for n in train]).songs(bars, options.seed), folders[NGRAM])
    for name, path in given.items():
        folders[name] = out / name
        if not (Path(path.split(",")[0]) / "model.json").is_file():
            folders[name] = Path(path)
        elif not folders[name].exists():
            began = time.process_time()
            songs = composed(path, bars, options.seed, label)
            notes, took_s = sum(map(len, songs)), time.process_time() - began
            print(
                f"{name}: {len(songs)} songs, {notes:,} notes in {took_s:.0f} s of the processor", flush=True
            )
            write(songs, folders[name])
    return folders


def report(folder: Path, human: Path, corpus: Path, file: Path, options: argparse.Namespace) -> Any:
    """The report of a side, with the seconds of the processor that it took; read where it is there."""
    if not file.exists():
        began = time.process_time()
        found = judge(folder, human, corpus=corpus, most=options.songs, seed=options.seed)
        file.write_text(json.dumps(found | {"processor_s": time.process_time() - began}, allow_nan=False))
    return json.loads(file.read_text())


def judge_sides(
    corpus: Corpus, out: Path, given: dict[str, str], label: str | None, options: argparse.Namespace
) -> dict[str, Any]:
    """The reports of all sides, with tables and picture in a folder."""
    out.mkdir(parents=True, exist_ok=True)
    folders = make_sides(corpus, out, given, label, options)
    human = folders.pop(HUMAN)
    found = {}
    for name, folder in folders.items():
        found[name] = report(folder, human, options.corpus, out / f"{name}.json", options)
        print(f"{name}: judged in {found[name]['processor_s']:.0f} s of the processor", flush=True)
    found = {name: found[name] for name in (*given, NGRAM, TRAIN) if name in found}
    (out / "judge.md").write_text(tables(found))
    (out / "judge.svg").write_text(picture(found))
    print(tables(found), flush=True)
    return found


def main() -> None:
    """Make the sides, judge them, write tables and picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("sides", nargs="*", metavar="NAME=PATH", help="models, or folders of MIDI files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", default="test+valid", help="the held-out songs: test, valid or both")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--genre", metavar="LABEL", help="songs of a label alone")
    which.add_argument("--labels", action="store_true", help="each label that has enough songs, by itself")
    parser.add_argument("--songs", type=int, default=200, help="of each side at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_intermixed_args()
    given = dict(side.split("=", 1) for side in options.sides)
    corpus = Corpus.open(options.corpus)
    if not options.labels:
        judge_sides(corpus, options.out, given, options.genre, options)
        return
    labels = labels_of(corpus, options.side)
    found = {label: judge_sides(corpus, options.out / label, given, label, options) for label in labels}
    (options.out / "labels.md").write_text(by_label(found))
    print(by_label(found))


if __name__ == "__main__":
    main()
