"""The description of one song, as JSON and as text: its key, meter, parts, chords, form and features."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.features import FEATURES
from ritornello.evaluation.report import passage_text
from ritornello.music import theory
from ritornello.music.chord_names import letter_name
from ritornello.music.plan import Plan
from ritornello.music.score import DEFAULT_TEMPO, Score
from ritornello.music.timeline import Ticks, Timeline
from ritornello.representations.grid.canonical import grid_spans
from ritornello.representations.grid.chords import beat_edges
from ritornello.representations.notes import Notes
from ritornello.system.templates import fill_template

PHRASE_BARS = 4
SILENT = "-"  # stands for the chord or the phrase letter of a silent bar
SHOWN_REPEATS = 4  # how many repeats are shown, the longest ones
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIMILARITIES = ("not at all", "some", "most", "all")  # the names of Timeline.similarity
FEWEST_HUMAN = 20  # with fewer human songs there are no ranks


def describe_song(score: Score, human: Sequence[Score] = ()) -> dict[str, Any]:
    """Return the description of a song, as JSON can hold it; `human` songs give each feature a rank."""
    song = AnalysedSong(score)
    encoded, _ = Notes().canonical(score)
    timeline = Notes().timeline(encoded)
    spans = np.stack(grid_spans(score, Plan.of(score)), axis=1)
    tempo = (score.tempi or (DEFAULT_TEMPO,))[0]
    bars = Timeline.of(score)
    meters = dict.fromkeys(f"{a}/{b}" for a, b in zip(bars.numerator, bars.denominator, strict=True))
    return {
        "title": score.title,
        "bars": bars.full_bars,
        "seconds": round(score.duration_s, 2),
        "notes": len(score),
        "meters": list(meters),
        "bpm": round(tempo.bpm, 1),
        "tempo_changes": max(0, len(score.tempi) - 1),
        "key": theory.key_name(*song.key) if len(song.pitch) else None,
        "key_written": theory.key_name(*score.keys[0][1:]) if score.keys else None,
        "parts": parts(song),
        "chords": chords(timeline, None if score.chords else spans[~score.of_drums])
        if len(song.pitch)
        else None,
        "form": form(_full_bars(timeline), silent_bars(timeline, spans)[timeline.pickup_bars :]),
        "features": feature_means(song, [AnalysedSong(each) for each in human]),
    }


def parts(song: AnalysedSong) -> list[dict[str, Any]]:
    """Return for each part with notes its name, instrument, number of notes, and range (None for drums)."""
    descriptions = []
    for index, part in enumerate(song.score.parts):
        pitch = song.score.pitch[song.score.part == index].astype(int)
        if len(pitch):
            ends = [theory.pitch_name(int(end)) for end in (pitch.min(), pitch.max())]
            pitch_range = None if part.is_drum else ends
            descriptions.append(
                {"name": part.name, "sound": part.instrument, "notes": len(pitch), "range": pitch_range}
            )
    return descriptions


def chords(timeline: Timeline, spans: Ticks | None = None) -> dict[str, Any]:
    """Return the first chord of each full bar, and the share of time of the six most common chords.

    `spans` are the starts and ends of the pitched notes (N, 2) in ticks of the timeline, if its chords were
    estimated from them: then a silent bar has no chord and does not count, and a silent beat keeps the chord
    before it. Chords that the song names hold in silence too.
    """
    if not timeline.chords:
        return {"by_bar": [], "commonest": {}}
    onset = np.array([chord.onset_ticks for chord in timeline.chords])
    edges = np.union1d(beat_edges(timeline), onset[onset < timeline.end_ticks])
    bar = timeline.bar_of(edges[:-1])
    chord = np.maximum(np.searchsorted(onset, edges[:-1], side="right") - 1, 0)
    sounds = np.ones(len(bar), bool) if spans is None else _sounding_ticks(edges, spans) > 0
    bar_sounds = np.bincount(bar, sounds, len(timeline)) > 0
    index = np.arange(len(bar))
    before = np.maximum.accumulate(np.where(sounds, index, int(sounds.argmax())))  # the last that sounds
    after = np.minimum.accumulate(np.where(sounds, index, len(bar) - 1)[::-1])[::-1]  # the next that sounds
    total = np.bincount(chord[before], np.diff(edges) * bar_sounds[bar], len(onset))
    names = [letter_name(each) for each in timeline.chords]
    ticks_of: Counter[str] = Counter()
    for name, ticks in zip(names, total.tolist(), strict=True):
        ticks_of[name] += ticks
    first = chord[after[np.searchsorted(bar, np.arange(len(timeline)))]].tolist()
    by_bar = [names[c] if has_notes else SILENT for c, has_notes in zip(first, bar_sounds, strict=True)]
    by_bar = by_bar[timeline.pickup_bars :]
    commonest = {name: round(t / sum(total), 3) for name, t in ticks_of.most_common(6) if t}
    return {"by_bar": by_bar, "commonest": commonest}


def _full_bars(timeline: Timeline) -> Timeline:
    """Return a timeline without its pickup, if it has one; the form of a song does not count it."""
    if not timeline.pickup_bars:
        return timeline
    names = ("start_ticks", "length_ticks", "numerator", "denominator", "similarity")
    columns = {name: getattr(timeline, name)[1:] for name in names}
    return replace(timeline, returns_to=np.maximum(timeline.returns_to[1:] - 1, -1), sketch=None, **columns)


def silent_bars(timeline: Timeline, spans: Ticks) -> npt.NDArray[np.bool_]:
    """Return for each bar whether no note is struck in it, or held through half of it.

    `spans` are the starts and ends of all notes (N, 2) in ticks of the timeline.
    """
    struck = np.bincount(timeline.bar_of(spans[:, 0]), minlength=len(timeline))
    held_ticks = _sounding_ticks(np.append(timeline.start_ticks, timeline.end_ticks), spans)
    return np.asarray((struck == 0) & (2 * held_ticks < timeline.length_ticks))


def _sounding_ticks(edges: Ticks, spans: Ticks) -> npt.NDArray[np.float64]:
    """Return for how many ticks (S,) at least one of the notes (N, 2) sounds between edges (S + 1,)."""
    if not len(spans):
        return np.zeros(len(edges) - 1)
    start, end = spans[np.argsort(spans[:, 0], kind="stable")].T
    until = np.maximum.accumulate(end)
    is_gap = start[1:] > until[:-1]  # nothing sounds before this note
    starts, ends = start[np.append(True, is_gap)], until[np.append(is_gap, True)]
    sounded = np.cumsum(np.append(0, ends - starts))
    times, totals = np.stack([starts, ends], 1).ravel(), np.stack([sounded[:-1], sounded[1:]], 1).ravel()
    return np.diff(np.interp(edges, times, totals))


def form(timeline: Timeline, is_silent: npt.NDArray[np.bool_] | None = None) -> dict[str, Any]:
    """Return the phrases by letter (A' repeats A in part), the returns of the bars, and their share.

    The origin of a bar is the first of the bars to which it returns, directly or indirectly. A phrase gets
    the letter of the earlier phrase with which it shares most origins, if it shares half of them. Bars that
    are silent (`is_silent` (bars,)) in both phrases do not count; a silent phrase has no letter.
    """
    origin = timeline.origins
    if is_silent is not None:
        origin[is_silent] = -1
    phrases = [origin[start : start + PHRASE_BARS] for start in range(0, len(origin), PHRASE_BARS)]
    firsts: list[Any] = []  # the first phrase of each letter
    letters = []
    for phrase in phrases:
        if (phrase < 0).all():
            letters.append(SILENT)
            continue
        shared = [_shared_origins(phrase, first) for first in firsts]
        best = int(np.argmax(shared)) if shared else -1
        if best < 0 or shared[best] < 0.5:
            firsts.append(phrase)
            best, is_exact = len(firsts) - 1, True
        else:
            is_exact = shared[best] == 1.0
        letters.append(_letter(best) + ("" if is_exact else "'"))
    return {
        "phrase_bars": PHRASE_BARS,
        "letters": letters,
        "returning_share": round(float((timeline.returns_to >= 0).mean()), 3) if len(timeline) else 0.0,
        "returns_to": (timeline.returns_to + 1).tolist(),  # bars count from 1 here, 0 is none
        "likeness": [SIMILARITIES[max(0, value)] for value in timeline.similarity.tolist()],
        "passages": repeats(timeline),
    }


def _shared_origins(phrase: Ticks, earlier: Ticks) -> float:
    """Return the share 0-1 of bars with the same origin, of those that are not silent (-1) in both."""
    if len(earlier) < len(phrase):
        return 0.0
    earlier = earlier[: len(phrase)]
    return float((phrase == earlier)[(phrase >= 0) | (earlier >= 0)].mean())


def repeats(timeline: Timeline) -> list[dict[str, int]]:
    """Return each span of bars that returns to an earlier one: first, last, and first earlier bar, from 1."""
    spans: list[dict[str, int]] = []
    expected = -1
    for bar, target in enumerate([*timeline.returns_to.tolist(), -1], start=1):
        if target < 0 or target != expected:
            if spans and spans[-1]["last"] == spans[-1]["first"]:
                spans.pop()
            if target >= 0:
                spans.append({"first": bar, "last": bar, "of": target + 1})
        else:
            spans[-1]["last"] = bar
        expected = target + 1 if target >= 0 else -1
    return spans


def _letter(number: int) -> str:
    """Return the letter of a number: A to Z, then A1, B1 and so on."""
    return LETTERS[number % 26] + (str(number // 26) if number >= 26 else "")


def feature_means(song: AnalysedSong, human: Sequence[AnalysedSong]) -> dict[str, Any]:
    """Return the mean of each feature, and its rank, 0-1, among the human songs if there are enough."""
    means: dict[str, Any] = {}
    for feature in FEATURES:
        values = feature.values(song)
        if not len(values):
            continue
        mean = float(values.mean())
        means[feature.name] = {"unit": feature.unit, "mean": mean}
        if len(human) >= FEWEST_HUMAN:
            theirs = np.array([v.mean() for v in map(feature.values, human) if len(v)])
            if len(theirs):
                rank = float(((theirs < mean) + 0.5 * (theirs == mean)).mean())
                means[feature.name] |= {"human_median": float(np.median(theirs)), "rank": rank}
    return means


def description_text(description: dict[str, Any]) -> str:
    """Return the description of a song as text."""
    longest = sorted(description["form"]["passages"], key=lambda p: p["first"] - p["last"])[:SHOWN_REPEATS]
    longest.sort(key=lambda p: p["first"])
    functions = {"passage_text": passage_text, "figure": _figure}
    return fill_template("description.txt", song=description, longest=longest, **functions).rstrip("\n")


def _figure(mean: float, unit: str) -> str:
    """Return a mean with its unit; of logarithms the geometric mean of the values."""
    return f"{2**mean:.2f} beats" if unit == "log2 beats" else f"{mean:.2f} {unit}"
