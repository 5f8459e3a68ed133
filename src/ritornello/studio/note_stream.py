"""Send the notes of a song and the progress while it is composed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ritornello.composing.generate import composed_notes
from ritornello.composing.key_frame import moved_plan
from ritornello.composing.sampling_state import SamplingState
from ritornello.representations.grid.vocabulary import part_classes
from ritornello.studio.song_view import COLUMNS, view_of_plan
from ritornello.studio.work import SendEvent

SEND_EVERY_S = 0.05  # more messages would only make the page draw more often


class NoteStream:
    """Sends events about the first unfinished song of a batch: `parts` once, then `notes` and `progress`."""

    def __init__(self, on_event: SendEvent) -> None:
        self.on_event = on_event
        self._song: Any = None  # the SongState whose notes are sent
        self._read = 0  # how many of its notes were read
        self._waiting: list[tuple[int, ...]] = []
        self._start_s = self._sent_s = time.monotonic()
        self._numbers: dict[int, int] = {}  # part class: number of the part
        self._end_tick = 0

    def on_row(self, states: Sequence[SamplingState]) -> None:
        """Read the new notes of the first song; send them at most every SEND_EVERY_S."""
        if not states:
            return
        state = states[0]
        if state.song is not self._song:  # the first song; or sampling began again; or the next song comes
            self._begin(state)
        for onset, duration, pitch, velocity, part in composed_notes(state, self._read):
            if onset < self._end_tick and part in self._numbers:
                self._waiting.append((self._numbers[part], pitch, velocity, onset, duration))
        self._read = len(state.song.notes)
        now_s = time.monotonic()
        if self._waiting and now_s - self._sent_s >= SEND_EVERY_S:
            self._send(state, now_s)

    def _begin(self, state: SamplingState) -> None:
        """Send the bars and parts of a song before its first note."""
        plan, moved = state.request.plan, state.request.transposed_by
        in_its_key = moved_plan(plan, -moved) if moved else plan
        classes = part_classes(plan.parts).tolist()
        order = sorted(range(len(classes)), key=lambda number: classes[number])
        self._numbers = {classes[number]: place for place, number in enumerate(order)}
        self._song, self._read, self._waiting = state.song, 0, []
        self._end_tick = state.end_tick
        self.on_event(
            {
                "event": "parts",
                "data": view_of_plan(
                    in_its_key, [in_its_key.parts[number] for number in order], in_its_key.key
                ),
            },
            (),
        )

    def _send(self, state: SamplingState, now_s: float) -> None:
        columns = map(list, zip(*self._waiting, strict=True))
        self.on_event({"event": "notes", "data": dict(zip(COLUMNS, columns, strict=True))}, ())
        first, end = state.first_tick, self._end_tick
        done = min(max(state.song.clock - first, 0), end - first)
        left_s = (now_s - self._start_s) * (end - first - done) / max(done, 1)
        data = {"done": done, "total": end - first, "what": "composing", "left_s": round(left_s, 1)}
        self.on_event({"event": "progress", "data": data}, ())
        self._waiting, self._sent_s = [], now_s
