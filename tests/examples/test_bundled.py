"""examples/bundled.py: the readers of its sources, rights, and the finished model."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello import midi
from ritornello.composing import compose as composer
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.errors import FailedError, InputError
from ritornello.models import fingerprints
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.music.score import KeySignature, Meter, Part, Score, Tempo
from ritornello.representations.notes import Notes
from ritornello.sketching.sketcher import Sketcher
from ritornello.system.files import sha256
from tests.composing.models import LABELS, write_model
from tests.folders import wandering

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import bundled
from bundle import abc_text, abc_tunes, chorales, finishing, music_xml, rights, sources

EIGHTH = 240  # ticks


def tune(music: str, meter: str = "4/4", key: str = "C", unit: str = "1/8", more: str = "") -> Score:
    text = f"X:1\nT:A Tune\nM:{meter}\nL:{unit}\n{more}K:{key}\n{music}\n"
    (found,) = abc_text.tunes(text)
    return abc_tunes.to_score(found)


def notes(score: Score) -> list[tuple[int, int, int]]:
    """Onset (in eighths, or 24ths of one), length (in 24ths of an eighth) and pitch."""
    columns = (score.onset_ticks * 24 // EIGHTH, score.duration_ticks * 24 // EIGHTH, score.pitch)
    return [
        (o // 24 if o % 24 == 0 else o, d, p) for o, d, p in zip(*(c.tolist() for c in columns), strict=True)
    ]


def test_a_tune_is_read_as_written() -> None:
    score = tune("G4 ^c>c d/e/f | (3gab c'2 [GB]2 z2 |", key="G", more="R:reel\n")
    # K:G sharpens F; ^c holds to the end of the bar; c>c is 3/2 and 1/2; a triplet is three in two eighths
    assert [int(pitch) for pitch in score.pitch] == [67, 73, 73, 74, 76, 78, 79, 81, 83, 84, 67, 71]
    onsets = [0, 4, 5.5, 6, 6.5, 7, 8, 8 + 2 / 3, 8 + 4 / 3, 10, 12, 12]
    assert score.onset_ticks.tolist() == [round(onset * EIGHTH) for onset in onsets]
    assert score.keys == (KeySignature(0, 1, False),)
    assert score.meters == (Meter(0, 4, 4),)
    assert score.parts == (Part("Fiddle", 40),)
    assert score.tempi == (Tempo(0, 300_000),)  # a reel: 100 half notes a minute
    assert score.title == "A Tune"


@pytest.mark.parametrize(
    ("music", "sounds"),
    [
        ("C8 | D8 | E8 |]", "CDE"),
        ("|: C8 | D8 :| E8 |]", "CDCDE"),
        ("C8 | D8 :|: E8 :|", "CDCDEE"),
        ("C8 :: D8 :|", "CCDD"),
        ("C8 || D8 | E8 :| F8 |]", "CDEDEF"),  # a repeat goes back to the double bar
        ("|: C8 |1 D8 :|2 E8 || F8 |]", "CDCEF"),
        ("|: C8 | [1 D8 :| [2 E8 |] F8 :|", "CDCEFF"),
        ("C8 |1 D8 :|2 E8 :| F8 :|", "CDCEFF"),
    ],
)
def test_repeats_are_played(music: str, sounds: str) -> None:
    letters = dict(zip((60, 62, 64, 65), "CDEF", strict=True))
    assert "".join(letters[pitch] for pitch in tune(music).pitch.tolist()) == sounds


def test_an_upbeat_is_preceded_by_rest_and_completes_the_bar_before_a_repeat() -> None:
    score = tune("C2 | D8 | E6 :|")
    assert score.meters == (Meter(0, 4, 4),)
    assert (score.onset_ticks // EIGHTH).tolist() == [6, 8, 16, 22, 24, 32]


def test_ties_join_and_grace_notes_and_fingerings_are_passed_over() -> None:
    score = tune('"4"C4 {de}~D4- | D2 !f!vE2 .F4 |')
    assert [(d // EIGHTH, p) for d, p in zip(score.duration_ticks, score.pitch, strict=True)] == [
        (4, 60), (6, 62), (2, 64), (4, 65),
    ]  # fmt: skip


@pytest.mark.parametrize("music", ["C8 | D9 | E8 |]", "C8 | D7 | E8 |]", "Z4 |]", "C8 | @ D8 |", "z8 |"])
def test_a_tune_that_does_not_add_up_is_refused(music: str) -> None:
    with pytest.raises(InputError):
        tune(music)


@pytest.mark.parametrize(
    ("key", "said"),
    [("F#m", (3, True)), ("Ador", (1, False)), ("Bb", (-2, False)), ("EM", (4, False)), ("Amin", (0, True))],
)
def test_keys(key: str, said: tuple[int, bool]) -> None:
    assert abc_text.key_of(key) == said


@given(st.lists(st.sampled_from([1, 2, 3, 4, 6, 8]), min_size=1, max_size=24))
def test_bars_of_any_rhythm_last_what_they_say(lengths: list[int]) -> None:
    """In random bars of one meter, every note begins where the lengths before it end."""
    bars, filled = [""], 0
    for length in lengths:
        if filled + length > 8:
            bars[-1] += f" z{8 - filled}" if filled < 8 else ""
            bars.append("")
            filled = 0
        bars[-1] += f" C{length}"
        filled += length
    bars[-1] += f" z{8 - filled}" if filled < 8 else ""
    score = tune(" |".join(bars) + " |]")
    assert len(score) == len(lengths)
    assert (score.duration_ticks // EIGHTH).tolist() == lengths
    assert ((score.onset_ticks % (8 * EIGHTH)) // EIGHTH + score.duration_ticks // EIGHTH <= 8).all()


@pytest.mark.parametrize(("bar", "upbeat"), [(16, 0), (16, 4), (12, 0), (12, 4)])
def test_bars_of_a_chorale_are_found(bar: int, upbeat: int) -> None:
    """Long notes on strong beats, and the end of a bar at the end of the song."""
    shape = [8, 4, 4] if bar == 16 else [8, 4]
    lengths = [4] * (upbeat // 4) + shape * 8
    pitches = np.repeat(60 + np.arange(len(lengths)) % 5, lengths)
    frames = np.stack([pitches + 12, pitches + 7, pitches, pitches - 12], axis=1)
    assert chorales.estimate_bars(frames) == (bar, upbeat)
    score = chorales.to_score(frames, "x")
    assert score.meters[0][1:] == (bar // 4, 4)
    assert [part.name for part in score.parts] == ["soprano", "alto", "tenor", "bass"]
    assert score.onset_ticks[0] == (bar - upbeat) % bar * 6  # 24 ticks a beat
    assert score.tempi == (Tempo(0, 833_333),)


def xml(measures: str, parts: int = 4) -> str:
    body = "".join(f'<part id="P{part}">{measures}</part>' for part in range(parts))
    return f"<score-partwise>{body}</score-partwise>"


def note(step: str, duration: int, extra: str = "") -> str:
    pitch = f"<pitch><step>{step}</step><octave>4</octave></pitch>"
    return f"<note>{extra}{pitch}<duration>{duration}</duration></note>"


FIRST = (
    "<attributes><divisions>2</divisions><key><fifths>1</fifths><mode>major</mode></key>"
    "<time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
    "<direction><dynamics><f/></dynamics></direction><sound tempo='90'/>"
)


def test_a_quartet_is_read(tmp_path: Path) -> None:
    file = tmp_path / "q.xml"
    tied = note("G", 2, '<tie type="stop"/>') + note("A", 2) + note("C", 2, "<chord/>")
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch></note>"
    upbeat = note("G", 1, '<tie type="start"/>')
    measures = f"<measure>{FIRST}{upbeat}</measure><measure>{grace}{tied}</measure>"
    file.write_text(xml(measures))
    score = music_xml.to_score(file, "q")
    assert [part.program for part in score.parts] == [40, 40, 41, 42]
    first = score.part == 0
    # the upbeat of an eighth fills up to a bar of 2/4; tied over the bar line it lasts three eighths
    assert score.onset_ticks[first].tolist() == [3 * 240, 6 * 240, 6 * 240]
    assert score.duration_ticks[first].tolist() == [3 * 240, 480, 480]
    assert score.pitch[first].tolist() == [67, 60, 69]
    assert set(score.velocity.tolist()) == {96}
    assert (score.meters, score.keys) == ((Meter(0, 2, 4),), (KeySignature(0, 1, False),))
    assert score.tempi == (Tempo(0, 666_667),)


def test_what_is_no_quartet_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "q.xml"
    file.write_text(xml(f"<measure>{FIRST}{note('G', 4)}</measure>", parts=3))
    with pytest.raises(InputError, match="3 parts: must be four"):
        music_xml.to_score(file, "q")


@pytest.mark.parametrize(
    ("source", "text", "refused"),
    [
        ("simutrans", "Copyright (C)2006 shunter  ", False),
        ("simutrans", "All Rights Reserved", True),
        ("simutrans", "Copyright (C) 2006 somebody else", True),
        ("freedoom", "QMUS2MID (C) S.Bacquet", False),
        ("freedoom", "Copyright (C) 2006 shunter", True),  # another source's licence covers that one
        ("groove", "(c) anyone", True),
        ("oneill", "T: The Book of Rights.", False),
        ("oneill", "Z: not for commercial use; all rights reserved", True),
        ("jsb", "  ", False),
    ],
)
def test_a_notice_is_refused_unless_its_source_covers_it(source: str, text: str, refused: bool) -> None:
    assert bool(rights.uncovered_notice(rights.SOURCES[source], [text])) == refused


@pytest.mark.parametrize(
    ("kind", "text", "is_notice"),
    [("copyright", "Somebody", True), ("text", "(c) 1999", True), ("text", "hello", False),
     ("marker", "Non-commercial use only", True), ("track_name", "Alto", False), ("copyright", " ", True)],
)  # fmt: skip
def test_notices_in_midi(tmp_path: Path, kind: str, text: str, is_notice: bool) -> None:
    said = {"name": text} if kind == "track_name" else {"text": text}
    file = mido.MidiFile(tracks=[mido.MidiTrack([mido.MetaMessage(kind, **said)])])
    file.save(tmp_path / "a.mid")
    assert rights.notices_in_midi((tmp_path / "a.mid").read_bytes()) == ([text] if is_notice else [])
    (tmp_path / "a.mid").write_bytes(b"MThd")
    with pytest.raises(InputError, match="cannot be searched for notices"):
        rights.notices_in_midi(b"MThd")


def test_music_is_no_notice_but_fields_are() -> None:
    abc = "X:1\nZ:Copyright 1999 by nobody\nK:C\n(c) d (P) reserved\n"
    assert rights.notices_in_text(abc, only=r"[A-Za-z]:|%") == ["Z:Copyright 1999 by nobody"]


def test_a_file_with_a_notice_is_left_out_and_the_others_are_in_the_ledger(tmp_path: Path) -> None:
    games = tmp_path / "simutrans" / "music"
    games.mkdir(parents=True)
    for name, notice in (("good", "(c) 2006 shunter"), ("bad", "All Rights Reserved")):
        file = mido.MidiFile(tracks=[mido.MidiTrack([mido.MetaMessage("copyright", text=notice)])])
        file.save(games / f"{name}.mid")
    ledger = rights.Ledger()
    assert [name for name, _ in sources.game("simutrans")(tmp_path, ledger)] == ["good"]
    assert ledger.files == {"simutrans": {"good.mid": sha256((games / "good.mid").read_bytes())}}
    assert ledger.left_out == {"simutrans": {"bad.mid": "a notice: All Rights Reserved"}}
    ledger.write(tmp_path / "rights.json")
    said = json.loads((tmp_path / "rights.json").read_text())
    assert said["sources"]["simutrans"]["licence"] == "Artistic-1.0"
    assert said["files"] == ledger.files


def test_every_source_says_what_it_may_be_used_for() -> None:
    for source in rights.SOURCES.values():
        assert source.what and source.composition and source.transcription and source.licence
    labels = {name: source.label for name, source in rights.SOURCES.items()}
    assert set(labels.values()) == {"chorale", "fiddle", "game", "drums", "quartet", ""}
    of_the_archive = {name for name, label in labels.items() if not label}  # by piece
    assert set(labels) - of_the_archive == set(sources.CLEAN) | set(sources.MUSIC21)


def test_weights_that_float16_cannot_hold_are_refused() -> None:
    weights: dict[str, Any] = {"a": np.array([0.5, 65504.0], np.float32), "b": np.arange(3)}
    assert finishing.to_float16(weights)["a"].dtype == np.float16
    assert finishing.to_float16(weights)["b"].dtype == weights["b"].dtype
    with pytest.raises(FailedError, match=r"a has a weight of 1e\+06"):
        finishing.to_float16({"a": np.array([1e6], np.float32)})


def test_plans_that_ship_are_of_every_label_and_name_nothing_but_instruments() -> None:
    part = Part("by Somebody, 1999", 33)
    plans = [Plan(8, genres=(("game", 1.0),), parts=(part,), title="Secret") for _ in range(50)]
    plans += [Plan(8, genres=(("fiddle", 1.0),)), Plan(900, genres=(("fiddle", 1.0),))]
    kept = finishing.select_plans(plans, 1500)
    assert len(json.dumps([plan.to_dict() for plan in kept])) <= 1700
    assert {plan.genres[0][0] for plan in kept} == {"game", "fiddle"}
    assert len(kept) < 20
    assert all(plan.bars == 8 and not plan.title for plan in kept)
    assert {p.name for plan in kept if plan.genres[0][0] == "game" for p in plan.parts} == {"fingered bass"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of random weights, finished as it would ship, with a corpus of random melodies."""
    folder = tmp_path_factory.mktemp("finished")
    for seed in range(24):
        path = folder / "midi" / LABELS[seed % 3] / f"{seed}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        midi.write(wandering(seed), path)
    prepare(folder / "midi", folder / "corpus", workers=1)
    data = {"train_songs": 20, "heldout_songs": 4, "corpus": "corpus", "hash": "0" * 64}
    training = {"steps": 1, "batch": 1, "seconds": 1.0, "machine": "here", "seed": 0, "best_step": 1}
    said = {
        "ritornello": "0",
        "parameters": 1,
        "data": data,
        "training": training,
        "measured": {"heldout_loss": 1},
    }
    trained = Model.open(write_model(folder / "model", **said))
    ledger = rights.Ledger()
    ledger.use("jsb", "a.json", b"1")
    ledger.use("groove", "b.mid", b"2")
    ledger.write(folder / "rights.json")
    said_rights = (folder / "rights.json").read_bytes()
    return finishing.finish(trained, Corpus.open(folder / "corpus"), said_rights, "train", 1, folder / "out")


