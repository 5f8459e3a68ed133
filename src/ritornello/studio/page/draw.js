/** Draw the roll: the grid and the notes, the overlay with selection and playhead, and the velocities. */
import { barAt, eachNoteIn } from "./notes.js";
import { EDGE_PX, drumName, noteBox, pitchName, visibleBars, xOf, yOf } from "./layout.js";
import { OPACITIES, opacityStep, shades } from "./colours.js";
import { label, FONT } from "./draw_ruler.js";
import { isLocked } from "./state.js";

const BLACK_KEYS = new Set([1, 3, 6, 8, 10]);

/** The grid and the notes. `scene` is {context, content, index, lanes, view, colours, part_colours, state}. */
export function drawRoll(scene) {
  const { context, view, colours } = scene;
  context.fillStyle = colours.page;
  context.fillRect(0, 0, view.width_px, view.height_px);
  for (const lane of scene.lanes) if (isSeen(lane, view)) drawLane(scene, lane);
  drawBars(scene);
  if (scene.state.stage !== "song") drawTextures(scene);
  drawNotes(scene);
  if (scene.state.takes) drawTakes(scene);
  drawLocks(scene);
}

const isSeen = (lane, view) => lane.top + lane.height > view.top_px && lane.top < view.top_px + view.height_px;

function drawLane({ context, content, view, colours }, lane) {
  const top = lane.top + lane.head_px - view.top_px;
  const is_drums = content.parts[lane.part].is_drums;
  const right = Math.min(view.width_px, xOf(content, view, content.bars[content.bars.length - 1].tick + content.bars[content.bars.length - 1].ticks));
  context.fillStyle = colours.lane;
  context.fillRect(0, top, right, lane.height - lane.head_px);
  context.fillStyle = colours.black_key;
  lane.rows.forEach((pitch, row) => {
    if (is_drums ? row % 2 : BLACK_KEYS.has(pitch % 12)) context.fillRect(0, top + row * lane.row_px, right, lane.row_px);
  });
  context.fillStyle = colours.octave;
  if (!is_drums) lane.rows.forEach((pitch, row) => pitch % 12 === 0 && context.fillRect(0, Math.round(top + (row + 1) * lane.row_px), right, 1));
}

