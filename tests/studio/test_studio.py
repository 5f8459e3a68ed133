"""The studio as a musician uses it: compose, takes, accept, undo, edit, sound, export."""

from __future__ import annotations

import io
import json
import shlex
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello import midi
from ritornello.cli import main
from ritornello.music.score import COLUMNS
from ritornello.playing.sound import LINEAR_TO, limited
from ritornello.rendering.audio import find_soundfont
from ritornello.rendering.audio.mix import Mixer
from ritornello.rendering.audio.soundfont import SoundFont
from ritornello.rendering.stems import part_of
from tests.studio.conftest import Studio

SONG = {"genre": "game", "bars": 4, "parts": "piano,bass,drums", "seed": 7}


@pytest.fixture(scope="module")
def song(studio: Studio) -> str:
    """A composed song."""
    events = studio.do(kind="compose", name="Tune", options=SONG)
    assert events[-1] == ("done", {"song": "tune", "version": 1})
    return "tune"


def version(studio: Studio, song: str, number: int) -> dict[str, Any]:
    """The content of a version."""
    found: dict[str, Any] = studio.ask("GET", f"/api/songs/{song}/versions/{number}").json
    return found


def bar_tick(view: dict[str, Any], number: int) -> int:
    """The tick at which a bar begins, by the number that people give it."""
    return next(int(bar["tick"]) for bar in view["bars"] if bar["number"] == number)


