/**
 * Compute where things are in the roll, in pixels: lanes and notes from a song and a view, and notes from a point. Pure functions.
 * A view is `{beat_px, row_px, left_px, top_px, width_px, height_px, head_px}`; `left_px` and `top_px` are the scroll offsets.
 * @typedef {{part: number, top: number, height: number, rows: number[], row_of: Map<number, number>, row_px: number, head_px: number}} Lane
 */
import { barAt, eachNoteIn, endTick } from "./notes.js";

export const LANE_GAP_PX = 6;
export const MIN_LANE_PX = 84;
export const EDGE_PX = 6; // the width of a note's end, which is dragged to stretch the note
const USUAL_DRUMS = [36, 38, 42, 46, 49];

/** The pitches that the lane of a part shows, from high to low: all pitches of its range; of drums only the used and the usual ones. */
export function laneRows(content, part) {
  const { notes } = content;
  const used = new Set();
  for (let note = 0; note < notes.pitch.length; note++) if (notes.part[note] === part) used.add(notes.pitch[note]);
  for (const bar of content.textures?.[part] ?? []) if (bar?.pitch) used.add(Math.round(bar.pitch));
  if (content.parts[part]?.is_drums) {
    for (const drum of USUAL_DRUMS) used.add(drum);
    return [...used].sort((a, b) => b - a);
  }
  const low = used.size ? Math.min(...used) : 57;
  const high = used.size ? Math.max(...used) : 69;
  const spare = Math.max(2, Math.ceil((12 - (high - low)) / 2));
  const [from, to] = [Math.max(0, low - spare), Math.min(127, high + spare)];
  return Array.from({ length: to - from + 1 }, (_, row) => to - row);
}

/** The height of a row (3-14 pixels) with which all lanes together fill a height. */
export function fittingRow(content, height_px, head_px = 0) {
  const rows = content.parts.reduce((sum, _, part) => sum + laneRows(content, part).length, 0);
  const free = height_px - content.parts.length * (LANE_GAP_PX + head_px);
  return Math.min(14, Math.max(3, Math.floor((free / Math.max(1, rows)) * 4) / 4));
}

/** The lanes of all parts from top to bottom. `head_px` is the height of a lane's head if it is above the notes, else 0. */
export function layLanes(content, row_px, head_px = 0) {
  let top = 0;
  return content.parts.map((_, part) => {
    const rows = laneRows(content, part);
    const height = Math.max(rows.length * row_px, MIN_LANE_PX) + head_px;
    const lane = { part, top, height, rows, row_of: new Map(rows.map((pitch, row) => [pitch, row])), row_px: (height - head_px) / rows.length, head_px };
    top += height + LANE_GAP_PX;
    return lane;
  });
}

/** The height of all lanes. */
export function lanesHeight(lanes) {
  const lowest = lanes[lanes.length - 1];
  return lowest ? lowest.top + lowest.height + LANE_GAP_PX : 0;
}

export const xOf = (content, view, tick) => (tick / content.ticks_per_beat) * view.beat_px - view.left_px;
export const tickAt = (content, view, x) => ((x + view.left_px) / view.beat_px) * content.ticks_per_beat;

/** The width of the whole song. */
export function songWidth(content, view) {
  return (endTick(content.bars) / content.ticks_per_beat) * view.beat_px;
}

/** The first and the last visible bar (indices). */
export function visibleBars(content, view) {
  return [barAt(content.bars, tickAt(content, view, 0)), barAt(content.bars, tickAt(content, view, view.width_px))];
}

/** The lane at a height of the view, or the nearest one. */
export function laneAt(lanes, view, y) {
  const at = y + view.top_px;
  return lanes.find((lane) => at < lane.top + lane.height + LANE_GAP_PX / 2) ?? lanes[lanes.length - 1];
}

/** The pitch at a height of the view. */
export function pitchAt(lane, view, y) {
  const row = Math.floor((y + view.top_px - lane.top - lane.head_px) / lane.row_px);
  return lane.rows[Math.min(lane.rows.length - 1, Math.max(0, row))];
}

/** The top of a pitch in the view; a pitch outside of the lane is put at its edge. */
export function yOf(lane, view, pitch) {
  const row = lane.row_of.get(pitch) ?? (pitch > lane.rows[0] ? 0 : lane.rows.length - 1);
  return lane.top + lane.head_px + row * lane.row_px - view.top_px;
}

/** Left, top, width and height of a note in the view. */
export function noteBox(content, lanes, view, notes, note) {
  const lane = lanes[notes.part[note]];
  const left = xOf(content, view, notes.onset_ticks[note]);
  const width = (notes.duration_ticks[note] / content.ticks_per_beat) * view.beat_px;
  return { left, top: yOf(lane, view, notes.pitch[note]), width: Math.max(2, width - 1), height: Math.max(2, lane.row_px - 1) };
}

/** The note at a point (the topmost one), and whether the point is on its end; or null. */
export function noteAt(content, index, lanes, view, x, y) {
  const lane = laneAt(lanes, view, y);
  const bar = barAt(content.bars, tickAt(content, view, x));
  let found = null;
  if (!lane) return null;
  eachNoteIn(index, Math.max(0, bar), bar, (note) => {
    if (content.notes.part[note] !== lane.part) return;
    const box = noteBox(content, lanes, view, content.notes, note);
    const slack = Math.max(0, (6 - box.height) / 2);
    if (x < box.left - 1 || x > box.left + box.width + 2 || y < box.top - slack || y > box.top + box.height + slack) return;
    found = { note, is_end: x > box.left + box.width - Math.min(EDGE_PX, box.width / 3) };
  });
  return found;
}

/** The region of bars and parts between two points. */
export function regionBetween(content, lanes, view, from, to) {
  const bars = [from, to].map((point) => barAt(content.bars, tickAt(content, view, point.x))).sort((a, b) => a - b);
  const parts = [from, to].map((point) => laneAt(lanes, view, point.y).part).sort((a, b) => a - b);
  return { bars, parts: Array.from({ length: parts[1] - parts[0] + 1 }, (_, at) => parts[0] + at) };
}

/** A tick moved to the grid: to the nearest step, or to the start of its step. */
export function onGrid(tick, step_ticks, is_nearest = true) {
  return Math.max(0, (is_nearest ? Math.round(tick / step_ticks) : Math.floor(tick / step_ticks)) * step_ticks);
}

const PITCHES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
/** The name of a pitch, C4 being 60. */
export const pitchName = (pitch) => `${PITCHES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
/** The number of a pitch such as "Bb4", or null. */
export function pitchNumber(name) {
  const match = /^([A-G])([#b]?)(-?\d+)$/.exec(String(name).trim());
  if (!match) return null;
  const step = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 }[match[1]];
  return step + (match[2] === "#" ? 1 : match[2] === "b" ? -1 : 0) + 12 * (Number(match[3]) + 1);
}
const DRUMS = { 35: "bass 2", 36: "bass drum", 37: "side stick", 38: "snare", 39: "clap", 40: "snare 2", 41: "low tom", 42: "closed hat", 43: "floor tom", 44: "pedal hat", 45: "tom 3", 46: "open hat", 47: "tom 2", 48: "tom 1", 49: "crash", 50: "high tom", 51: "ride", 52: "china", 53: "bell", 54: "tambourine", 55: "splash", 56: "cowbell", 57: "crash 2", 59: "ride 2" };
/** The name of a drum of General MIDI, or its number. */
export const drumName = (pitch) => DRUMS[pitch] ?? `drum ${pitch}`;
