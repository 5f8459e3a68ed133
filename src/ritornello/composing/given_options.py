"""The music that the options of a song name: a prompt or a melody."""

from __future__ import annotations

from ritornello.composing.given_music import GivenMusic, read_melody, read_prompt
from ritornello.composing.options import ComposeOptions
from ritornello.composing.performed_files import on_grid
from ritornello.errors import PlanError


def given_music_of(options: ComposeOptions) -> GivenMusic | None:
    """Read the prompt or the melody, if any. Raises MidiError, PlanError."""
    prompt, melody = options.prompt, options.melody
    if prompt is not None and melody is not None:
        raise PlanError("a prompt and a melody are given: give only one of the two")
    if options.prompt_bars is not None and prompt is None:
        raise PlanError(f"prompt_bars {options.prompt_bars}, but no prompt is given")
    if prompt is None and melody is None:
        return None
    if options.tempo is not None:
        what = "prompt" if melody is None else "melody"
        raise PlanError(f"tempo {options.tempo:g}: leave it out, the {what} has a tempo")
    if prompt is not None:
        return read_prompt(on_grid(prompt)[0], options.prompt_bars)
    assert melody is not None
    return read_melody(on_grid(melody)[0])
