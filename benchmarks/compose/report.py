"""Prints the figures of composed and human songs for `compose`; figures.py defines them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks.compose import figures
from benchmarks.compose.figures import Floats
from benchmarks.shared import share_in_scale
from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.originality import closest_passages, opening, run_lengths, typical_longest_run
from ritornello.models.fingerprints import SongFingerprint
from ritornello.models.plan_vector import infer_plan
from ritornello.music import theory
from ritornello.music.chord_names import parse_chord
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.music.theory import key_name
from ritornello.music.timeline import Timeline
from ritornello.training.sample_monitor import SampleMonitor

BARS = 16
SECTIONS = {  # of the form A8 B8 A8 B8, in bars: the second one and the first one
    "A": (range(16, 24), range(8)),
    "B": (range(24, 32), range(8, 16)),
}
MAX_TRAIN = 150  # training songs of a label that are measured


class Made(NamedTuple):
    """A composed song as it was read, its plan, the options, and the bytes of its file."""

    score: Score
    plan: Plan
    asked: dict[str, Any]
    data: bytes


class HumanSongs:
    """The held-out songs of a label cut to BARS with their plans, and some training songs, cut as well."""

    def __init__(self, corpus: Corpus, label: str) -> None:
        self.corpus, self.label = corpus, label
        self.whole = list(self._side("test"))
        cut = [figures.first_bars(song, BARS) for song in self.whole]
        self.songs = [song for song in cut if len(song) > 1]
        self.plans = [infer_plan(song) for song in self.songs]
        self.learnt = [figures.first_bars(song, BARS) for song in self._side("train", MAX_TRAIN)]

    @property
    def as_long(self) -> list[Score]:
        """The songs of exactly BARS bars, training songs as well, since few are held out."""
        return [song for song in [*self.songs, *self.learnt] if len(Timeline.of(song)) == BARS]

    def _side(self, side: str, most: int = 1 << 30) -> Iterator[Score]:
        numbers = [n for n in self.corpus.songs(side).tolist() if self.label in self.corpus.info(n).labels]
        for number in numbers[:: max(1, -(-len(numbers) // most))]:
            yield self.corpus.score(number)

    def options_like(self, group: int) -> dict[str, Any]:
        """Key, meter, parts and chords of a held-out song, as options of `compose`."""
        which = group * len(self.songs) // 10 % len(self.songs)
        song, plan = self.songs[which], self.plans[which]
        _, numerator, denominator = plan.only_main_meter().meters[0]
        names = [part.instrument for part in plan.parts]
        chart = figures.chart_of(song)
        return {
            "key": key_name(*plan.key) if plan.key else None,
            "meter": f"{numerator}/{denominator}",
            "parts": ",".join(names),
            "chords": " ".join(figures.chord_name(*chord) for chord in chart) or None,
        }


def compare(ours: Floats, theirs: Floats) -> str:
    """The means of figures (n, k) of composed and human songs with their standard errors."""
    cells = []
    for column in range(ours.shape[1]):
        means = [side[:, column][~np.isnan(side[:, column])] for side in (ours, theirs)]
        shown = [f"{x.mean():.3f}±{x.std() / len(x) ** 0.5:.3f}" for x in means]
        cells.append("/".join(shown))
    return "  ".join(cells)


def print_free(humans: HumanSongs, made: list[Made], monitor: SampleMonitor, training: list[Score]) -> None:
    """Print faults, repeated pitches, repeated bars, activity of parts, and originality."""
    ours, theirs = [song.score for song in made], humans.songs
    label = humans.label
    faults = [monitor.fault(song) for song in ours]
    human_faults = sum(bool(monitor.fault(song)) for song in theirs)
    print(f"  flagged by the sample monitor {sum(map(bool, faults))} of {len(ours)},", end=" ")
    print(f"human {human_faults} of {len(theirs)}")
    print("   ", {name: faults.count(name) for name in set(faults) - {""}})
    over = [[figures.longest_repetition(song) > 8 for song in side] for side in (ours, theirs)]
    print(f"  one pitch over 8 times: {np.mean(over[0]):.3f} of songs, human {np.mean(over[1]):.3f}")
    print_bars(ours, humans.as_long)
    notes = [np.median([len(song) for song in side]) for side in (ours, theirs)]
    print(f"  notes {notes[0]:.0f}, human {notes[1]:.0f}")
    if label == "drums":
        return
    canonical = [figures.first_bars(song, BARS) for song in ours]
    cut = [opening(song, int(notes[0])) for song in theirs]
    fingerprints = [SongFingerprint.of(song) for song in (*canonical, *cut)]
    runs = run_lengths(fingerprints, closest_passages(fingerprints, map(SongFingerprint.of, training)))
    ours_run, human = runs[: len(ours)], runs[len(ours) :]
    print(
        f"  longest run shared with training songs: {max(ours_run)}, median {median(ours_run):.0f};", end=" "
    )
    print(
        f"human {typical_longest_run(human, len(ours))} (of {len(ours)} songs), longest {max(human)},",
        end=" ",
    )
    print(f"median {median(human):.0f}; over the longest {np.mean(np.array(ours_run) > max(human)):.2f}")


def print_bars(ours: Sequence[Score], theirs: Sequence[Score]) -> None:
    """Print how often bars repeat, and how much the quietest part plays; `theirs` are as long."""
    equal = [np.array([figures.equal_bars(song) for song in side]) for side in (ours, theirs)]
    print(f"  bars equal to 1, 2, 4, 8 before, any: {compare(*equal)}")
    print(f"  (composed/human with standard errors; {len(theirs)} human songs of {BARS} bars,", end=" ")
    print("training songs as well)")
    use = [np.array([figures.part_activity(song)[0] for song in side]) for side in (ours, theirs)]
    words = [", ".join(f"{q:.2f}" for q in np.quantile(side, [0.1, 0.25, 0.5])) for side in use]
    parts = [np.mean([len(np.unique(song.part)) for song in side]) for side in (ours, theirs)]
    print(f"  quietest part, share of bars (10, 25, 50%): {words[0]}; human {words[1]}")
    print(f"  parts {parts[0]:.1f}, human {parts[1]:.1f}")


def print_always(made: list[Made]) -> None:
    """Print what must be true of every song: its file can be read, bars, silence, parts, meter."""
    good = sum(figures.readers_agree(song.data) for song in made)
    exact = sum(len(figures.bar_sets(song.score)) == song.plan.bars for song in made)
    silent = sum(figures.count_silent_bars(song.score) > 0 for song in made)
    with_all_parts = sum(len(np.unique(song.score.part)) >= len(set(song.plan.parts)) for song in made)
    meters = sum(
        tuple(m[1:] for m in song.score.meters) == tuple(m[1:] for m in song.plan.meters) for song in made
    )
    n = len(made)
    print(f"  read by three readers {good}/{n}  exact bars {exact}/{n}  with a silent bar {silent}  ", end="")
    print(f"all parts play {with_all_parts}/{n}  meters {meters}/{n}")


def print_asked(humans: HumanSongs, made: list[Made]) -> None:
    """Print whether key, parts and meter are those that were asked for."""
    keyed = [(song.score, theory.parse_key(song.asked["key"])) for song in made if song.asked["key"]]
    if keyed:
        ours = [share_in_scale(*pair) for pair in keyed]
        pairs = zip(humans.songs, humans.plans, strict=True)
        theirs = [share_in_scale(song, plan.key) for song, plan in pairs if plan.key]
        print(f"  in the asked key's scale {np.mean(ours):.3f}, human in theirs {np.mean(theirs):.3f}")
    parts = [
        sorted(part.instrument for part in song.score.parts) == sorted(song.asked["parts"].split(","))
        for song in made
    ]
    meters = [
        {f"{m.numerator}/{m.denominator}" for m in song.score.meters} == {song.asked["meter"]}
        for song in made
    ]
    print(f"  asked parts {sum(parts)}/{len(made)}, asked meter {sum(meters)}/{len(made)}")


def print_chords(humans: HumanSongs, made: list[Made], without: list[Made]) -> None:
    """Print the share of chord tones: with the chords, the same seeds without, and human songs."""
    found = []
    charts = [song.asked["chords"] for song in made]
    for songs in (made, without):
        pairs = [
            (song.score, [parse_chord(name)[1:3] for name in chart.split()])
            for song, chart in zip(songs, charts, strict=True)
            if chart
        ]
        found.append(np.nanmean([figures.share_of_chord_tones(*pair) for pair in pairs]) if pairs else np.nan)
    theirs = [
        figures.share_of_chord_tones(song, chart)
        for song in humans.songs
        if (chart := figures.chart_of(song))
    ]
    if theirs:
        print(f"  chord tones {found[0]:.3f}, without --chords {found[1]:.3f}, human {np.mean(theirs):.3f}")


def print_form(humans: HumanSongs, made: list[Made]) -> None:
    """Print how similar sections of one name are, and sections of different names."""
    same_name = [figures.section_similarity(song.score, *pair) for song in made for pair in SECTIONS.values()]
    other = [figures.section_similarity(song.score, range(8), range(8, 16)) for song in made]
    canonical = [figures.NOTES.canonical(song)[0] for song in humans.whole]
    theirs = [share for song in canonical for share in figures.human_sections(song)]
    low, middle, high = np.quantile(theirs, [0.25, 0.5, 0.75]) if theirs else [np.nan] * 3
    print(
        f"  sections of one name {np.median(same_name):.2f}, human {middle:.2f} ({low:.2f}-{high:.2f}, ",
        end="",
    )
    print(f"{len(theirs)} sections); of different names {np.median(other):.2f}")