/** Draw pitch names at the left edge of the lanes, over the notes, which scroll below them. */
export function drawPitchNames({ context, content, lanes, view, colours, state }) {
  context.font = `10px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const lane of lanes) {
    if (!isSeen(lane, view)) continue;
    const is_drums = content.parts[lane.part].is_drums;
    if (is_drums && state.stage === "sketch") continue;
    lane.rows.forEach((pitch, row) => {
      if (is_drums ? lane.row_px < 9 : pitch % 12 && !(lane.rows.length < 13 && lane.row_px > 8 && [4, 7].includes(pitch % 12))) return;
      const y = lane.top + lane.head_px + (row + 0.5) * lane.row_px - view.top_px;
      const name = is_drums ? drumName(pitch) : pitchName(pitch);
      context.globalAlpha = 0.75;
      context.fillStyle = colours.lane;
      context.fillRect(2, y - 6, context.measureText(name).width + 6, 12);
      context.globalAlpha = 1;
      context.fillStyle = colours.faint;
      context.fillText(name, 5, y);
    });
  }
}

function drawBars({ context, content, view, colours, lanes }) {
  const [first, last] = visibleBars(content, view);
  const lowest = lanes[lanes.length - 1];
  const height = Math.min(view.height_px, lowest.top + lowest.height - view.top_px);
  const line = (tick, colour) => {
    context.fillStyle = colour;
    context.fillRect(Math.round(xOf(content, view, tick)), 0, 1, height);
  };
  for (let at = first; at <= last; at++) {
    const bar = content.bars[at];
    const beat = (content.ticks_per_beat * 4) / bar.denominator;
    const beat_px = (beat / content.ticks_per_beat) * view.beat_px;
    const finest = view.beat_px > 96 ? content.ticks_per_beat / 4 : beat;
    if (beat_px > 7) for (let tick = finest; tick < bar.ticks; tick += finest) line(bar.tick + tick, colours.beat);
    if (bar.ticks * view.beat_px > 6 * content.ticks_per_beat || at % 4 === 0) line(bar.tick, colours.bar);
  }
  const end = content.bars[last];
  if (last === content.bars.length - 1) line(end.tick + end.ticks, colours.bar);
  context.fillStyle = colours.page;
  for (const lane of lanes) context.fillRect(0, lane.top - 6 - view.top_px, view.width_px, 6 + lane.head_px);
}

/** Draw the notes, grouped by part and velocity, so that the fill colour changes seldom. */
function drawNotes({ context, content, index, lanes, view, colours, part_colours, state }) {
  const { notes } = content;
  const [first, last] = visibleBars(content, view);
  const groups = content.parts.map(() => Array.from({ length: OPACITIES }, () => []));
  const gone = state.takes?.audible ? new Set(state.takes.items[state.takes.audible - 1].lost) : null;
  eachNoteIn(index, first, last, (note) => {
    if (gone?.has(note) || state.chosen.has(note)) return;
    groups[notes.part[note]][opacityStep(notes.velocity[note])].push(note);
  });
  groups.forEach((steps, part) => {
    if (!isSeen(lanes[part], view)) return;
    const tones = shades(part_colours[part], colours.lane, colours.softest);
    steps.forEach((group, step) => {
      context.fillStyle = tones[step];
      for (const note of group) fillNote(context, noteBox(content, lanes, view, notes, note), view);
    });
  });
  for (const note of state.chosen) drawChosen({ context, content, lanes, view, colours, part_colours }, note);
}

function fillNote(context, box, view) {
  if (box.left > view.width_px || box.left + box.width < 0 || box.top > view.height_px || box.top + box.height < 0) return;
  if (box.height < 5 || box.width < 5) return context.fillRect(box.left, box.top, box.width, box.height);
  context.beginPath();
  context.roundRect(box.left, box.top, box.width, box.height, 2);
  context.fill();
}

function drawChosen({ context, content, lanes, view, colours, part_colours }, note) {
  const box = noteBox(content, lanes, view, content.notes, note);
  context.fillStyle = part_colours[content.notes.part[note]];
  context.fillRect(box.left, box.top, box.width, box.height);
  context.strokeStyle = colours.select;
  context.lineWidth = 2;
  context.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
  if (box.width > 12) {
    context.fillStyle = colours.select;
    context.fillRect(box.left + box.width - EDGE_PX / 2, box.top, 2, box.height);
  }
}

/** Draw the notes of takes as outlines; the notes of the audible take are filled, and the notes that it lacks are dashed. */
function drawTakes({ context, content, lanes, view, colours, part_colours, state }) {
  const { items, audible } = state.takes;
  const outline = (notes, note, dash, alpha) => {
    const box = noteBox(content, lanes, view, notes, note);
    if (box.left > view.width_px || box.left + box.width < 0) return;
    context.setLineDash(dash);
    context.globalAlpha = alpha;
    context.lineWidth = 1;
    context.strokeRect(box.left + 0.5, box.top + 0.5, Math.max(1, box.width - 1), Math.max(1, box.height - 1));
  };
  context.save();
  items.forEach((take, at) => {
    const is_heard = audible === at + 1;
    for (const note of take.ghosts) {
      const { notes } = take.content;
      context.strokeStyle = is_heard ? colours.select : colours.ghost;
      if (is_heard) {
        context.globalAlpha = 1;
        context.fillStyle = part_colours[notes.part[note]];
        fillNote(context, noteBox(content, lanes, view, notes, note), view);
      }
      outline(notes, note, [], is_heard ? 0.9 : 0.4);
    }
    context.strokeStyle = colours.faint;
    if (is_heard) for (const note of take.lost) outline(content.notes, note, [2, 2], 0.8);
  });
  context.restore();
}

/** Draw the planned texture of each bar as a block: its height shows the number of notes, its place their mean pitch. */
function drawTextures({ context, content, lanes, view, part_colours, colours }) {
  const [first, last] = visibleBars(content, view);
  (content.textures ?? []).forEach((bars, part) => {
    const lane = lanes[part];
    const most = Math.max(1, ...bars.map((bar) => bar?.notes ?? 0));
    if (!lane || !isSeen(lane, view)) return;
    for (let at = first; at <= last; at++) {
      const planned = bars[at];
      if (!planned) continue;
      const bar = content.bars[at];
      const left = xOf(content, view, bar.tick) + 2;
      const width = (bar.ticks / content.ticks_per_beat) * view.beat_px - 4;
      const share = (planned.notes ?? most / 2) / most;
      const height = Math.max(8, share * Math.min(48, (lane.height - lane.head_px) * 0.6));
      const low = lane.top + lane.head_px - view.top_px;
      const middle = planned.pitch === null ? low + (lane.height - lane.head_px) / 2 : yOf(lane, view, Math.round(planned.pitch)) + lane.row_px / 2;
      const top = Math.max(low + 1, Math.min(low + lane.height - lane.head_px - height - 1, middle - height / 2));
      context.fillStyle = part_colours[part];
      context.globalAlpha = content.notes.pitch.length ? 0.16 : 0.22 + 0.4 * share;
      context.beginPath();
      context.roundRect(left, top, width, height, 5);
      context.fill();
      context.globalAlpha = 1;
      if (width > 26 && !content.notes.pitch.length) label(context, `${planned.notes ?? "?"}`, left + 6, top + height / 2, colours.text, 11);
    }
  });
}

function drawLocks({ context, content, lanes, view, colours, state }) {
  const locks = state.song?.locks ?? [];
  if (!locks.length || state.stage !== "song") return;
  const [first, last] = visibleBars(content, view);
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  for (const lane of lanes) {
    if (!isSeen(lane, view)) continue;
    for (let at = first; at <= last; at++) {
      const bar = content.bars[at];
      if (!isLocked(locks, lane.part, bar.number)) continue;
      const left = xOf(content, view, bar.tick);
      const width = (bar.ticks / content.ticks_per_beat) * view.beat_px;
      hatch(context, left, lane.top + lane.head_px - view.top_px, width, lane.height - lane.head_px);
    }
  }
}

function hatch(context, left, top, width, height) {
  context.save();
  context.globalAlpha = 0.35;
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.beginPath();
  for (let x = -height; x < width; x += 12) {
    context.moveTo(left + x, top + height);
    context.lineTo(left + x + height, top);
  }
  context.stroke();
  context.restore();
}

/** Draw what changes often: the selected region, the marquee and the playhead. */
export function drawOverlay({ context, content, lanes, view, colours, state }, { marquee, tick, has_focus }) {
  context.clearRect(0, 0, view.width_px, view.height_px);
  if (state.region && !state.chosen.size) drawRegion({ context, content, lanes, view, colours }, state.region, has_focus, !state.takes);
  if (marquee) {
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.strokeRect(marquee.left + 0.5, marquee.top + 0.5, marquee.width, marquee.height);
  }
  const x = xOf(content, view, tick);
  context.fillStyle = colours.accent;
  if (x >= 0 && x <= view.width_px) context.fillRect(Math.round(x) - 1, 0, 2, view.height_px);
}

function drawRegion({ context, content, lanes, view, colours }, region, has_focus, is_filled) {
  const last = content.bars[region.bars[1]];
  const left = xOf(content, view, content.bars[region.bars[0]].tick);
  const width = xOf(content, view, last.tick + last.ticks) - left;
  for (const part of region.parts) {
    const lane = lanes[part];
    if (!lane) continue;
    const top = lane.top + lane.head_px - view.top_px;
    const height = lane.height - lane.head_px;
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.14;
    if (is_filled) context.fillRect(left, top, width, height);
    context.globalAlpha = 1;
    context.strokeStyle = colours.accent;
    context.lineWidth = has_focus ? 3 : 1.5;
    context.strokeRect(left + 1, top + 1, width - 2, height - 2);
  }
}

/** Draw a line for each note of one part; its height is the velocity. */
export function drawVelocities({ context, content, index, view, colours, part_colours, state }, part, height) {
  context.fillStyle = colours.page;
  context.fillRect(0, 0, view.width_px, height);
  const { notes } = content;
  const [first, last] = visibleBars(content, view);
  for (const share of [0.25, 0.5, 0.75]) {
    context.fillStyle = colours.beat;
    context.fillRect(0, Math.round(height * share), view.width_px, 1);
  }
  eachNoteIn(index, first, last, (note) => {
    if (notes.part[note] !== part || barAt(content.bars, notes.onset_ticks[note]) < first) return;
    const tall = (notes.velocity[note] / 127) * (height - 8);
    const x = Math.round(xOf(content, view, notes.onset_ticks[note]));
    context.fillStyle = state.chosen.has(note) ? colours.select : part_colours[part];
    context.fillRect(x, height - tall, 2, tall);
    context.fillRect(x - 2, height - tall - 2, 6, 4);
  });
}