def test_the_sketch_network_that_ships_is_trained_once_by_itself(finished: Model, tmp_path: Path) -> None:
    for name in ("corpus", "model"):
        shutil.copytree(finished.path.parent / name, tmp_path / name)
    assert Model.open(tmp_path / "model").sketch is None
    options = argparse.Namespace(out=tmp_path, sketch_minutes=0.02, seed=0)
    bundled.train_shipped_sketch(options)
    model = Model.open(tmp_path / "sketched")
    sketcher = Sketcher.of(model)
    assert sketcher is not None and sketcher.labels == tuple(LABELS)
    assert model.info["measured"]["sketch"]["loss"] > 0
    assert model.weights.keys() == finished.weights.keys()
    assert composer.compose(model, bars=4, seed=1).plan.sketch is not None
    written = (tmp_path / "sketched" / "model.json").stat().st_mtime_ns
    bundled.train_shipped_sketch(options)
    assert (tmp_path / "sketched" / "model.json").stat().st_mtime_ns == written


def test_a_finished_model_is_small_measured_and_says_its_rights(finished: Model) -> None:
    assert {array.dtype for array in finished.weights.values()} == {np.dtype(np.float16)}
    assert finished.info["data"]["rights"] == sha256((finished.path / "rights.json").read_bytes())
    assert [source["licence"] for source in finished.info["data"]["sources"]] == [
        "CC-BY-4.0",
        "public domain",
    ]
    found = finished.info["measured"]["by_label"]
    assert set(found) == {"all", *LABELS}
    assert found["all"]["songs"] == sum(found[label]["songs"] for label in LABELS)
    total = sum(found[label]["none"]["nats_per_note"] * found[label]["notes"] for label in LABELS)
    assert total / found["all"]["notes"] == pytest.approx(found["all"]["none"]["nats_per_note"])
    card = (finished.path / "card.md").read_text()
    assert "CC BY 4.0" in card and "Groove MIDI Dataset" in card
    learnt = Corpus.open(finished.path.parent / "corpus").songs("train")
    assert len(fingerprints.read(finished.path)) == len(learnt)
    assert f"{found['fiddle']['plan']['nats_per_note']:.3f}" in card


