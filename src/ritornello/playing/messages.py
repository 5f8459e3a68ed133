"""Turn a song into MIDI messages for a port, and play them."""

import itertools

import numpy as np

from ritornello.midi.assign_channels import assign_channels
from ritornello.playing.clocks import Clock
from ritornello.playing.excerpt import Excerpt
from ritornello.playing.player import Note, Player
from ritornello.playing.ports import Message, OutPort

PROGRAM = 0xC0
START_S = 0.1  # the time from the call to the first note
LONGEST_WAIT_S = 0.1  # the longest time until Ctrl-C takes effect


def song_messages(played: Excerpt) -> tuple[list[tuple[float, Message]], list[Note]]:
    """Return the controllers, bends and programs of a song with their times in seconds, and its notes.

    All of them are sent to one port, so several parts may share a channel and its program.
    """
    score = played.score
    channels, programs, _ = assign_channels(score, 1)
    others: list[tuple[float, Message]] = [
        (0.0, (PROGRAM | channel, programs[n])) for n, (_, channel) in enumerate(channels)
    ]
    events = score.details.events
    times_s = score.seconds(np.array([event.onset_ticks for event in events], np.int64)).tolist()
    others += [(time_s, tuple(event.data)) for time_s, event in zip(times_s, events, strict=True)]
    start_s = score.seconds(score.onset_ticks).tolist()
    end_s = score.seconds(score.onset_ticks.astype(np.int64) + score.duration_ticks).tolist()
    columns = (column.tolist() for column in (score.part, score.pitch, score.velocity))
    notes = [
        Note(start, end, channels[part][1], pitch, velocity)
        for start, end, part, pitch, velocity in zip(start_s, end_s, *columns, strict=True)
    ]
    return others, notes


def play_messages(played: Excerpt, port: OutPort, clock: Clock, loop: bool = False) -> Player:
    """Play an excerpt on a port, with `loop` until Ctrl-C; all notes are ended, also after an error."""
    others, notes = song_messages(played)
    length_s = played.bar_lines_s[-1]
    player = Player(port, clock)
    try:
        start_s = clock.now_s() + START_S
        for number in itertools.count() if loop else range(1):
            first_s = start_s + number * length_s
            for time_s, message in others:
                player.plan(first_s + time_s, message)
            for note in notes:
                player.plan_note(note._replace(start=first_s + note.start, end=first_s + note.end))
            _send_until(player, clock, first_s + length_s - START_S if loop else float("inf"))
    finally:
        player.silence()
    return player


def _send_until(player: Player, clock: Clock, until_s: float) -> None:
    """Send the planned messages until a time, or until all are sent."""
    player.send_due()
    while not player.is_idle and clock.now_s() < until_s:
        clock.wait_until(min(player.next_s, until_s, clock.now_s() + LONGEST_WAIT_S))
        player.send_due()
