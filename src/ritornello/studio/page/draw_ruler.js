/** Draw the ruler above the roll. */
import { visibleBars, xOf } from "./layout.js";

export const RULER = { numbers_px: 20, sections_px: 18, chords_px: 20, texture_row_px: 5 };
export const FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";
/** The height of the ruler in pixels, for a number of parts. */
export const rulerHeight = (parts) => RULER.numbers_px + RULER.sections_px + RULER.chords_px + Math.min(parts, 8) * RULER.texture_row_px + 6;

/** Draw a text whose middle is at `y`. */
export function label(context, text, x, y, colour, size = 11, weight = "") {
  context.font = `${weight} ${size}px ${FONT}`;
  context.fillStyle = colour;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillText(text, x, y);
}

/** Draw bar numbers, sections, chords and the number of notes of each part in each bar; mark the loop and the selection. */
export function drawRuler(scene) {
  const { context, content, view, colours, state } = scene;
  const height = rulerHeight(content.parts.length);
  context.fillStyle = colours.page;
  context.fillRect(0, 0, view.width_px, height);
  const [first, last] = visibleBars(content, view);
  drawLoop(scene, height);
  const bar_px = (content.bars[first].ticks / content.ticks_per_beat) * view.beat_px;
  const step = [1, 2, 4, 8, 16, 32].find((count) => count * bar_px > 34) ?? 64;
  for (let at = first; at <= last; at++) {
    const bar = content.bars[at];
    const x = Math.round(xOf(content, view, bar.tick));
    if ((bar.number - 1) % step && bar.number !== 0) continue;
    context.fillStyle = colours.bar;
    context.fillRect(x, 0, 1, RULER.numbers_px);
    const is_selected = state.region && at >= state.region.bars[0] && at <= state.region.bars[1];
    label(context, `${bar.number}`, x + 5, RULER.numbers_px / 2 + 1, is_selected ? colours.accent : colours.faint, 11, is_selected ? "bold" : "");
  }
  drawSections(scene);
  drawChords(scene);
  drawActivity(scene, first, last);
}

function drawLoop({ context, content, view, colours, state }) {
  const loop = state.transport.loop;
  if (!loop) return;
  const from = xOf(content, view, content.bars[loop[0]].tick);
  const to = xOf(content, view, content.bars[loop[1]].tick + content.bars[loop[1]].ticks);
  context.fillStyle = colours.accent;
  context.globalAlpha = 0.3;
  context.fillRect(from, 0, to - from, RULER.numbers_px);
  context.globalAlpha = 1;
  context.fillRect(from, RULER.numbers_px - 3, to - from, 3);
}

function drawSections({ context, content, view, colours }) {
  const top = RULER.numbers_px;
  (content.sections ?? []).forEach((section, at) => {
    const next = content.sections[at + 1];
    const bar = content.bars[section.bar];
    const end = next ? content.bars[next.bar].tick : content.bars[content.bars.length - 1].tick + content.bars[content.bars.length - 1].ticks;
    const [left, right] = [xOf(content, view, bar.tick) + 1, xOf(content, view, end) - 1];
    if (right < 0 || left > view.width_px) return;
    context.fillStyle = colours.octave;
    context.beginPath();
    context.roundRect(left, top + 1, Math.max(2, right - left), RULER.sections_px - 3, 4);
    context.fill();
    if (right - left > 14) label(context, section.letter, Math.max(left, 0) + 6, top + RULER.sections_px / 2, colours.text, 11, "bold");
  });
}

function drawChords({ context, content, view, colours }) {
  const y = RULER.numbers_px + RULER.sections_px + RULER.chords_px / 2;
  let free = -Infinity;
  context.font = `12px ${FONT}`;
  for (const chord of content.chords ?? []) {
    const x = xOf(content, view, chord.tick) + 4;
    if (x > view.width_px) break;
    if (x < free || x < -60) continue;
    label(context, chord.name, x, y, colours.text, 12);
    free = x + context.measureText(chord.name).width + 5;
  }
}

/** Draw a strip for each part; the more notes a bar has, the stronger is the colour. */
function drawActivity({ context, content, index, view, part_colours, lanes, state }, first, last) {
  const top = RULER.numbers_px + RULER.sections_px + RULER.chords_px;
  const counts = countNotes(content, index, state.stage);
  lanes.slice(0, 8).forEach((lane, row) => {
    const most = Math.max(1, ...counts[lane.part]);
    context.fillStyle = part_colours[lane.part];
    for (let at = first; at <= last; at++) {
      const share = counts[lane.part][at] / most;
      if (!share) continue;
      const bar = content.bars[at];
      context.globalAlpha = 0.25 + 0.75 * share;
      context.fillRect(xOf(content, view, bar.tick) + 1, top + row * RULER.texture_row_px, (bar.ticks / content.ticks_per_beat) * view.beat_px - 2, RULER.texture_row_px - 2);
    }
  });
  context.globalAlpha = 1;
}

const COUNTS = new WeakMap(); // index: notes of each part and bar, computed once for each edit

function countNotes(content, index, stage) {
  if (stage === "sketch") return (content.textures ?? []).map((bars) => bars.map((bar) => bar?.notes ?? 0));
  if (!COUNTS.has(index)) {
    const counts = content.parts.map(() => new Array(content.bars.length).fill(0));
    for (let bar = 0; bar < content.bars.length; bar++) {
      for (let at = index.starts[bar]; at < index.starts[bar + 1]; at++) counts[content.notes.part[index.order[at]]][bar]++;
    }
    COUNTS.set(index, counts);
  }
  return COUNTS.get(index);
}
