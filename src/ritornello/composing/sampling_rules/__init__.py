"""Sampling rules: functions that read the state of a song and change the logits of the next choice.

A rule returns a bias (size,) that is added to the logits of its field, -inf for a class that it forbids, or
None where it does nothing. The cursor of the representation decides which rows can be written at all (the
grammar); rules forbid or penalize rows that can be written but would sound wrong. A hard rule forbids
classes, and holds in any case: `dead_ends` finds classes after which the hard rules would leave no choice.
Rules do not change given notes and prompts.

`python -m benchmarks rules FOLDER` counts the notes of human songs that a rule would have forbidden; for a
hard rule they must be at most 0.1% (benchmarks/RESULTS.md).
"""

from collections.abc import Callable
from typing import NamedTuple

from ritornello.composing.sampling_rules import (
    closing,
    drums,
    form,
    harmony,
    lines,
    parts,
    patterns,
    pitches,
    timing,
    voice_leading,
)
from ritornello.composing.sampling_state import Bias, SamplingState


class Rule(NamedTuple):
    """A rule: the field whose logits it changes, its function, and whether it is hard (forbids classes)."""

    field: str
    bias: Callable[[SamplingState], Bias | None]
    is_hard: bool

    @property
    def name(self) -> str:
        """The name of the function as words."""
        return self.bias.__name__.replace("_", " ")


RULES: tuple[Rule, ...] = (
    Rule("shift", timing.forbid_onsets_outside_requested_bars, True),
    Rule("shift", timing.forbid_silence, True),
    Rule("shift", timing.forbid_end_before_all_parts_play, True),
    Rule("shift", timing.forbid_crowded_onsets, True),
    Rule("shift", timing.favour_joining_rare_parts, False),
    Rule("shift", timing.penalize_excess_onsets, False),
    Rule("shift", timing.favour_onsets_of_set_density, False),
    Rule("shift", timing.penalize_substitute_notes, False),
    Rule("shift", form.favour_repeated_onsets, False),
    Rule("shift", harmony.favour_onset_of_bass, False),
    Rule("shift", closing.favour_closing_notes, False),
    Rule("shift", drums.favour_onsets_of_groove, False),
    Rule("shift", lines.favour_onsets_where_notes_end, False),
    Rule("shift", timing.favour_repeated_rhythm, False),
    Rule("shift", patterns.favour_onsets_of_patterns, False),
    Rule("part", parts.forbid_unrequested_parts, True),
    Rule("part", parts.require_unplayed_parts, True),
    Rule("part", parts.forbid_too_many_sounding_notes, True),
    Rule("part", parts.favour_rare_parts, False),
    Rule("part", parts.favour_parts_of_set_density, False),
    Rule("part", parts.penalize_excess_notes, False),
    Rule("part", form.favour_repeated_parts, False),
    Rule("part", harmony.favour_bass_part, False),
    Rule("part", drums.favour_drums_of_groove, False),
    Rule("part", patterns.favour_parts_of_patterns, False),
    Rule("part", lines.favour_parts_whose_notes_end, False),
    Rule("part", lines.penalize_overlaps, False),
    Rule("pitch", pitches.forbid_additions_to_given_parts, True),
    Rule("pitch", pitches.forbid_unplayable_pitches, True),
    Rule("pitch", pitches.forbid_pitches_above_melody, True),
    Rule("pitch", pitches.penalize_pitches_outside_mode, False),
    Rule("pitch", pitches.favour_planned_register, False),
    Rule("pitch", pitches.penalize_repeated_pitches, False),
    Rule("pitch", closing.keep_closing_pitch, False),
    Rule("pitch", drums.keep_drums_of_groove, False),
    Rule("pitch", patterns.keep_pitches_of_patterns, False),
    Rule("pitch", voice_leading.penalize_parallels, False),
    Rule("pitch", voice_leading.penalize_clashes, False),
    Rule("pitch", voice_leading.penalize_repeated_tops, False),
    Rule("pitch", voice_leading.penalize_skips_and_leaps, False),
    Rule("pitch", harmony.keep_bass_of_chord, False),
    Rule("pitch", harmony.keep_tones_of_chord, False),
    Rule("pitch", form.favour_repeated_pitches, False),
    Rule("pitch", form.penalize_copies, False),
    Rule("duration", timing.forbid_sounding_after_end, True),
)
