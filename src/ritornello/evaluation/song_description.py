"""The description of one song, as JSON and as text: its key, meter, parts, chords, form and features."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.features import FEATURES
from ritornello.evaluation.report import passage_text
from ritornello.music import theory
from ritornello.music.score import DEFAULT_TEMPO, Score
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes

PHRASE_BARS = 4
SHOWN_REPEATS = 4  # the longest ones
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIMILARITIES = ("not at all", "some", "most", "all")  # the names of Timeline.similarity
FEWEST_HUMAN = 20  # songs for a rank
UNUSUAL_SHARE = 0.025  # of human songs below, or above, a figure that is called unusual


def describe_song(score: Score, human: Sequence[Score] = ()) -> dict[str, Any]:
    """Return the description of a song, as JSON can hold it; `human` songs give each feature a rank."""
    song = AnalysedSong(score)
    encoded, _ = Notes().canonical(score)
    timeline = Notes().timeline(encoded)
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
        "features": feature_means(song, [AnalysedSong(each) for each in human]),
    }


def parts(song: AnalysedSong) -> list[dict[str, Any]]:
    """Return for each part with notes its name, instrument, number of notes, and range (None for drums)."""
    found = []
    for index, part in enumerate(song.score.parts):
        pitch = song.score.pitch[song.score.part == index].astype(int)
        if len(pitch):
            ends = [theory.pitch_name(int(end)) for end in (pitch.min(), pitch.max())]
            sound = "drums" if part.is_drum else theory.INSTRUMENTS[part.program]
            pitch_range = None if part.is_drum else ends
            found.append({"name": part.name, "sound": sound, "notes": len(pitch), "range": pitch_range})
    return found


def chords(timeline: Timeline) -> dict[str, Any]:
    """Return the chord at the start of each bar, and the share of time of the six most common chords."""
    onset = np.array([chord.onset_ticks for chord in timeline.chords])
    names = [theory.chord_name(chord.root, chord.kind) for chord in timeline.chords]
    if not names:
        return {"by_bar": [], "commonest": {}}
    at_bar = np.maximum(np.searchsorted(onset, timeline.start_ticks, side="right") - 1, 0)
    durations = np.diff(np.append(onset, max(timeline.end_ticks, int(onset[-1]))))
    total: Counter[str] = Counter()
    for name, ticks in zip(names, durations.tolist(), strict=True):
        total[name] += ticks
    all_ticks = max(1, sum(total.values()))
    commonest = {name: round(ticks / all_ticks, 3) for name, ticks in total.most_common(6) if ticks}
    return {"by_bar": [names[chord] for chord in at_bar.tolist()], "commonest": commonest}


def form(timeline: Timeline) -> dict[str, Any]:
    """Return the phrases by letter (A' repeats A in part), the returns of the bars, and their share.

    The origin of a bar is the first of the bars to which it returns, directly or indirectly. A phrase gets
    the letter of the earlier phrase with which it shares most origins, if it shares half of them.
    """
    origin = np.arange(len(timeline))
    for bar, target in enumerate(timeline.returns_to.tolist()):
        origin[bar] = origin[target] if target >= 0 else bar
    phrases = [origin[start : start + PHRASE_BARS] for start in range(0, len(origin), PHRASE_BARS)]
    firsts: list[Any] = []  # the first phrase of each letter
    letters = []
    for phrase in phrases:
        shared = [
            float((phrase == first[: len(phrase)]).mean()) for first in firsts if len(first) >= len(phrase)
        ]
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


def repeats(timeline: Timeline) -> list[dict[str, int]]:
    """Return where successive bars return to successive bars: first, last, the first of those; from 1."""
    found: list[dict[str, int]] = []
    expected = -1
    for bar, target in enumerate([*timeline.returns_to.tolist(), -1], start=1):
        if target < 0 or target != expected:
            if found and found[-1]["last"] == found[-1]["first"]:
                found.pop()
            if target >= 0:
                found.append({"first": bar, "last": bar, "of": target + 1})
        else:
            found[-1]["last"] = bar
        expected = target + 1 if target >= 0 else -1
    return found


def _letter(number: int) -> str:
    """Return the letter of a number: A to Z, then A1, B1 and so on."""
    return LETTERS[number % 26] + (str(number // 26) if number >= 26 else "")


def feature_means(song: AnalysedSong, human: Sequence[AnalysedSong]) -> dict[str, Any]:
    """Return the mean of each feature, and its rank, 0-1, among the human songs if there are enough."""
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
    """Return the description of a song as lines of text."""
    minutes, seconds = divmod(round(found["seconds"]), 60)
    lines = [
        f"{'length':<12} {found['bars']} bars, {minutes}:{seconds:02}, {found['notes']:,} notes",
        f"{'meter':<12} {', '.join(found['meters'][:4])}, {found['bpm']:g} bpm"
        + (f", {found['tempo_changes']} changes of tempo" if found["tempo_changes"] else ""),
    ]
    if found["key"]:
        written = found["key_written"]
        signature = f" (written: {written})" if written not in (None, found["key"]) else ""
        in_key = found["features"]["in-scale share"]["mean"]
        lines.append(f"{'key':<12} {found['key']}{signature}, {in_key:.0%} of the notes in its scale")
    for part in found["parts"]:
        pitch_range = f", {part['range'][0]} to {part['range'][1]}" if part["range"] else ""
        named = f" ({part['name']})" if part["name"] else ""
        lines.append(f"{'part':<12} {part['sound']}{named}: {part['notes']:,} notes{pitch_range}")
    if found["chords"] and found["chords"]["by_bar"]:
        common = ", ".join(f"{name} {share:.0%}" for name, share in found["chords"]["commonest"].items())
        lines.append(f"{'chords':<12} {common}")
        lines.append(f"{'':<12} {' | '.join(found['chords']['by_bar'][:8])} ...")
    form = found["form"]
    lines.append(f"{'form':<12} {' '.join(form['letters'])}   (phrases of {form['phrase_bars']} bars)")
    lines.append(f"{'':<12} {form['returning_share']:.0%} of the bars return to an earlier one")
    longest = sorted(form["passages"], key=lambda p: p["first"] - p["last"])[:SHOWN_REPEATS]
    for each in sorted(longest, key=lambda p: p["first"]):
        last = each["of"] + each["last"] - each["first"]
        lines.append(f"{'':<12} bars {each['first']}-{each['last']} return to {each['of']}-{last}")
    if found.get("closest"):
        lines.append(f"{'closest':<12} {_closest(found['closest'])}")
    return lines + _feature_lines(found["features"])


def _closest(closest: dict[str, Any]) -> str:
    """Return the passage closest to the training songs as text."""
    if closest["passage"] is None:
        return f"nothing in {closest['where']} (drums are not compared)"
    human = f"; human songs: {closest['human']:g}" if closest["human"] is not None else ""
    return passage_text(closest["passage"]) + human


def _feature_lines(features: dict[str, Any]) -> list[str]:
    """Return a line for each feature, with the human median and the rank if they are known."""
    lines = [""]
    for name, feature in features.items():
        line = f"{name:<16} {_figure(feature['mean'], feature['unit']):<26}"
        if "rank" in feature:
            unusual = "" if UNUSUAL_SHARE <= feature["rank"] <= 1 - UNUSUAL_SHARE else "   unusual"
            human = _figure(feature["human_median"], feature["unit"])
            line += f" human {human}, above {feature['rank']:.0%} of them{unusual}"
        lines.append(line.rstrip())
    return lines


def _figure(mean: float, unit: str) -> str:
    """Return a mean with its unit; of logarithms the geometric mean of the values."""
    return f"{2**mean:.2f} beats" if unit == "log2 beats" else f"{mean:.2f} {unit}"
