"""Findings: what the doctor writes down about a song that could be kept, small enough for a line of JSON."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np

from ritornello.corpus.checks.check import ANNOTATION as ANNOTATION_NOTES
from ritornello.corpus.doctor.warnings import ANNOTATION, warn
from ritornello.errors import ScoreError
from ritornello.music import theory
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline


def findings(score: Score, dropped: dict[str, int]) -> dict[str, Any]:
    """Facts about a song; `dropped` is what reading it cost.

    Of "key", which the file says, and "estimated_key", which its pitches say where the file says none, one is
    empty. They, "meter" and "bpm" are those that last longest, empty or 0 where the file says nothing.
    """
    warnings = warn(score)
    if notes := dropped.get(ANNOTATION_NOTES, 0):
        warnings = {ANNOTATION.name: f"{notes:,} notes of chord labels", **warnings}
    key, meter, tempo = (usual(score, name) for name in ("keys", "meters", "tempi"))
    return {
        "notes": len(score),
        "parts": len(score.parts),
        "bars": _bars(score),
        "seconds": round(score.duration_s, 1),
        "key": theory.key_name(*key) if key else "",
        "estimated_key": "" if key else _estimated_key(score),
        "meter": f"{meter[0]}/{meter[1]}" if meter else "",
        "bpm": round(60e6 / tempo[0], 1) if tempo else 0.0,
        "warnings": warnings,
    }


def usual(score: Score, name: str) -> tuple[Any, ...]:
    """What a score's events ("keys", "meters", "tempi") say for the longest time; () if nothing."""
    events = getattr(score, name)
    ticks = [event.onset_ticks for event in events]
    lasts: Counter[tuple[Any, ...]] = Counter()
    for event, (start, stop) in zip(events, pairwise([*ticks, score.end_ticks]), strict=True):
        lasts[event[1:]] += max(stop - start, 0)
    return lasts.most_common(1)[0][0] if lasts else ()


def _bars(score: Score) -> int:
    try:
        return len(Timeline.of(score))
    except ScoreError:  # more bars than anyone can count
        return 0


def _estimated_key(score: Score) -> str:
    """The key that fits the pitches best, by how long they sound; none for drums alone."""
    drum = score.of_drums
    if drum.all():
        return ""
    weights = np.bincount(score.pitch[~drum] % 12, score.duration_ticks[~drum], minlength=12).astype(float)
    return theory.key_name(*theory.estimate_key(weights))
