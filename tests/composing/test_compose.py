"""Composing for people, with a network of random weights: what is asked holds whatever the network says."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from ritornello import midi
from ritornello.composing import compose as composer
from ritornello.composing.options import ComposeOptions, RedoOptions
from ritornello.composing.recipe import Recipe
from ritornello.errors import InputError, MidiError, ModelError, PlanError
from ritornello.models.model import Model
from ritornello.music.file_details import DetailEvent, FileDetails
from ritornello.music.plan import MAX_BARS, TEMPO_BPM
from ritornello.music.score import Meter, Part, Score, Tempo
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes
from tests.composing.models import write_model


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(write_model(tmp_path_factory.mktemp("chain") / "model"))


@pytest.fixture
def tune() -> Score:
    """Eight bars of 3/4 at 480 ticks a beat: a melody and a bass that moves on each bar."""
    onset = [*range(0, 8 * 1440, 480), *range(0, 8 * 1440, 1440)]
    pitch = [60, 64, 67] * 8 + [36, 43] * 4
    part = [0] * 24 + [1] * 8
    return Score.of(
        480, onset, [440] * 24 + [1400] * 8, pitch, [80] * 32, part,
        [Part("lead", 73), Part("low", 33)], meters=(Meter(0, 3, 4),), tempi=(Tempo(0, 600_000),),
    )  # fmt: skip


def notes(score: Score) -> set[tuple[int, ...]]:
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.velocity, score.part)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def sounds(score: Score) -> list[bool]:
    """For each bar whether something sounds in it."""
    bars = Timeline.of(score)
    start, end = score.onset_ticks, score.onset_ticks + score.duration_ticks
    edges = zip(bars.start_ticks, bars.start_ticks + bars.length_ticks, strict=True)
    return [bool(((start < last) & (end > first)).any()) for first, last in edges]


@pytest.mark.parametrize("bars", [1, 2, 7, 40])
def test_bars_parts_and_sound_hold_for_every_seed(chain: Model, bars: int) -> None:
    for song in composer.compose_many(chain, 20, bars=bars, seed=bars):
        assert song.bars == bars
        assert all(sounds(song.score))
        asked, heard = (
            {(p.program, p.is_drum) for p in parts} for parts in (song.plan.parts, song.score.parts)
        )
        assert heard == asked
        assert all(part.name for part in song.score.parts)
        assert song.score.tempi[0].us_per_beat == song.plan.us_per_beat


def test_parts_are_heard_where_they_are_asked_for(chain: Model) -> None:
    """What nobody asked for comes with a training song's plan: the song's own plan has what plays."""
    drawn = [composer.compose(chain, bars=2, genre="game", seed=seed) for seed in range(6)]
    for song in drawn:
        assert len(song.plan.parts) == len(song.score.parts)
    asked = [composer.compose(chain, bars=2, parts="piano,bass,drums", seed=seed) for seed in range(3)]
    assert {len(song.score.parts) for song in asked} == {3}


def test_what_is_asked_is_in_the_file(chain: Model, tmp_path: Path) -> None:
    wishes: dict[str, Any] = {
        "genre": "game",
        "key": "D minor",
        "tempo": 96,
        "meter": "3/4",
        "parts": "bass,drums",
    }
    song = composer.compose(chain, bars=5, seed=1, **wishes)
    song.write(tmp_path / "a.mid")
    read = midi.read(tmp_path / "a.mid")
    assert read.tempi[0].bpm == 96
    assert read.meters == (Meter(0, 3, 4),)
    assert read.keys[0][1:] == (-1, True)
    assert {part.name for part in read.parts} == {"fingered bass", "drums"}
    assert len(Timeline.of(read)) == 5


def test_a_song_is_the_same_whatever_is_composed_beside_it(chain: Model) -> None:
    alone = composer.compose(chain, seed=5, bars=8)
    beside = composer.compose_many(chain, 7, seed=5, bars=8)
    assert beside[0].score == alone.score
    assert len({note for song in beside for note in [frozenset(notes(song.score))]}) == 7
    assert composer.compose(chain, seed=6, bars=8).score != alone.score


def test_the_best_are_the_most_typical(chain: Model) -> None:
    songs = composer.compose_many(chain, 9, 9, seed=1, bars=4)
    best = composer.compose_many(chain, 9, 3, seed=1, bars=4)
    middle = sorted(song.nats for song in songs)[4]
    assert [song.nats for song in best] == sorted(
        (s.nats for s in songs), key=lambda nats: abs(nats - middle)
    )[:3]


def test_the_default_label_is_the_models(chain: Model) -> None:
    usual = replace(chain, info={**chain.info, "defaults": {"genre": "fiddle"}})
    assert {s.plan.genres for s in composer.compose_many(usual, 5, bars=1, seed=1)} == {(("fiddle", 1.0),)}


def test_a_prompt_stays_as_it_is(chain: Model, tune: Score) -> None:
    song = composer.compose(chain, prompt=tune, bars=12, parts="drums", seed=1, force=True)
    assert song.bars == 12
    assert all(sounds(song.score))
    added = notes(song.score) - notes(tune)
    assert notes(tune) <= notes(song.score)
    assert min(added)[0] >= 8 * 1440
    assert {song.score.parts[note[4]].is_drum for note in added} >= {True}
    assert (song.score.ticks_per_beat, song.score.tempi, song.score.meters) == (480, tune.tempi, tune.meters)


def test_the_first_bars_of_a_prompt(chain: Model, tune: Score) -> None:
    song = composer.compose(chain, prompt=tune, prompt_bars=2, bars=4, seed=1)
    before = {note for note in notes(song.score) if note[0] < 2 * 1440}
    assert before == {note for note in notes(tune) if note[0] < 2 * 1440}
    assert song.bars == 4


def with_details(song: Score) -> Score:
    """The song in a file with volume, a bend that is not released, the pedal and words."""
    channel = [(0, b"\xb0\x07\x50"), (24, b"\xe0\x00\x50"), (1000, b"\xb0\x40\x7f"), (1500, b"\xb0\x40\x00")]
    channel += [(48, b"\xff\x05\x02La")]
    events = [DetailEvent(tick, 1, 0, data) for tick, data in sorted(channel)]
    channels = tuple((index + 1, 0, index) for index in range(len(song.parts)))
    return replace(song, details=FileDetails(channels, tuple(events)))


@pytest.mark.parametrize("kind", ["prompt", "melody", "prompt_bars"])
def test_details_of_given_music_are_written_again(
    chain: Model, tune: Score, tmp_path: Path, kind: str
) -> None:
    """The same song is composed, its file has the details, and a replay gives the same bytes."""
    detailed = with_details(tune)
    heard = midi.parse(midi.to_bytes(detailed)[0]).score  # what the pedal prolongs
    options: dict[str, Any] = {"prompt_bars": 1} if kind == "prompt_bars" else {}
    name = "melody" if kind == "melody" else "prompt"
    bars = None if kind == "melody" else 12
    songs = [
        composer.compose(chain, seed=3, bars=bars, **{name: given}, **options) for given in (detailed, heard)
    ]
    assert songs[0].score == songs[1].score
    songs[0].write(tmp_path / "song.mid")
    songs[0].write(tmp_path / "song.json")
    composer.replay(tmp_path / "song.json").write(tmp_path / "again.mid")
    assert (tmp_path / "song.mid").read_bytes() == (tmp_path / "again.mid").read_bytes()
    written = midi.read(tmp_path / "song.mid", pedal="ignore", with_details=True)
    events = [event[::3] for event in written.details.events]
    wanted = [event[::3] for event in detailed.details.events]
    if kind == "prompt_bars":  # the pedal is released where the given bars end
        wanted[-1] = (1440, wanted[-1][1])
    assert [event for event in events if event in wanted] == wanted
    is_released = any(data == b"\xe0\x00\x40" for _, data in events)
    assert is_released == (kind != "melody")  # what is composed does not inherit the bend


def test_a_melody_stays_and_others_join_it(chain: Model, tune: Score) -> None:
    song = composer.compose(chain, melody=tune, parts="piano,drums", seed=1, force=True)
    assert notes(tune) <= notes(song.score)
    added = notes(song.score) - notes(tune)
    assert {note[4] for note in added} == {2, 3}
    assert [part.name for part in song.score.parts] == ["lead", "low", "grand piano", "drums"]
    assert song.bars == 8


@pytest.mark.parametrize("parts", [None, "low", "1"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_redo_changes_nothing_else(chain: Model, tune: Score, parts: str | None, seed: int) -> None:
    takes = composer.redo(tune, "3-4", parts=parts, takes=5, model=chain, seed=seed)
    assert len({frozenset(notes(take.score)) for take in takes}) == 5
    mine = {None: {0, 1}, "low": {1}, "1": {0}}[parts]
    for take in takes:
        inside, outside = set(), set()
        for note in notes(take.score):
            (inside if 2880 <= note[0] < 5760 and note[4] in mine else outside).add(note)
        assert outside == {n for n in notes(tune) if not (2880 <= n[0] < 5760 and n[4] in mine)}
        assert {note[4] for note in inside} == mine
        assert take.score.parts == tune.parts


def test_a_recipe_builds_the_song_without_its_model(chain: Model, tune: Score, tmp_path: Path) -> None:
    for number, song in enumerate(
        [
            composer.compose(chain, seed=3, bars=6, genre="game:1,fiddle:1", chords="Am F"),
            composer.compose(chain, seed=3, prompt=tune, bars=10),
            composer.compose(chain, seed=3, melody=tune, parts="bass"),
            composer.redo(tune, "3-4", takes=1, model=chain, seed=2)[0],
        ]
    ):
        written = tmp_path / f"{number}.mid"
        song.write(written)
        song.write(tmp_path / "song.json")
        again = composer.replay(tmp_path / "song.json")
        assert again.score == song.score
        again.write(tmp_path / "again.mid")
        assert (tmp_path / "again.mid").read_bytes() == written.read_bytes()
        assert again.recipe.hash == song.recipe.hash
        if number < 3:
            assert song.recipe.hash[:16].encode() in written.read_bytes()
        other = composer.replay(again.recipe, redraw=True, model=chain, seed=9)
        assert other.plan == song.plan
        assert other.score != song.score


def test_files_of_every_kind(chain: Model, tmp_path: Path) -> None:
    song = composer.compose(chain, seed=1, bars=2)
    song.write(f"{tmp_path / 'all'}/")
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [
        "index.html", "recipe.json", "roll.png", "score.musicxml", "score.svg", "song.mid", "song.ogg",
    ]  # fmt: skip
    assert composer.replay(tmp_path / "all" / "recipe.json").score == song.score
    assert song.recipe.hash[:16].encode() in (tmp_path / "all" / "song.mid").read_bytes()
    song.write(tmp_path / "song.wav")
    assert (tmp_path / "song.wav").read_bytes().startswith(b"RIFF")
    with pytest.raises(InputError, match=r"song\.mp4' must end in .*\.json, or be a folder"):
        song.write(tmp_path / "song.mp4")
    assert "<svg" in song._repr_html_()
    assert str(song.plan) in song._repr_html_()


def test_genres_and_card(chain: Model) -> None:
    found = {genre.label: genre for genre in composer.genres(chain)}
    assert list(found) == ["chorale", "fiddle", "game"]
    assert found["game"].songs == 2
    assert found["game"].parts == ("grand piano", "fingered bass", "drums")
    assert found["game"].meters == ("4/4",)
    assert found["game"].mark == "not judged"
    judged = {"measured": {"judged": {"game": {"auc": 0.7}}}}
    marked = replace(chain, info=chain.info | judged)
    found = {genre.label: genre for genre in composer.genres(marked)}
    assert found["game"].mark == "sometimes told from people's songs (AUC 0.70)"
    assert found["fiddle"].mark == "not judged"
    assert composer.card(chain) == "# A model for tests\n"


def test_no_model_ships_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(composer, "BUNDLED", tmp_path)
    with pytest.raises(ModelError, match="name a model folder, made by `ritornello train`"):
        composer.compose()


def test_songs_that_are_no_source(chain: Model, tune: Score, tmp_path: Path) -> None:
    (tmp_path / "text.mid").write_text("hello")
    silent = Score.of(480, [], [], [], [])
    for wishes, error, says in (
        ({"prompt": tmp_path / "text.mid"}, MidiError, "'text.mid': byte 0: begins with b'hell'"),
        ({"prompt": tmp_path / "no.mid"}, MidiError, "no.mid': No such file"),
        ({"prompt": silent}, MidiError, "'prompt' has no notes, so it cannot be a prompt"),
        ({"melody": silent}, MidiError, "'melody' has no notes, so it cannot be a melody"),
        ({"prompt": tune, "prompt_bars": 9}, PlanError, "prompt_bars 9: must be 1-8"),
        ({"prompt": tune, "bars": 8}, PlanError, "8 bars, but the prompt has 8: it must have fewer"),
        ({"prompt": tune, "bars": 20, "meter": "4/4"}, PlanError, "meter 4/4, but the prompt is in 3/4"),
        (
            {"prompt": tune, "bars": 20, "tempo": 90},
            PlanError,
            "tempo 90: leave it out, the prompt has a tempo",
        ),
        (
            {"prompt": tune, "melody": tune},
            PlanError,
            "a prompt and a melody are given: give only one of the two",
        ),
        ({"prompt_bars": 4}, PlanError, "prompt_bars 4, but no prompt is given"),
        ({"n": 0}, PlanError, "n 0: must be 1-1000"),
        ({"n": 3, "best": 4}, PlanError, "best 4: must be 1-3"),
        ({"seed": -1}, PlanError, "seed -1: must be 0-"),
        ({"creativity": 2}, PlanError, "creativity 2: must be 0-1"),
    ):
        with pytest.raises(error) as caught:
            composer.compose_many(chain, **wishes)  # type: ignore[arg-type]
        assert says in str(caught.value)


@pytest.mark.parametrize(
    ("bars", "parts", "says"),
    [
        ("9-12", None, "bars 9-12: must be within 1-8, the bars of the song"),
        ("0-3", None, "bars '0-3': must be a range counted from 1, such as 9-12"),
        ("4-3", None, "bars '4-3': must be a range counted from 1"),
        ("all", None, "bars 'all': must be a range counted from 1"),
        ("1-2", "violin", "part 'violin' of the song: must be one of 1 lead, 2 low"),
        ("1-2", "3", "part '3' of the song: must be one of 1 lead, 2 low"),
    ],
)
def test_what_cannot_be_redone(chain: Model, tune: Score, bars: str, parts: str | None, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        composer.redo(tune, bars, parts=parts, model=chain)


def test_a_chorale_is_composed_and_has_no_given_notes(tmp_path: Path, tune: Score) -> None:
    opened = Model.open(write_model(tmp_path, representation="chorale"))
    song = composer.compose(opened, bars=3, seed=1, genre="chorale")
    assert [part.name for part in song.score.parts] == ["soprano", "alto", "tenor", "bass"]
    assert composer.replay(Recipe.from_dict(song.recipe.to_dict())).score == song.score
    with pytest.raises(ModelError, match="has the representation chorale: must have notes"):
        composer.compose(opened, melody=tune)


def test_the_transformer_composes(tmp_path: Path) -> None:
    opened = Model.open(write_model(tmp_path, network="transformer"))
    alone = composer.compose(opened, bars=3, seed=1)
    beside = composer.compose_many(opened, 12, bars=3, seed=1)  # songs that end leave the batch
    assert alone.score == beside[0].score
    assert {song.bars for song in beside} == {3}


def test_a_song_to_redo_is_read_and_encoded_once(
    chain: Model, tune: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    midi.write(tune, tmp_path / "tune.mid")
    calls: Counter[str] = Counter()

    def count(owner: Any, name: str) -> None:
        function = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            calls[name] += 1
            return function(*arguments, **options)

        monkeypatch.setattr(owner, name, staticmethod(counted) if name == "canonical" else counted)

    count(midi, "parse")
    count(Notes, "canonical")
    count(Notes, "encode_canonical")
    assert len(composer.redo(tmp_path / "tune.mid", "3-4", takes=4, model=chain, seed=1)) == 4
    assert calls == {"parse": 1 + 4, "canonical": 1, "encode_canonical": 1}  # the song, and each take's file


def test_the_options_of_compose_are_those_of_its_class() -> None:
    parameters = dict(inspect.signature(composer.compose).parameters)
    del parameters["model"]
    options = {option.name: (option.type, option.default) for option in fields(ComposeOptions)}
    assert {name: (p.annotation, p.default) for name, p in parameters.items()} == options
    redo = inspect.signature(composer.redo).parameters
    assert {o.name: o.default for o in fields(RedoOptions)}.items() <= {
        name: MISSING if p.default is p.empty else p.default for name, p in redo.items()
    }.items()
    assert "- tempo: Quarter notes per minute in every meter, 10-400." in (composer.compose.__doc__ or "")


def test_the_ranges_of_options_are_those_of_a_plan() -> None:
    """They are written twice, because the command line imports no numpy."""
    ranges = {o.name: (o.metadata["low"], o.metadata["high"]) for o in fields(ComposeOptions)}
    assert (ranges["bars"], ranges["tempo"]) == ((1, MAX_BARS), TEMPO_BPM)
