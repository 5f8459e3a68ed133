"""The requests for the songs that a user asks for with the options of `compose`."""

from __future__ import annotations

from ritornello.composing.draw_sketch import PlanDrawer
from ritornello.composing.given_chords import with_chart
from ritornello.composing.given_music import GivenMusic, read_melody, read_prompt
from ritornello.composing.options import DIALS, MAX_SONGS, PERFORMING, ComposeOptions
from ritornello.composing.performed_files import on_grid
from ritornello.composing.request import Request, request_for
from ritornello.composing.sampling import song_generator
from ritornello.errors import PlanError
from ritornello.models.model import Model
from ritornello.representations.table import SamplesItself


def song_requests(model: Model, options: ComposeOptions, seed: int, n: int) -> list[Request]:
    """Return the requests of all candidates of `n` songs; those of one song follow each other.

    Candidates have numbers of their own, so the first one is the song that is composed without candidates.
    Raises PlanError, MidiError.
    """
    given = _given_music(options)
    drawer = PlanDrawer(model, with_chart(options, given), given)
    numbers = [song + candidate * MAX_SONGS for song in range(n) for candidate in range(options.candidates)]
    plans = [drawer.plan(song_generator(seed, number)) for number in numbers]
    return [
        request_for(plan, seed, number, given, drawer.parts_are_optional)
        for number, plan in zip(numbers, plans, strict=True)
    ]


def requests_of_own_plan(
    representation: SamplesItself, options: ComposeOptions, seed: int, n: int
) -> list[Request]:
    """Return the requests of `n` songs of a representation that makes their plan itself. Raises PlanError."""
    unused = DIALS - {representation.dial} | {"seed", "force", "candidates", "loop", *PERFORMING}
    plan = representation.plan({name: value for name, value in vars(options).items() if name not in unused})
    return [request_for(plan, seed, number) for number in range(n)]


def _given_music(options: ComposeOptions) -> GivenMusic | None:
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