def test_the_mean_of_a_model_and_the_older_one_that_it_began_from(tmp_path: Path) -> None:
    # the older one knows nothing of given notes: what the newer has learnt of them is halved, too
    older = [field._asdict() for field in Notes.fields if not field.name.startswith("given.")]
    training: dict[str, Any] = {"training": {"steps": 1}}
    first = Model.open(write_model(tmp_path / "first", fields=older, seed=1))
    trained = Model.open(write_model(tmp_path / "trained", seed=2, **training))
    mean = finishing.average(trained, first)
    for name in ("head.pitch.logits.weight", "tables.pitch", "layers.0.recurrent.weight"):
        assert np.allclose(mean.weights[name], (trained.weights[name] + first.weights[name]) / 2)
    assert np.array_equal(mean.weights["tables.given_low"], trained.weights["tables.given_low"])
    place = [field.name for field in Notes.fields].index("given.low")
    assert np.allclose(mean.weights["reads.weight"][place], trained.weights["reads.weight"][place] / 2)
    assert mean.info["training"] == {"steps": 1, "mean_with": first.hash, "mean_share": 0.5}


def test_unasked_a_finished_model_composes_its_default_label(
    finished: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer, "BUNDLED", finished.path)
    song = composer.compose(bars=2, seed=1)
    assert song.plan.genres == (("chorale", 1.0),)
    assert [genre.label for genre in composer.genres()] == list(LABELS)
    assert "The model that ships" in composer.card()


