// Tests of the page's pure modules with node's own test runner; tests/studio/test_page_modules.py runs them.
// PAGE is the folder of a copy of the page that node takes for modules.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.env.PAGE}/${name}.js`).href);
const [notes, timing, layout, state, versions, sketch, colours] = await Promise.all(
  ["notes", "timing", "layout", "state", "versions", "sketch", "colours"].map(load),
);

// two bars of 4/4 and one of 3/4, of 24 ticks a beat; a note of part 0 in each bar, the first one sounds into bar 2
const bars = [[0, 96, 4], [96, 96, 4], [192, 72, 3]].map(([tick, ticks, numerator], at) => ({ tick, ticks, numerator, denominator: 4, number: at + 1 }));
const columns = { part: [0, 0, 1, 0], pitch: [60, 62, 36, 64], velocity: [1, 64, 90, 127], onset_ticks: [48, 96, 96, 192], duration_ticks: [96, 24, 24, 24] };
const content = {
  ticks_per_beat: 24, bars, tempos: [{ tick: 0, bpm: 120 }, { tick: 96, bpm: 60 }], notes: columns, chords: [], sections: [],
  parts: [{ name: "piano", instrument: "piano", program: 0, is_drums: false }, { name: "drums", instrument: "drums", program: 0, is_drums: true }],
};
const index = notes.indexByBar(columns, bars);
const seen = (first, last) => {
  const found = [];
  notes.eachNoteIn(index, first, last, (note) => found.push(note));
  return found.sort();
};

test("bars are found by ticks, also outside of the song", () => {
  assert.deepEqual([-5, 0, 95, 96, 191, 192, 9999].map((tick) => notes.barAt(bars, tick)), [0, 0, 0, 1, 1, 2, 2]);
  assert.equal(notes.endTick(bars), 264);
});

test("each note that sounds in bars is visited once", () => {
  assert.deepEqual(seen(0, 0), [0]);
  assert.deepEqual(seen(1, 1), [0, 1, 2], "the note of bar 1 sounds on");
  assert.deepEqual(seen(0, 2), [0, 1, 2, 3]);
  assert.deepEqual(notes.notesInRegion(columns, index, { bars: [0, 1], parts: [0] }), [0, 1]);
});

test("notes move together, and stop at the edges", () => {
  const moved = notes.moveNotes(columns, [0, 1], -100, 70);
  assert.deepEqual(moved.onset_ticks.slice(0, 2), [0, 48]);
  assert.deepEqual(moved.pitch.slice(0, 2), [125, 127]);
  assert.equal(columns.pitch[0], 60, "nothing is changed in place");
  assert.deepEqual(notes.stretchNotes(columns, [0, 1], -80, 6).duration_ticks, [16, 6, 24, 24]);
  assert.deepEqual(notes.changeVelocities(columns, [0, 3], 10).velocity, [11, 64, 90, 127]);
  assert.deepEqual(notes.deleteNotes(columns, [1]).pitch, [60, 36, 64]);
});

test("a take differs by what it has, counted, in any order", () => {
  const take = notes.addNotes(notes.deleteNotes(columns, [0]), [{ part: 0, pitch: 62, velocity: 64, onset_ticks: 96, duration_ticks: 24 }]);
  assert.deepEqual(notes.newNotes(columns, take), [3], "the note that is there twice is new once");
  assert.deepEqual(notes.newNotes(take, columns), [0]);
  assert.deepEqual(notes.findNotes(columns, [3], take), [2]);
});

test("the key of a part's sound changes with its notes alone", () => {
  const before = notes.soundKeys(content);
  const after = notes.soundKeys({ ...content, notes: notes.changeNotes(columns, [2], () => ({ velocity: 91 })) });
  assert.equal(before[0], after[0]);
  assert.notEqual(before[1], after[1]);
  const shuffled = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, [...values].reverse()]));
  assert.deepEqual(notes.soundKeys({ ...content, notes: shuffled }), before);
});

test("ticks and seconds follow the tempi, on whole samples", () => {
  const map = timing.tempoMap(content);
  assert.equal(timing.secondOf(map, 96), 2, "four beats at 120");
  assert.equal(timing.secondOf(map, 192), 6, "and four at 60");
  assert.equal(timing.tickOf(map, 6), 192);
  assert.deepEqual(timing.barSeconds(content), [0, 2, 6, 9]);
  assert.equal(timing.positionText(content, 240), "3.3");
  assert.equal(timing.clockText(67.9), "1:07");
});

