"""The commands as a user types them, and what they say to wrong input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.cli import common, main
from ritornello.models.losses.curve import Curve, CurvePoints
from ritornello.music.score import Meter, Score
from ritornello.music.timeline import Timeline
from tests.folders import Say, wandering, write_songs


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with songs, a corpus and a model of a few steps."""
    folder = tmp_path_factory.mktemp("home")
    write_songs(folder / "midi", 24)
    for words in (
        ["prepare", folder / "midi", "--out", folder / "corpus", "--quiet", "--workers", "1"],
        [
            "train",
            folder / "corpus",
            "--out",
            folder / "model",
            "--steps",
            "20",
            "--batch",
            "16",
            "--network",
            "original",
            "--quiet",
        ],
    ):
        main([str(word) for word in words])
    return folder


def test_from_a_folder_to_a_song(say: Say, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "song.mid"
    code, text, _ = say("compose", home / "model", "--bars", 4, "--seed", 1, "-o", out)
    assert code == 0
    assert "4 bars" in text
    assert f"again: ritornello compose --recipe {tmp_path / 'song.json'} -o {out}" in text
    song = midi.read(out)
    assert len(Timeline.of(song)) == 4
    assert b"Ritornello 0.1.0: network original" in out.read_bytes()
    code, text, _ = say(
        "compose", home / "model", "--bars", 4, "--seed", 1, "-o", tmp_path / "b.mid", "--json"
    )
    assert json.loads(text)["bars"] == 4
    assert (tmp_path / "b.mid").read_bytes() == out.read_bytes()


def test_prepare_says_what_became_of_the_files(say: Say, home: Path, tmp_path: Path) -> None:
    (home / "midi" / "broken.mid").write_bytes(b"<html>")
    try:
        code, text, err = say("prepare", home / "midi", "--out", tmp_path / "c", "--workers", 1)
    finally:
        (home / "midi" / "broken.mid").unlink()
    assert code == 0
    assert "24 of 25 files kept (25 read now)" in text
    assert "1  not MIDI" in text
    assert "reading: 25/25" in err
    code, text, _ = say("prepare", home / "midi", "--out", home / "corpus", "--workers", 1, "--json")
    assert json.loads(text)["new"] == 0


def test_mido_reads_the_same_corpus(say: Say, home: Path, tmp_path: Path) -> None:
    from ritornello import Corpus

    words = ["--reader", "mido", "--workers", 1, "--quiet"]
    assert say("prepare", home / "midi", "--out", tmp_path / "c", *words)[0] == 0
    by_mido, by_symusic = Corpus.open(tmp_path / "c"), Corpus.open(home / "corpus")
    assert [by_mido.score(i) for i in range(24)] == [by_symusic.score(i) for i in range(24)]


def test_training_again_says_so_and_other_settings_are_refused(say: Say, home: Path) -> None:
    words = ["train", home / "corpus", "--out", home / "model", "--network", "original", "--batch", 16]
    code, text, _ = say(*words, "--steps", 20)
    assert (code, "20 steps" in text) == (0, True)
    code, _, err = say(*words, "--steps", 30, "--seed", 5)
    assert code == 2
    assert "configuration: seed was 0, is 5. Give the old values to continue it, or another --out" in err


def test_training_longer_goes_on(say: Say, home: Path, tmp_path: Path) -> None:
    words = [
        "train",
        home / "corpus",
        "--out",
        tmp_path / "m",
        "--network",
        "original",
        "--batch",
        16,
        "--quiet",
    ]
    assert say(*words, "--steps", 5)[0] == 0
    assert say(*words, "--steps", 12)[0] == 0
    log = [json.loads(line) for line in (tmp_path / "m" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [
        1,
        5,
        12,
    ]  # the first run's first and last step, and the second's last


def test_a_run_with_the_curve_of_before_goes_on_with_it(say: Say, home: Path, tmp_path: Path) -> None:
    points = CurvePoints(pull=0.3, width_semitones=1.0, reach_semitones=24, degree=52)
    old = Curve(points, (0.5, *[0.0] * 52), 0.03).to_dict()
    words = ["train", home / "corpus", "--network", "original", "--batch", 16, "--quiet", "--out"]
    assert say(*words, tmp_path / "m", "--steps", 5)[0] == 0
    info = json.loads((tmp_path / "m" / "model.json").read_text())
    assert info["network"]["config"]["weighting"] == "range"
    info["network"]["config"] = {k: v for k, v in info["network"]["config"].items() if k != "weighting"}
    info["network"]["config"]["curve"] = old
    (tmp_path / "m" / "model.json").write_text(json.dumps(info))
    assert say(*words, tmp_path / "m", "--steps", 8)[0] == 0
    again = ["train", home / "corpus", "--init", tmp_path / "m", "--batch", 16, "--quiet", "--steps", 3]
    assert say(*again, "--out", tmp_path / "next")[0] == 0
    assert say(*again, "--out", tmp_path / "other", "--weighting", "variance")[0] == 0
    for folder, weighting in (("m", "range"), ("next", "range"), ("other", "variance")):
        config = json.loads((tmp_path / folder / "model.json").read_text())["network"]["config"]
        assert (config["curve"], config["weighting"]) == (old, weighting)


def test_one_writer_at_a_time(say: Say, home: Path, tmp_path: Path) -> None:
    from ritornello.system.lock import locked

    words = ["train", home / "corpus", "--out", tmp_path / "m", "--network", "original", "--steps", 5]
    (tmp_path / "m").mkdir()
    with locked(tmp_path / "m" / "lock"):
        code, _, err = say(*words)
    assert code == 2
    assert f"m' is being written by process {os.getpid()}" in err
    assert say(*words)[0] == 0


def test_without_a_name_no_song_is_overwritten(
    say: Say, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2, 3):
        assert say("compose", home / "model", "--bars", 4, "--seed", seed)[0] == 0
    assert sorted(path.name for path in tmp_path.glob("*.mid")) == ["song-2.mid", "song-3.mid", "song.mid"]


def test_info_shows_what_is_in_a_file(say: Say, tmp_path: Path) -> None:
    midi.write(wandering(3), tmp_path / "a.mid")
    code, text, _ = say("info", tmp_path / "a.mid", "--png", tmp_path / "a.png")
    assert code == 0
    assert "title           Wandering 3" in text
    assert "Flute" in text
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    code, text, _ = say("info", tmp_path / "a.mid", "--json")
    assert json.loads(text)["parts"][1] == {"name": "Bass", "sound": "bass (32)", "notes": 9}


def test_a_pickup_is_bar_0(say: Say, tmp_path: Path) -> None:
    onset = [0, *range(240, 240 + 12 * 240, 240)]
    meters = (Meter(0, 1, 8), Meter(240, 6, 8))
    midi.write(
        Score.of(480, onset, [240] * 13, [60 + n for n in range(13)], [64] * 13, meters=meters),
        tmp_path / "jig.mid",
    )
    found = json.loads(say("info", tmp_path / "jig.mid", "--json")[1])
    assert (found["bars"], found["pickup_beats"]) == (2, 0.5)
    lines = say("explain", tmp_path / "jig.mid")[1].splitlines()
    assert [line[:7] for line in lines if ": " in line[:8]] == ["bar 0: ", "bar 1: ", "bar 2: "]
    rows = [line[:9] for line in lines if " beat " in line[:16]]
    assert rows[:3] == ["bar   0 b", "bar   1 b", "bar   1 b"]
    told = json.loads(say("judge", tmp_path / "jig.mid", "--json")[1])
    assert told["bars"] == 2
    assert len(told["form"]["returns_to"]) == len(told["chords"]["by_bar"]) == 2


def test_explain(say: Say, tmp_path: Path) -> None:
    midi.write(wandering(3), tmp_path / "a.mid")
    assert "beat    0.000" in say("explain", tmp_path / "a.mid", "--rows", 2, "--as", "messages")[1]
    explained = say("explain", tmp_path / "a.mid", "--rows", 2)[1].splitlines()
    assert explained[0].startswith("bar 1: ") and "bass 32.1 Bb2" in "".join(explained)
    assert "representation 'note': must be one of" in say("explain", tmp_path / "a.mid", "--as", "note")[2]
    assert "128 semitones" in say("explain", "messages")[1]
    assert say("explain", "loss", "--png", tmp_path / "loss.png")[0] == 0
    assert (tmp_path / "loss.png").stat().st_size > 2000


def test_help_names_every_command(say: Say) -> None:
    code, text, _ = say("--help")
    assert code == 0
    for name in ("compose", "convert", "doctor", "explain", "info", "measure", "prepare", "train"):
        assert f"  {name} " in text
        assert "ritornello " + name in say(name, "--help")[1]


WRONG = {
    "an empty folder": (["prepare", "{tmp}/empty", "--out", "{tmp}/c"], "contains no .mid"),
    "a file for a folder": (["prepare", "{tmp}/text.mid", "--out", "{tmp}/c"], "text.mid' is a file"),
    "a folder that is not there": (["prepare", "{tmp}/nowhere", "--out", "{tmp}/c"], "nowhere"),
    "no readable file": (["prepare", "{tmp}/unreadable", "--out", "{tmp}/c"], "can be kept: 1 not MIDI"),
    "no workers": (
        ["prepare", "{tmp}/empty", "--out", "{tmp}/c", "--workers", "0"],
        "workers 0: must be 1-1024",
    ),
    "an unknown network": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--network", "orginal"],
        "did you mean 'original'?",
    ),
    "a size that is none": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--size", "huge"],
        "'huge' is not one of 'tiny', 'small', 'medium', 'large'",
    ),
    "a dropout that is none": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--dropout", "1"],
        "dropout 1.0: must be 0.0-0.9",
    ),
    "no model to begin from": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--init", "{tmp}/empty"],
        "empty' is not a model folder: it has no model.json",
    ),
    "no corpus": (
        ["train", "{tmp}/empty", "--out", "{tmp}/m"],
        "empty' is not a corpus: it has no manifest.json",
    ),
    "no steps": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--steps", "0"],
        "steps 0: must be 1-1000000000",
    ),
    "a folder with other files": (
        ["train", "{home}/corpus", "--out", "{home}/midi", "--steps", "1"],
        "midi' has other files ('folk'): must be new or empty for a model",
    ),
    "a file for the model": (
        ["train", "{home}/corpus", "--out", "{tmp}/text.mid", "--steps", "1"],
        "text.mid' is a file: must be a folder for the model",
    ),
    "no minutes": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--minutes", "-1"],
        "minutes -1.0: must be",
    ),
    "no threads": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--steps", "1", "--threads", "0"],
        "threads 0: must be 1-1024",
    ),
    "a seed below 0": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--steps", "1", "--seed", "-1"],
        "seed -1: must be 0-9223372036854775807",
    ),
    "a learning rate below 0": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--steps", "1", "--learning-rate", "-1"],
        "learning_rate -1.0: must be 0-10",
    ),
    "both": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--minutes", "1", "--steps", "1"],
        "give the length of training once",
    ),
    "a curve that is not there": (
        ["train", "{home}/corpus", "--out", "{tmp}/m", "--curve", "{tmp}/no.toml"],
        "no.toml': No such file",
    ),
    "no model there": (["compose", "{tmp}/empty"], "empty' is not a model folder: it has no model.json"),
    "no bars": (["compose", "{home}/model", "--bars", "0"], "bars 0: must be 1-1000"),
    "too many bars": (["compose", "{home}/model", "--bars", "10000"], "bars 10000: must be 1-1000"),
    "another ending": (["compose", "{home}/model", "-o", "song.mp4"], "must end in .wav, .ogg, .flac, .mp3"),
    "a text as MIDI": (["info", "{tmp}/text.mid"], "'text.mid': byte 0: begins with b'hell'"),
    "a file that is not there": (["info", "{tmp}/no.mid"], "no.mid': No such file"),
    "nothing to explain": (["explain", "los"], "must be one of loss, chorale, messages, notes, or"),
    "no rows": (["explain", "{tmp}/text.mid", "--rows", "-3"], "-3 is not in the range x>=1"),
    "an unknown command": (["compos"], "command 'compos': must be one of"),
    "neither is Keras": (["convert", "{home}/model", "{tmp}/x"], "must end in .keras"),
    "from Keras alone": (["convert", "{tmp}/a.keras", "{tmp}/x"], "--like MODEL must give"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_line_and_exit_code_2(
    say: Say, home: Path, tmp_path: Path, case: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "unreadable").mkdir()
    for path in (tmp_path / "text.mid", tmp_path / "unreadable" / "a.mid"):
        path.write_text("hello")
    before = sorted(tmp_path.rglob("*"))
    words, says = WRONG[case]
    code, out, err = say(*[word.format(tmp=tmp_path, home=home) for word in words])
    assert (code, out) == (2, "")
    message = [line for line in err.splitlines() if line.startswith(("ritornello: ", "Error: "))]
    assert len(message) == 1
    assert says in message[0]
    assert "Traceback" not in err
    written = [path for path in sorted(tmp_path.rglob("*")) if path not in before and path.is_file()]
    assert [path for path in written if tmp_path / "c" not in path.parents] == []  # fates may be kept there


def test_a_newer_corpus_is_refused(say: Say, home: Path, tmp_path: Path) -> None:
    manifest = home / "corpus" / "manifest.json"
    newer = json.loads(manifest.read_text()) | {"version": 99}
    (tmp_path / "manifest.json").write_text(json.dumps(newer))
    code, _, err = say("train", tmp_path, "--out", tmp_path / "m")
    assert code == 2
    assert "99" in err


def test_weights_of_the_wrong_shape(say: Say, home: Path, tmp_path: Path) -> None:
    import numpy as np

    from ritornello import Model
    from ritornello.models import model

    good = Model.open(home / "model")
    weights = {**good.weights, "dense.bias": np.zeros(5, np.float32)}
    model.write(tmp_path / "m", good.info, weights, good.tables, "")
    code, _, err = say("compose", tmp_path / "m", "-o", tmp_path / "s.mid")
    assert code == 2
    assert "dense.bias has shape (5,): must be (24,)" in err
    assert not (tmp_path / "s.mid").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_target(say: Say, home: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code, _, err = say("compose", home / "model", "-o", tmp_path / "s.mid")
    assert code == 1
    assert "Permission denied" in err


def test_a_target_that_cannot_be_written(say: Say, home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")  # a file where a folder would be needed
    code, _, err = say("compose", home / "model", "-o", tmp_path / "file" / "s.mid")
    assert code == 1
    assert "cannot write" in err
    assert "s.mid" in err


def test_ctrl_c_keeps_the_best_state_and_exits_130(home: Path, tmp_path: Path) -> None:
    words = [
        "train",
        home / "corpus",
        "--out",
        tmp_path / "m",
        "--network",
        "original",
        "--steps",
        "100000",
        "--batch",
        "8",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "ritornello", *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    log, began = tmp_path / "m" / "log.jsonl", time.monotonic()
    while not (log.exists() and "heldout_loss" in log.read_text()) and time.monotonic() - began < 60:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues from there" in err
    assert "Traceback" not in err
    main(
        [
            "compose",
            str(tmp_path / "m"),
            "--bars",
            "1",
            "--seed",
            "0",
            "-o",
            str(tmp_path / "s.mid"),
            "--quiet",
        ]
    )
    assert len(midi.read(tmp_path / "s.mid")) > 0


def test_labels_from_a_table(say: Say, home: Path, tmp_path: Path) -> None:
    from ritornello import Corpus

    songs = sorted(path.relative_to(home / "midi") for path in (home / "midi").rglob("*.mid"))
    table = "".join(f"{song.as_posix()},{'slow' if i < 12 else 'fast'}\n" for i, song in enumerate(songs))
    (tmp_path / "labels.csv").write_text("path,label\n" + table)
    words = ["prepare", home / "midi", "--out", tmp_path / "c", "--labels", tmp_path / "labels.csv", "-q"]
    assert say(*words)[0] == 0
    assert set(Corpus.open(tmp_path / "c").labels) == {"slow", "fast"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_the_output_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ritornello", "explain", "messages"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stderr) == (1, "ritornello: output: No space left on device\n")


def test_an_encoding_without_bars_ends_no_report(tmp_path: Path) -> None:
    write_songs(tmp_path / "midi", 2)
    command = [sys.executable, "-m", "ritornello", "doctor", str(tmp_path / "midi")]
    ended = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert ended.returncode == 0
    assert b"2 of 2 files can be trained on" in ended.stdout


def test_the_log_of_a_training(say: Say, home: Path, tmp_path: Path) -> None:
    code, out, _ = say("log", home / "model", "--png", tmp_path / "curves.png")
    assert code == 0
    assert "held out" in out and "of which note" in out
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = say("log", tmp_path)
    assert code == 2 and "has no log.jsonl" in err


def test_a_task_that_begins_again_is_timed_anew(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`learn` composes with several candidates: the time between them is none of the task's."""
    now_s = iter([0.0, 10.0, 300.0, 312.0])
    monkeypatch.setattr(common.time, "monotonic", lambda: next(now_s))
    with common.progress_bars(True) as update:
        update(0, 40, "composing")
        update(40, 40, "composing")
        update(2, 40, "composing")
        update(6, 40, "composing  row 7")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["  composing: 40/40", "  composing  row 7: 6/40, 68 s to go"]  # 12 s for 6 of 40
