"""Portrait: one song in numbers and words: its key, meter, tempo, parts, chords and form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.features import FEATURES
from ritornello.evaluation.report import in_words
from ritornello.music import theory
from ritornello.music.score import DEFAULT_TEMPO, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes

PHRASE = 4  # bars
PASSAGES = 4  # that are named in words, the longest
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LIKENESS = ("not at all", "some", "most", "all")
FEWEST_HUMAN = 20  # songs, to say how usual a figure is
UNUSUAL = 0.025  # share of the human songs beyond


def describe_song(score: Score, human: Sequence[Score] = ()) -> dict[str, Any]:
    """What a song is like, as JSON can hold it; `human` songs say how usual each figure is (rank, 0-1)."""
    song = AnalysedSong(score)
    whole, _ = Notes().canonical(score)
    timeline = Notes().timeline(whole)
    tempo = (score.tempi or (DEFAULT_TEMPO,))[0]
    meters = dict.fromkeys(
        f"{a}/{b}" for a, b in zip(song.timeline.numerator, song.timeline.denominator, strict=True)
    )
    return {
        "title": score.title,
        "bars": len(song.timeline),
        "seconds": round(score.duration_s, 2),
        "notes": len(score),
        "meters": list(meters),
        "bpm": round(tempo.bpm, 1),
        "tempo_changes": max(0, len(score.tempi) - 1),
        "key": theory.key_name(*song.key) if len(song.pitch) else None,
        "key_written": theory.key_name(*score.keys[0][1:]) if score.keys else None,
        "parts": parts(song),
        "chords": chords(timeline) if len(song.pitch) else None,
        "form": form(timeline),
        "features": figures(song, [AnalysedSong(each) for each in human]),
    }


def parts(song: AnalysedSong) -> list[dict[str, Any]]:
    """Each part that is heard: name, sound, notes, lowest and highest pitch (None for drums)."""
    found = []
    for index, part in enumerate(song.score.parts):
        pitch = song.score.pitch[song.score.part == index].astype(int)
        if len(pitch):
            ends = [theory.pitch_name(int(end)) for end in (pitch.min(), pitch.max())]
            sound = "drums" if part.is_drum else theory.INSTRUMENTS[part.program]
            about = {"name": part.name, "sound": sound, "notes": len(pitch)}
            found.append(about | {"range": None if part.is_drum else ends})
    return found


def chords(timeline: Timeline) -> dict[str, Any]:
    """The chord at the start of each bar, and the share of the time that each of the commonest lasts."""
    onset = np.array([chord.onset_ticks for chord in timeline.chords])
    names = [theory.chord_name(chord.root, chord.kind) for chord in timeline.chords]
    if not names:
        return {"by_bar": [], "commonest": {}}
    at = np.maximum(np.searchsorted(onset, timeline.start_ticks, side="right") - 1, 0)
    lasts = np.diff(np.append(onset, max(timeline.end_ticks, int(onset[-1]))))
    total: Counter[str] = Counter()
    for name, ticks in zip(names, lasts.tolist(), strict=True):
        total[name] += ticks
    every = max(1, sum(total.values()))
    common = {name: round(ticks / every, 3) for name, ticks in total.most_common(6) if ticks}
    return {"by_bar": [names[place] for place in at.tolist()], "commonest": common}


def form(timeline: Timeline) -> dict[str, Any]:
    """Phrases by letter (A' returns to A in part), the bars of each, and the share of bars that return.

    A bar is known by the first of those that it returns to; a phrase is that earlier one with which it shares
    most bars, at least half of them.
    """
    origin = np.arange(len(timeline))
    for bar, model in enumerate(timeline.returns_to.tolist()):
        origin[bar] = origin[model] if model >= 0 else bar
    phrases = [origin[start : start + PHRASE] for start in range(0, len(origin), PHRASE)]
    firsts: list[Any] = []  # the first phrase of each letter
    letters = []
    for phrase in phrases:
        shared = [
            float((phrase == first[: len(phrase)]).mean()) for first in firsts if len(first) >= len(phrase)
        ]
        best = int(np.argmax(shared)) if shared else -1
        if best < 0 or shared[best] < 0.5:
            firsts.append(phrase)
            best, exact = len(firsts) - 1, True
        else:
            exact = shared[best] == 1.0
        letters.append(_letter(best) + ("" if exact else "'"))
    return {
        "phrase_bars": PHRASE,
        "letters": letters,
        "returning_share": round(float((timeline.returns_to >= 0).mean()), 3) if len(timeline) else 0.0,
        "returns_to": (timeline.returns_to + 1).tolist(),  # bars count from 1 here, 0 is none
        "likeness": [LIKENESS[max(0, close)] for close in timeline.similarity.tolist()],
        "passages": passages(timeline),
    }


def passages(timeline: Timeline) -> list[dict[str, int]]:
    """Bars in a row that return to bars in a row, two or more: first, last, first of those; from 1."""
    found: list[dict[str, int]] = []
    following = -1
    for bar, model in enumerate([*timeline.returns_to.tolist(), -1], start=1):
        if model < 0 or model != following:
            if found and found[-1]["last"] == found[-1]["first"]:
                found.pop()
            if model >= 0:
                found.append({"first": bar, "last": bar, "of": model + 1})
        else:
            found[-1]["last"] = bar
        following = model + 1 if model >= 0 else -1
    return found


def _letter(number: int) -> str:
    """A to Z, then A1, B1 and so on."""
    return LETTERS[number % 26] + (str(number // 26) if number >= 26 else "")


def figures(song: AnalysedSong, human: Sequence[AnalysedSong]) -> dict[str, Any]:
    """Of each feature the mean, and its rank (0-1) among those of the human songs if there are enough."""
    found: dict[str, Any] = {}
    for feature in FEATURES:
        values = feature.values(song)
        if not len(values):
            continue
        mean = float(values.mean())
        found[feature.name] = {"unit": feature.unit, "mean": mean}
        if len(human) >= FEWEST_HUMAN:
            theirs = np.array([v.mean() for v in map(feature.values, human) if len(v)])
            if len(theirs):
                rank = float(((theirs < mean) + 0.5 * (theirs == mean)).mean())
                found[feature.name] |= {"human_median": float(np.median(theirs)), "rank": rank}
    return found


def description_lines(found: dict[str, Any]) -> list[str]:
    """A portrait in lines of text."""
    minutes, seconds = divmod(round(found["seconds"]), 60)
    lines = [
        f"{'length':<12} {found['bars']} bars, {minutes}:{seconds:02}, {found['notes']:,} notes",
        f"{'meter':<12} {', '.join(found['meters'][:4])}, {found['bpm']:g} bpm"
        + (f", {found['tempo_changes']} changes of tempo" if found["tempo_changes"] else ""),
    ]
    if found["key"]:
        written = found["key_written"]
        said = f" (written: {written})" if written not in (None, found["key"]) else ""
        in_key = found["features"]["in-scale share"]["mean"]
        lines.append(f"{'key':<12} {found['key']}{said}, {in_key:.0%} of the notes in its scale")
    for part in found["parts"]:
        span = f", {part['range'][0]} to {part['range'][1]}" if part["range"] else ""
        named = f" ({part['name']})" if part["name"] else ""
        lines.append(f"{'part':<12} {part['sound']}{named}: {part['notes']:,} notes{span}")
    if found["chords"] and found["chords"]["by_bar"]:
        common = ", ".join(f"{name} {share:.0%}" for name, share in found["chords"]["commonest"].items())
        lines.append(f"{'chords':<12} {common}")
        lines.append(f"{'':<12} {' | '.join(found['chords']['by_bar'][:8])} ...")
    shape = found["form"]
    lines.append(f"{'form':<12} {' '.join(shape['letters'])}   (phrases of {shape['phrase_bars']} bars)")
    lines.append(f"{'':<12} {shape['returning_share']:.0%} of the bars return to an earlier one")
    longest = sorted(shape["passages"], key=lambda p: p["first"] - p["last"])[:PASSAGES]
    for each in sorted(longest, key=lambda p: p["first"]):
        last = each["of"] + each["last"] - each["first"]
        lines.append(f"{'':<12} bars {each['first']}-{each['last']} return to {each['of']}-{last}")
    if found.get("closest"):
        lines.append(f"{'closest':<12} {_closest(found['closest'])}")
    return lines + _usual(found["features"])


def _closest(about: dict[str, Any]) -> str:
    """The passage closest to what was learnt, in words."""
    if about["passage"] is None:
        return f"nothing in {about['where']} (drums are not compared)"
    human = f"; human songs: {about['human']:g}" if about["human"] is not None else ""
    return in_words(about["passage"]) + human


def _usual(features: dict[str, Any]) -> list[str]:
    """Each figure, beside the human ones if they are known."""
    lines = [""]
    for name, about in features.items():
        line = f"{name:<16} {_figure(about['mean'], about['unit']):<26}"
        if "rank" in about:
            odd = "" if UNUSUAL <= about["rank"] <= 1 - UNUSUAL else "   unusual"
            human = _figure(about["human_median"], about["unit"])
            line += f" human {human}, above {about['rank']:.0%} of them{odd}"
        lines.append(line.rstrip())
    return lines


def _figure(mean: float, unit: str) -> str:
    """A mean with its unit; of logarithms the geometric mean."""
    return f"{2**mean:.2f} beats" if unit == "log2 beats" else f"{mean:.2f} {unit}"