test("a point of the roll leads back to its note and its cell", () => {
  const view = { beat_px: 24, row_px: 8, left_px: 0, top_px: 0, width_px: 300, height_px: 400 };
  const lanes = layout.layLanes(content, view.row_px);
  const box = layout.noteBox(content, lanes, view, columns, 1);
  assert.deepEqual([box.left, box.width], [96, 23]);
  const middle = [box.left + 10, box.top + 3];
  assert.deepEqual(layout.noteAt(content, index, lanes, view, ...middle), { note: 1, is_end: false });
  assert.equal(layout.noteAt(content, index, lanes, view, box.left + 22, middle[1]).is_end, true);
  assert.equal(layout.noteAt(content, index, lanes, view, box.left + 60, middle[1]), null);
  assert.equal(layout.pitchAt(lanes[0], view, middle[1]), 62);
  const region = layout.regionBetween(content, lanes, view, { x: 200, y: 5 }, { x: 10, y: 390 });
  assert.deepEqual(region, { bars: [0, 2], parts: [0, 1] });
  assert.deepEqual([60, 61, 22].map(layout.pitchName), ["C4", "C#4", "Bb0"]);
  assert.deepEqual(["C4", "Bb0", "x"].map(layout.pitchNumber), [60, 22, null]);
});

test("undo goes to the parent, redo back to where one came from, never to a take", () => {
  const tree = [[1, null], [2, 1], [3, 1], [4, 2], [5, 2, true]].map(([version, parent, take]) => ({ version, parent, take: Boolean(take), action: "", made_at: "" }));
  assert.equal(versions.undoTarget(tree, 4), 2);
  assert.equal(versions.undoTarget(tree, 1), null);
  assert.equal(versions.redoTarget(tree, 1, [4, 2]), 2);
  assert.equal(versions.redoTarget(tree, 1, []), 3, "the newest child");
  assert.equal(versions.redoTarget(tree, 2, []), 4, "version 5 is a take");
  assert.deepEqual(versions.pathTo(tree, 4), [1, 2, 4]);
  const drawn = versions.drawTree(tree, 4).map(({ version, column, is_on_path }) => [version, column, is_on_path]);
  assert.deepEqual(drawn, [[5, 1, false], [4, 0, true], [3, 1, false], [2, 0, true], [1, 0, true]]);
});

test("the selection grows by Shift, and locks are as the command line has them", () => {
  let now = state.reduce(state.firstState(), { type: "open", song: { id: "a", locks: [] }, content });
  now = state.reduce(now, { type: "cursor", bar: 1, part: 0, extend: false });
  now = state.reduce(now, { type: "cursor", bar: 2, part: 1, extend: true });
  assert.deepEqual(now.region, { bars: [1, 2], parts: [0, 1] });
  assert.equal(state.selectionText(now), "Bars 2-3, all parts, 3 notes");
  const locks = state.toggleLocks([], content, now.region, false);
  assert.deepEqual(state.lockTexts(locks), ["1:2-3", "2:2-3"]);
  assert.equal(state.isLocked(locks, 1, 3), true);
  assert.equal(state.isLocked(locks, 1, 1), false);
  assert.deepEqual(state.toggleLocks(locks, content, now.region, false), []);
});

test("selected notes stay selected when the server sorted them", () => {
  let now = state.reduce(state.firstState(), { type: "open", song: { id: "a", locks: [] }, content });
  now = state.reduce(now, { type: "choose", notes: [1] });
  const sorted = { ...content, notes: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, [...values].reverse()])) };
  now = state.reduce(now, { type: "open", song: { id: "a", locks: [] }, content: sorted });
  assert.deepEqual([...now.chosen], [2]);
});

test("a sketch becomes bars, chords and textures", () => {
  const drawn = sketch.contentOfSketch({ meter: "3/4", tempo: 100, parts: ["violin"], bars: [
    { bar: 0, meter: "1/4" }, { bar: 1, section: "A", chords: "D / G", texture: { violin: { notes: 5, pitch: "A4" } } }, { bar: 2, chords: "%", texture: { violin: "rests" } },
  ] });
  assert.deepEqual(drawn.bars.map(({ tick, ticks, number }) => [tick, ticks, number]), [[0, 24, 0], [24, 72, 1], [96, 72, 2]]);
  assert.deepEqual(drawn.chords, [{ tick: 24, name: "D" }, { tick: 72, name: "G" }, { tick: 96, name: "D" }, { tick: 144, name: "G" }]);
  assert.deepEqual(drawn.textures, [[null, { notes: 5, pitch: 69 }, null]]);
  assert.deepEqual(drawn.sections, [{ bar: 1, letter: "A" }]);
  assert.deepEqual(sketch.changeBar({ bars: [{ chords: "C" }] }, 0, "chords", ""), { bars: [{}] }, "an empty field is open");
});

test("parts have the colours of the pictures", () => {
  const parts = [false, true, false].map((is_drums) => ({ is_drums }));
  assert.deepEqual(colours.partColours(parts, false), ["#56B4E9", "#D5D9E0", "#E69F00"]);
  assert.equal(colours.blend("#FFFFFF", "#56B4E9", 0.45).toUpperCase(), "#A2D6F3");
});