def test_the_default_label_is_the_most_learnt_one_of_the_best() -> None:
    def mark(auc: float, low: float, songs: int = 60) -> dict[str, Any]:
        return {"auc": auc, "interval": [low, 1.0], "songs": songs}

    marks = {"a": mark(0.8, 0.7), "b": mark(0.9, 0.75), "c": mark(0.9, 0.85), "d": mark(0.6, 0.5, 20)}
    assert (
        finishing.default_label(marks, {"a": 1, "b": 2, "c": 9, "d": 9}) == "b"
    )  # c is worse, d has few songs
    assert finishing.default_label({}, {}) == finishing.DEFAULT_LABEL


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the data stage ran again")

    (tmp_path / "rights.json").write_text("{}")
    monkeypatch.setattr(sources, "write_all", never)
    bundled.write_songs(tmp_path, tmp_path, None, tmp_path)
    (tmp_path / "rights.json").unlink()
    with pytest.raises(AssertionError, match="ran again"):
        bundled.write_songs(tmp_path, tmp_path, None, tmp_path)


def test_lengths_of_abc() -> None:
    from bundle.abc_music import _length

    said = {
        "": 1,
        "2": 2,
        "/": Fraction(1, 2),
        "//": Fraction(1, 4),
        "3/2": Fraction(3, 2),
        "/4": Fraction(1, 4),
    }
    assert {text: _length(text) for text in said} == said
