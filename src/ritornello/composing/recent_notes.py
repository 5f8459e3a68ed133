"""What sampling rules count in the last composed notes of pitched parts."""

from collections import deque
from collections.abc import Collection

RECENT = 32  # how many notes, or onsets of parts, are counted
LEAST = RECENT // 4  # shares and means of fewer are computed as if there were so many
OCTAVE = 12  # semitones; a note further from the planned mean pitch is a far note


class RecentNotes:
    """What is counted of the last notes, and of the last onsets of parts."""

    def __init__(self) -> None:
        self.out_of_key: deque[bool] = deque(maxlen=RECENT)
        """Whether notes were outside the scale."""
        self.repeats: deque[bool] = deque(maxlen=RECENT)
        """Whether notes had the pitch of the note before in their part."""
        self.far_notes: deque[bool] = deque(maxlen=RECENT)
        """Whether notes were more than an octave from the planned mean pitch, of those that have one."""
        self.notes_struck: deque[int] = deque(maxlen=RECENT)
        """How many notes a part struck at each onset."""

    def add(self, pitch: int, *, out_of_key: bool, repeats: bool, planned: int | None, joins: bool) -> None:
        """Read a note. `planned` is its planned mean pitch; it `joins` the notes of its part at its onset."""
        self.out_of_key.append(out_of_key)
        self.repeats.append(repeats)
        if planned is not None:
            self.far_notes.append(abs(pitch - planned) > OCTAVE)
        if joins:
            self.notes_struck[-1] += 1
        else:
            self.notes_struck.append(1)

    def extra_notes_struck(self, usual: float) -> float:
        """Return by how much the mean notes of an onset would exceed `usual` if the part struck one more."""
        extra = sum(self.notes_struck) + 1 - usual * len(self.notes_struck)
        return extra / max(len(self.notes_struck), LEAST)


def share(flags: Collection[bool]) -> float:
    """Return the share 0-1 of flags that are true, of at least LEAST."""
    return sum(flags) / max(len(flags), LEAST)
