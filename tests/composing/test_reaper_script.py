"""The script for REAPER, run by a Lua interpreter; a stand-in for REAPER calls the real command line."""
# ruff: noqa: N802

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import mido
import pytest

import ritornello as r
from ritornello import midi
from ritornello.cli import main
from ritornello.errors import InputError
from ritornello.music.timeline import Timeline
from tests.composing.models import write_model

lua54 = pytest.importorskip("lupa.lua54", reason="lupa is not installed")

PPQ = 960
Note = tuple[float, float, int]  # start and end in quarter notes of the project, and pitch


class Reaper:
    """The functions of REAPER that the script calls, for a project in one meter and tempo.

    It has one item with one take; what the script does to it is kept in `takes`, `messages` and `lines`.
    """

    def __init__(
        self, folder: Path, notes: list[Note], begin_qn: float, length_qn: float, **settings: Any
    ) -> None:
        self.folder, self.notes = folder, notes
        self.over, self.under, self.bpm = (*settings.get("meter", (4, 4)), settings.get("bpm", 120.0))
        self.selection = settings.get("selection", (0.0, 0.0))  # in quarter notes
        self.controllers = settings.get("controllers", [])
        self.answers, self.is_midi = settings.get("answers", []), settings.get("is_midi", True)
        self.item = {"D_POSITION": self.TimeMap2_QNToTime(0, begin_qn), "D_LENGTH": length_qn * 60 / self.bpm}
        self.takes: list[dict[str, Any]] = []
        self.messages: list[str] = []
        self.lines: list[str] = []
        self.asked: tuple[Any, ...] = ()

    def TimeMap2_timeToQN(self, _: int, time_s: float) -> float:
        return time_s * self.bpm / 60

    def TimeMap2_QNToTime(self, _: int, qn: float) -> float:
        return qn * 60 / self.bpm

    def TimeMap_QNToMeasures(self, _: int, qn: float) -> tuple[int, float, float]:
        bar = 4 * self.over / self.under
        return int(qn // bar) + 1, qn // bar * bar, (qn // bar + 1) * bar

    def TimeMap_GetMeasureInfo(self, _: int, measure: int) -> tuple[float, float, float, int, int, float]:
        bar = 4 * self.over / self.under
        start = measure * bar
        return self.TimeMap2_QNToTime(0, start), start, start + bar, self.over, self.under, self.bpm

    def GetSelectedMediaItem(self, *_: int) -> object:
        return self.item

    def GetActiveTake(self, item: object) -> object:
        return "take"

    def TakeIsMIDI(self, take: object) -> bool:
        return self.is_midi

    def GetMediaItemInfo_Value(self, item: object, name: str) -> float:
        return self.item[name]

    def SetMediaItemInfo_Value(self, item: object, name: str, value: float) -> None:
        self.item[name] = value

    def MIDI_CountEvts(self, take: object) -> tuple[int, int, int, int]:
        return 1, len(self.notes), len(self.controllers), 0

    def MIDI_GetProjQNFromPPQPos(self, take: object, ppq: float) -> float:
        return self.TimeMap2_timeToQN(0, self.item["D_POSITION"]) + ppq / PPQ

    def MIDI_GetNote(self, take: object, index: int) -> tuple[Any, ...]:
        begin = self.TimeMap2_timeToQN(0, self.item["D_POSITION"])
        start, stop, pitch = self.notes[index]
        return True, False, False, (start - begin) * PPQ, (stop - begin) * PPQ, 0, pitch, 90

    def MIDI_GetCC(self, take: object, index: int) -> tuple[Any, ...]:
        return True, False, False, *self.controllers[index]

    def GetSet_LoopTimeRange(self, *_: Any) -> tuple[float, ...]:
        return tuple(self.TimeMap2_QNToTime(0, qn) for qn in self.selection)

    def GetUserInputs(self, *asked: Any) -> tuple[bool, str]:
        self.asked = asked
        default = asked[3].split("\n")
        answers = [answer or old for answer, old in zip(self.answers, default, strict=bool(self.answers))]
        return bool(self.answers), "\n".join(answers)

    def GetProjectPath(self) -> str:
        return str(self.folder)

    def RecursiveCreateDirectory(self, path: str, _: int) -> None:
        Path(path).mkdir(parents=True, exist_ok=True)

    def file_exists(self, path: str) -> bool:
        return Path(path).is_file()

    def ExecProcess(self, line: str, timeout_ms: int) -> str:
        """Run a command line that begins with the program; its exit code, a new line, and its output."""
        assert timeout_ms == 0
        self.lines.append(line)
        program, *words = shlex.split(line)
        assert program == "my program"
        try:
            main(words)
        except SystemExit as stop:
            return f"{stop.code}\nritornello: an error"
        return "0\n"

    def PCM_Source_CreateFromFileEx(self, path: str, without_import: bool) -> str:
        assert without_import
        return path

    def AddTakeToMediaItem(self, item: object) -> int:
        self.takes.append({})
        return len(self.takes) - 1

    def SetMediaItemTake_Source(self, take: int, source: str) -> bool:
        self.takes[take]["file"] = Path(source)
        return True

    def SetMediaItemTakeInfo_Value(self, take: int, name: str, value: float) -> None:
        self.takes[take][name] = value

    def GetSetMediaItemTakeInfo_String(self, take: int, name: str, value: str, is_set: bool) -> None:
        self.takes[take][name] = value

    def GetMediaSourceLength(self, source: str) -> tuple[float, bool]:
        score = midi.read(source)
        return Timeline.of(score).end_ticks / score.ticks_per_beat, True

    def SetActiveTake(self, take: int) -> None: ...
    def UpdateArrange(self) -> None: ...
    def Undo_BeginBlock(self) -> None: ...
    def Undo_EndBlock(self, name: str, flags: int) -> None: ...

    def ShowMessageBox(self, text: str, title: str, kind: int) -> None:
        self.messages.append(text)

    def run(self) -> Reaper:
        """Write the script and run it."""
        script = r.reaper(self.folder / "Ritornello.lua", program=["my program"])
        runtime = lua54.LuaRuntime(unpack_returned_tuples=True)
        runtime.globals()["reaper"] = runtime.table(
            **{name: getattr(self, name) for name in dir(self) if name[0].isupper() or name == "file_exists"}
        )
        runtime.execute(script.read_text())
        return self


@pytest.fixture
def model(tmp_path: Path) -> str:
    write_model(tmp_path / "a model")
    return str(tmp_path / "a model")


MELODY: list[Note] = [(16 + beat, 17 + beat, 60 + beat % 5) for beat in range(16)]  # bars 5-8 of the project


def test_takes_of_the_bars_of_the_time_selection(tmp_path: Path, model: str) -> None:
    """The item is bars 5-8 of the project, the selection bar 6 and a bit of bar 7: bars 2-3 of the item."""
    answers = ["redo", "2", "", "40", f'--model "{model}" --seed 3']
    project = Reaper(tmp_path, MELODY, 16, 16, selection=(20.0, 25.0), answers=answers).run()
    assert project.messages == []
    assert '--bars "2-3" --takes 2' in project.lines[0]
    item = next((tmp_path / "ritornello").glob("*-item.mid"))
    assert [take["P_NAME"] for take in project.takes] == ["Ritornello redo 1", "Ritornello redo 2"]
    score = midi.read(item)
    assert score.pitch.tolist() == [pitch for _, _, pitch in MELODY] and score.ticks_per_beat == PPQ
    assert score.parts[0].program == 40
    for take in project.takes:
        made = midi.read(take["file"])
        outside = (made.onset_ticks < 4 * PPQ) | (made.onset_ticks >= 12 * PPQ)
        kept = (score.onset_ticks < 4 * PPQ) | (score.onset_ticks >= 12 * PPQ)
        assert made.pitch[outside].tolist() == score.pitch[kept].tolist()
        assert take["D_STARTOFFS"] == 0
    assert project.item["D_LENGTH"] == 8.0  # as it was


def test_an_item_that_begins_within_a_bar_is_placed_in_its_bar(tmp_path: Path, model: str) -> None:
    """A 3/4 project at 90 bpm; the item begins a beat after the bar line, and has a pedal and a program."""
    notes = [(3 * k + 1.0, 3 * k + 2.5, 64) for k in range(1, 5)]
    controllers = [(0, 0xB0, 0, 64, 127), (0, 0xC0, 0, 24, 0)]
    settings: dict[str, Any] = {"meter": (3, 4), "bpm": 90.0, "controllers": controllers}
    answers = ["redo", "1", "2-2", "12", f'--model "{model}" --seed 1']
    project = Reaper(tmp_path, notes, 4, 11, answers=answers, **settings).run()
    assert project.messages == []
    item = next((tmp_path / "ritornello").glob("*-item.mid"))
    score = midi.read(item, pedal="ignore")
    assert score.onset_ticks.tolist() == [PPQ * (3 * k + 1) for k in range(4)]
    assert (score.meters[0].numerator, score.meters[0].denominator) == (3, 4)
    assert round(score.tempi[0].bpm, 3) == 90
    assert score.parts[0].program == 24  # its own, not that which was typed
    pedal = mido.Message("control_change", control=64, value=127)
    assert pedal.bytes() in [m.bytes() for m in mido.MidiFile(item).tracks[0]]
    assert project.takes[0]["D_STARTOFFS"] == pytest.approx(60 / 90)  # a beat after the bar line


def test_a_range_of_bars_continues_the_item_to_twice_its_length(tmp_path: Path, model: str) -> None:
    project = Reaper(tmp_path, MELODY, 16, 16, answers=["continue", "1", "", "", f'"{model}" --seed 3']).run()
    assert "--bars 8 -n 1 " in project.lines[0] and project.item["D_LENGTH"] == pytest.approx(16)


@pytest.mark.parametrize("task", ["continue", "accompany"])
def test_continuing_and_accompanying(tmp_path: Path, model: str, task: str) -> None:
    answers = [
        task,
        "2",
        "6",
        "",
        f'"{model}" --seed 3' + (" --parts bass --force" if task == "accompany" else ""),
    ]
    project = Reaper(tmp_path, MELODY, 16, 16, answers=answers).run()
    assert project.messages == []
    assert len(project.takes) == 2
    for take in project.takes:
        song = midi.read(take["file"])
        beats = (16 + song.onset_ticks // song.ticks_per_beat).tolist()
        given = {(start, pitch) for start, _, pitch in MELODY}
        assert given <= set(zip(beats, song.pitch.tolist(), strict=True))
    # two bars more, of 2 seconds; an accompaniment is as long as the item
    assert project.item["D_LENGTH"] == pytest.approx(12.0 if task == "continue" else 8.0)


def test_drums_are_on_their_channel(tmp_path: Path, model: str) -> None:
    answers = ["redo", "1", "1-1", "drums", f'--model "{model}"']
    Reaper(tmp_path, MELODY, 16, 16, answers=answers).run()
    assert midi.read(next((tmp_path / "ritornello").glob("*-item.mid"))).parts[0].is_drum


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"is_midi": False}, "select a MIDI item first"),
        ({"answers": ["redo", "none", "", "", ""]}, "takes 'none': must be a whole number from 1"),
        ({"answers": ["sing", "1", "", "", ""]}, "task 'sing': must be redo, continue or accompany"),
        ({"answers": ["redo", "1", '1" x', "", ""]}, "must not have quotes, $ or `"),
        ({"answers": ["redo", "1", "90", "", ""]}, "the command wrote no song: ritornello: an error"),
        ({"answers": ["redo", "1", "1", "", "--no-such-option"]}, "the command wrote no song"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    project = Reaper(tmp_path, MELODY, 16, 16, **settings).run()
    assert len(project.messages) == 1 and message in project.messages[0]
    assert project.takes == []


def test_nothing_happens_after_cancel_and_a_silent_item_is_named(tmp_path: Path) -> None:
    assert Reaper(tmp_path, MELODY, 16, 16).run().messages == []
    answers = ["redo", "1", "1", "", ""]
    assert Reaper(tmp_path, [], 16, 16, answers=answers).run().messages == ["the item has no notes"]


def test_all_bars_are_those_up_to_the_last_note(tmp_path: Path) -> None:
    project = Reaper(tmp_path, MELODY, 16, 24).run()
    assert project.asked[3].split("\n")[2] == "1-4"
    assert project.asked[2].count(",") == 6  # five captions, and two settings


def test_the_script_runs_this_python(tmp_path: Path) -> None:
    import sys

    main(["reaper", "-o", str(tmp_path / "x.lua"), "-q"])
    assert f'"{sys.executable}" "-m" "ritornello"' in (tmp_path / "x.lua").read_text()
    with pytest.raises(InputError, match=r"must end in \.lua"):
        r.reaper(tmp_path / "x.txt")
    with pytest.raises(InputError, match="must have no quotes"):
        r.reaper(tmp_path / "x.lua", program=['a"b'])