def test_the_export_of_a_song_is_what_its_command_line_makes(
    studio: Studio, song: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(version(studio, song, 1)["command"])
    assert words[:2] == ["ritornello", "compose"]
    main([*words[1:], "-q"])
    exported = studio.ask("GET", f"/api/songs/{song}/versions/1/file.mid")
    assert exported.headers["content-type"] == "audio/midi"
    assert exported.body == Path("song.mid").read_bytes()
    recipe = studio.ask("GET", f"/api/songs/{song}/versions/1/file.json").body
    assert json.loads(recipe) == json.loads(Path("song.json").read_bytes())
    main(["compose", "--recipe", f"{studio.songs}/{song}/versions/0001.json", "-o", "again.mid", "-q"])
    assert Path("again.mid").read_bytes() == exported.body


def test_notes_come_while_a_song_is_composed(studio: Studio) -> None:
    events = studio.do(kind="compose", name="streamed", options=SONG | {"seed": 8})
    names = [name for name, _ in events]
    first = names.index("parts")
    assert first < names.index("notes") and names[-1] == "done" and "progress" in names
    parts = events[first][1]
    assert parts["ticks_per_beat"] == 24 and parts["bars"][-1]["number"] == 4
    columns = ("part", "pitch", "onset_ticks")
    sent: set[tuple[int, ...]] = set()
    for name, data in events:
        sent |= set(zip(*(data[column] for column in columns), strict=True)) if name == "notes" else set()
    final = version(studio, "streamed", 1)
    kept = final["notes"]
    composed = set(zip(*(kept[column] for column in columns), strict=True))
    assert [part["name"] for part in final["parts"]] == [part["name"] for part in parts["parts"]]
    assert len(sent & composed) > 0.9 * len(sent) > 0  # the last ones come with the whole song alone


def test_takes_are_chosen_undone_and_exported(
    studio: Studio, song: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version(studio, song, 1)
    bass = next(n for n, part in enumerate(before["parts"]) if "bass" in part["instrument"])
    options = {"bars": "3-4", "parts": [str(bass + 1)], "takes": 3, "seed": 3}
    events = studio.do(kind="redo", song=song, parent=1, options=options)
    takes = events[-1][1]["takes"]
    assert [data["version"] for name, data in events if name == "take"] == takes
    assert studio.ask("GET", f"/api/songs/{song}").json["head"] == 1
    start = bar_tick(before, 3)
    columns = ("part", "pitch", "velocity", "onset_ticks", "duration_ticks")

    def others(view: dict[str, Any]) -> set[tuple[int, ...]]:
        rows = zip(*(view["notes"][name] for name in columns), strict=True)
        return {row for row in rows if row[0] != bass or row[3] < start}

    for take in takes:
        assert others(version(studio, song, take)) == others(before)
    studio.ask("PATCH", f"/api/songs/{song}", {"head": takes[1]}, If_Match="1")
    assert studio.ask("GET", f"/api/songs/{song}").json["head"] == takes[1]
    assert studio.ask("PATCH", f"/api/songs/{song}", {"head": 1}, If_Match="1").status == 409
    words = shlex.split(version(studio, song, takes[1])["command"])
    monkeypatch.chdir(tmp_path)
    main([*words[1:], "-q", "-o", "take.mid"])
    exported = studio.ask("GET", f"/api/songs/{song}/versions/{takes[1]}/file.mid").body
    assert Path("take-2.mid").read_bytes() == exported
    assert studio.ask("PATCH", f"/api/songs/{song}", {"head": 1}).json["head"] == 1


def test_locks_of_a_song_hold_in_redo(studio: Studio, song: str) -> None:
    locks = [{"part": 0, "bars": None}, {"part": None, "bars": [1, 2]}, "3:3-3"]
    assert studio.ask("PATCH", f"/api/songs/{song}", {"locks": locks}).status == 200
    events = studio.do(kind="redo", song=song, parent=1, options={"bars": "1-4", "seed": 4})
    studio.ask("PATCH", f"/api/songs/{song}", {"locks": []})
    before, after = version(studio, song, 1), version(studio, song, events[-1][1]["version"])
    middle, late = bar_tick(before, 3), bar_tick(before, 4)

    def locked(view: dict[str, Any]) -> list[tuple[int, ...]]:
        rows = zip(*(view["notes"][name] for name in ("part", "pitch", "onset_ticks")), strict=True)
        return [r for r in rows if r[0] == 0 or r[2] < middle or (r[0] == 2 and r[2] < late)]

    assert locked(after) == locked(before) and after["notes"] != before["notes"]
    assert "--lock 1,1-2,3:3-3" in after["command"]


def test_a_lock_that_is_none_is_refused(studio: Studio, song: str) -> None:
    for wrong in ({"part": "x"}, {"part": 0, "bars": 3}, {"bars": []}):
        assert studio.ask("PATCH", f"/api/songs/{song}", {"locks": [wrong]}).status == 200
        answer = studio.ask(
            "POST", "/api/jobs", {"kind": "redo", "song": song, "parent": 1, "options": {"bars": "1-2"}}
        )
        studio.ask("PATCH", f"/api/songs/{song}", {"locks": []})
        assert answer.status == 400 and b"lock " in answer.body


def test_a_part_that_is_no_number_is_refused(studio: Studio, song: str) -> None:
    answer = studio.ask("GET", f"/api/songs/{song}/versions/1/file.json?part=x")
    assert answer.status == 404 and b"part " in answer.body


def test_vary_change_and_perform_make_versions(studio: Studio, song: str) -> None:
    head = studio.ask("GET", f"/api/songs/{song}").json["head"]
    done = studio.do(kind="vary", song=song, parent=1, options={"amount": 0.4, "seed": 2})[-1][1]
    assert studio.ask("GET", f"/api/songs/{song}").json["head"] == head
    assert version(studio, song, done["version"])["parent"] == 1
    done = studio.do(kind="change", song=song, parent=1, options={"transpose": 2, "tempo": 90})[-1][1]
    changed = version(studio, song, done["version"])
    assert changed["tempos"][0]["bpm"] == 90
    assert studio.ask("GET", f"/api/songs/{song}").json["head"] == done["version"]
    done = studio.do(kind="perform", song=song, parent=1, options={"feel": 0.8})[-1][1]
    played = version(studio, song, done["version"])
    assert played["recipe"]["performance"]["feel"] == 0.8
    assert played["notes"]["velocity"] != version(studio, song, 1)["notes"]["velocity"]


def test_an_edit_keeps_what_it_does_not_touch(studio: Studio, tune_file: bytes) -> None:
    song = studio.import_song(tune_file, "edited.mid")
    before = version(studio, song, 1)
    notes = before["notes"]
    notes["pitch"][0] += 2
    notes["velocity"][1] = 1
    body: dict[str, Any] = {"parent": 1, "action": "move", "notes": notes}
    answer = studio.ask("POST", f"/api/songs/{song}/versions", body)
    assert (answer.status, answer.json) == (201, {"version": 2, "head": 2})
    after = version(studio, song, 2)
    same = ("bars", "tempos", "parts", "key", "ticks_per_beat")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["notes"] == notes
    parts = [*before["parts"], {"name": "new", "program": 40, "is_drums": False}]
    notes["part"][2] = len(parts) - 1
    body = {"parent": 2, "action": "new part", "notes": notes, "parts": parts}
    assert studio.ask("POST", f"/api/songs/{song}/versions", body).status == 201
    assert [part["instrument"] for part in version(studio, song, 3)["parts"]][-1] == "violin"


WRONG = [{"pitch": 128}, {"velocity": 0}, {"onset_ticks": -1}, {"part": 9}, {"pitch": "C"}]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_a_wrong_note_is_refused_with_its_range(studio: Studio, song: str, change: dict[str, Any]) -> None:
    notes = version(studio, song, 1)["notes"]
    ((name, value),) = change.items()
    notes[name][0] = value
    answer = studio.ask("POST", f"/api/songs/{song}/versions", {"parent": 1, "action": "x", "notes": notes})
    assert answer.status == 400
    assert name in answer.json["error"] and "must be" in answer.json["error"]


def samples(data: bytes) -> np.ndarray[Any, Any]:
    """The samples (N, 2) of a WAV file."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 44_100)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).astype(np.int64)


@pytest.mark.parametrize("order", ["forwards", "backwards"])
def test_bars_end_to_end_are_the_part_as_it_is_rendered_whole(studio: Studio, song: str, order: str) -> None:
    number = 2 if order == "forwards" else 1  # of the part: the other one was rendered already
    view = version(studio, song, 1)
    bars = list(range(len(view["bars"]) + 1))  # and the ring after the last one
    found = {
        bar: samples(studio.ask("GET", f"/api/songs/{song}/versions/1/sound/{number}/{bar}.wav").body)
        for bar in (bars if order == "forwards" else bars[::-1])
    }
    joined = np.concatenate([found[bar] for bar in bars])
    score = midi.parse(studio.ask("GET", f"/api/songs/{song}/versions/1/file.mid").body).score
    whole = Mixer(part_of(score, number), SoundFont.open(find_soundfont()), 44_100).sound().T
    length = min(len(joined), len(whole))
    size = np.abs(joined[:length])
    loud = (size > 1000) & (size < 0.9 * LINEAR_TO * 32_767)  # peaks are limited
    gain = np.median(joined[:length][loud] / whole[:length][loud])  # that of the song
    expected = limited(whole[:length].T, gain / 32_767).T * 32_767
    assert np.abs(joined[:length] - expected).max() < 8  # of 32,768
    assert np.abs(joined[length:]).max(initial=0) < 8 and np.abs(joined).max() > 3000
    edges = np.rint(score.seconds(np.array([bar["tick"] for bar in view["bars"]])) * 44_100)
    assert [len(found[bar]) for bar in bars[:-2]] == np.diff(edges).astype(int).tolist()


def test_takes_share_the_loudness_of_their_song(studio: Studio, song: str) -> None:
    first = studio.ask("GET", f"/api/songs/{song}/versions/1/sound/0/0.wav").body
    take = studio.do(kind="redo", song=song, parent=1, options={"bars": "3-4", "parts": ["2"], "seed": 9})
    number = take[-1][1]["version"]
    assert studio.ask("GET", f"/api/songs/{song}/versions/{number}/sound/0/0.wav").body == first
    clicks = samples(studio.ask("GET", f"/api/songs/{song}/versions/1/sound/metronome/0.wav").body)
    assert np.abs(clicks).max() > 500
    assert studio.ask("GET", f"/api/songs/{song}/versions/1/sound/9/0.wav").status == 400
    assert studio.ask("GET", f"/api/songs/{song}/versions/1/sound/0/99.wav").status == 400


def test_exports_are_what_render_writes(
    studio: Studio, song: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = f"/api/songs/{song}/versions/1/file"
    Path("song.mid").write_bytes(studio.ask("GET", f"{base}.mid").body)
    for kind in ("musicxml", "wav"):
        main(["render", "song.mid", "-o", f"out.{kind}", "-q"])
        assert studio.ask("GET", f"{base}.{kind}").body == Path(f"out.{kind}").read_bytes()
    main(["render", "song.mid", "--stems", "wav", "-o", "stems/", "-q"])
    stems = sorted(Path("stems").glob("*.wav"))
    assert studio.ask("GET", f"{base}.wav?part=0").body == stems[0].read_bytes()
    with zipfile.ZipFile(io.BytesIO(studio.ask("GET", f"{base}.zip").body)) as bundle:
        names = set(bundle.namelist())
        assert bundle.read("song.mid") == Path("song.mid").read_bytes()
        assert {"song.json", "score.musicxml"} <= names
        assert {f"stems/{stem.name}" for stem in stems} <= names


def test_a_sketch_is_edited_and_composed(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"genre": "fiddle", "bars": 8, "seed": 5}
    sketch = studio.do(kind="sketch", options=options)[-1][1]["sketch"]
    sketch["bars"][3]["chords"] = "Bb"
    done = studio.do(kind="compose", name="from a sketch", options={"sketch": sketch, "seed": 5})[-1][1]
    made = version(studio, done["song"], 1)
    assert len(made["recipe"]["rows"]) and made["bars"][-1]["number"] >= 7
    monkeypatch.chdir(tmp_path)
    main([*shlex.split(made["command"])[1:], "-q"])
    exported = studio.ask("GET", f"/api/songs/{done['song']}/versions/1/file.mid").body
    assert Path("song.mid").read_bytes() == exported


def test_a_song_accompanies_a_melody_of_the_folder(studio: Studio, tune_file: bytes) -> None:
    melody = studio.import_song(tune_file, "melody.mid")
    done = studio.do(kind="compose", options={"melody": f"{melody}/1", "parts": "bass", "seed": 1})[-1][1]
    made, given = version(studio, done["song"], 1), version(studio, melody, 1)
    assert len(made["notes"]["part"]) > len(given["notes"]["part"])
    assert f"--melody {studio.songs}/{melody}/versions/0001.mid" in made["command"]


def test_songs_of_other_formats_are_imported(studio: Studio, song: str) -> None:
    xml = studio.ask("GET", f"/api/songs/{song}/versions/1/file.musicxml").body
    sheet = studio.import_song(xml, "sheet.musicxml")
    assert version(studio, sheet, 1)["notes"]["part"]
    abc = studio.import_song(b"X:1\nT:A tune\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n", "tune.abc")
    assert version(studio, abc, 1)["notes"]["pitch"] == [60, 62, 64, 65, 67, 69, 71, 72]


def test_originality_is_known_of_what_is_composed_and_asked_for_of_the_rest(
    studio: Studio, song: str, tune_file: bytes
) -> None:
    found = studio.ask("GET", f"/api/songs/{song}").json["versions"][0]["originality"]
    assert 0 <= found["longest_run"] <= found["notes"]
    assert studio.ask("GET", f"/api/songs/{song}/versions/1/originality").json == found
    imported = studio.import_song(tune_file, "known.mid")
    assert version(studio, imported, 1)["originality"] is None
    asked = studio.ask("GET", f"/api/songs/{imported}/versions/1/originality").json
    assert version(studio, imported, 1)["originality"] == asked


def test_the_state_describes_all_options(studio: Studio) -> None:
    state = studio.ask("GET", "/api/state").json
    assert {"chorale", "game"} <= {label["name"] for label in state["labels"]}
    assert state["music"] == ["midi"] and state["queue_limit"] == 8
    options = {option["name"]: option for option in state["options"]["compose"]}
    assert (options["tempo"]["low"], options["tempo"]["high"], options["tempo"]["kind"]) == (10, 400, "float")
    assert options["swing_notes"]["choices"] == ["eighths", "sixteenths"]
    assert set(COLUMNS) == {"part", "pitch", "velocity", "onset_ticks", "duration_ticks"}


@pytest.mark.slow
def test_a_model_is_learnt_and_composes(studio: Studio) -> None:
    events = studio.do(kind="learn", music="midi", minutes=0.4)
    event, data = events[-1]
    assert event == "done", data
    stages = [data["stage"] for name, data in events if name == "log"]
    assert stages[:2] == ["estimate", "files"] and "kept" in stages
    assert studio.ask("GET", "/api/state").json["models"] == [data["model"]] == ["midi-model"]
    assert len(data["songs"]) == 3
    options = {"bars": 4, "seed": 1}
    assert studio.do(kind="compose", model="midi-model", options=options)[-1][0] == "done"
