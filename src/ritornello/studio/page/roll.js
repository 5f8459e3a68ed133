/** The piano roll: canvases that show the state; those that changed are drawn again, at most once a frame. */
import { barAt } from "./notes.js";
import { fittingRow, layLanes, lanesHeight, songWidth, xOf } from "./layout.js";
import { drawOverlay, drawPitchNames, drawRoll, drawVelocities } from "./draw.js";
import { drawRuler, rulerHeight } from "./draw_ruler.js";
import { isLight, partColours, themeColours } from "./colours.js";
import { h } from "./dom.js";

export const VELOCITIES_PX = 64;
const NARROW_PX = 700;
export const ROW_STEPS = [3, 4, 5, 6, 8, 10, 12, 14, 18, 22];
const MAX_FRAMES = 2000;

/**
 * Create the roll in an element. The result has the canvases, the current layout, and functions to scroll and to redraw.
 * @param {HTMLElement} stage
 * @param {ReturnType<import("./state.js").createStore>} store
 */
export function createRoll(stage, store) {
  const ruler = h("canvas", { id: "ruler", role: "img", aria: { label: "Bars, sections and chords" } });
  const notes = h("canvas", { class: "notes", aria: { hidden: true } });
  const over = h("canvas", { class: "over", aria: { hidden: true } });
  const pile = h("div", { class: "pile" }, notes, over);
  const spacer = h("div", { class: "spacer" }, pile);
  const scroller = h("div", { id: "roll", class: "scroller", tabIndex: 0, role: "application", aria: { label: "Piano roll", describedby: "roll-text roll-help", roledescription: "piano roll" } }, spacer);
  const velocities = h("canvas", { id: "velocities", role: "img", aria: { label: "Velocities of the notes of the part" } });
  const lanes_box = h("div", { id: "lanes", role: "group", aria: { label: "Parts" } });
  const text = h("p", { id: "roll-text", class: "hidden" });
  const help = h("p", { id: "roll-help", class: "hidden" }, "Arrow keys choose a bar and a part, with Shift they extend the selection. Enter goes to the notes of the bar. Press question mark for all keys.");
  const corner = h("div", { id: "corner", aria: { hidden: true } }, ...["Bar", "Section", "Chord", "Notes"].map((word) => h("span", {}, word)));
  const velocity_head = h("div", { id: "velocity-head" }, "Velocity");
  stage.append(corner, ruler, lanes_box, scroller, velocity_head, velocities, text, help);

  const roll = {
    stage, ruler, scroller, over, notes, velocities, lanes_box, corner, text,
    lanes: [], view: view(), marquee: null, frame_times: [], dirty: new Set(), tick: 0, is_narrow: false,
    invalidate, layOut, scrollTo, showTick, scene,
  };
  let frame = 0;
  let colours = themeColours();
  let spacer_size = "";
  const contexts = new Map([ruler, notes, over, velocities].map((canvas) => [canvas, canvas.getContext("2d", { alpha: canvas === over })]));

  function view() {
    const state = store.get();
    return { ...state.view, left_px: scroller?.scrollLeft ?? 0, top_px: scroller?.scrollTop ?? 0, width_px: scroller?.clientWidth ?? 0, height_px: scroller?.clientHeight ?? 0 };
  }

  /** Draw "notes", "ruler", "over" or "velocities" (default: all) again in the next frame. */
  function invalidate(...what) {
    for (const each of what.length ? what : ["notes", "ruler", "over", "velocities"]) roll.dirty.add(each);
    if (!frame) frame = requestAnimationFrame(draw);
  }

  /** Compute the lanes, the scrollable size and the sizes of the canvases. */
  function layOut() {
    const state = store.get();
    if (!state.content) return;
    roll.is_narrow = stage.clientWidth < NARROW_PX;
    const head_px = roll.is_narrow ? 26 : 0;
    stage.classList.toggle("narrow", roll.is_narrow);
    stage.style.setProperty("--ruler", `${rulerHeight(state.content.parts.length)}px`);
    const row_px = state.view.is_fitted ? fittingRow(state.content, scroller.clientHeight - 2, head_px) : state.view.row_px;
    roll.lanes = layLanes(state.content, row_px, head_px);
    roll.row_px = row_px;
    const size = [Math.max(scroller.clientWidth, songWidth(state.content, state.view) + 120), Math.max(scroller.clientHeight, lanesHeight(roll.lanes))];
    if (String(size) !== spacer_size) {
      spacer_size = String(size);
      spacer.style.width = `${size[0]}px`;
      spacer.style.height = `${size[1]}px`;
    }
    for (const canvas of [notes, over]) fit(canvas, scroller.clientWidth, scroller.clientHeight);
    fit(ruler, scroller.clientWidth, rulerHeight(state.content.parts.length));
    fit(velocities, scroller.clientWidth, VELOCITIES_PX);
    invalidate();
  }

  function fit(canvas, width, height) {
    const ratio = devicePixelRatio || 1;
    if (canvas.width === Math.round(width * ratio) && canvas.height === Math.round(height * ratio)) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    contexts.get(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** The arguments of the functions that draw on a canvas. */
  function scene(canvas) {
    const state = store.get();
    roll.view = view();
    return { context: contexts.get(canvas), content: state.content, index: state.index, lanes: roll.lanes, view: roll.view, colours, part_colours: roll.part_colours, state };
  }

  function draw() {
    frame = 0;
    const state = store.get();
    const dirty = roll.dirty;
    roll.dirty = new Set();
    if (!state.content || !roll.lanes.length || !scroller.clientWidth) return;
    const start = performance.now();
    if (dirty.has("notes")) {
      drawRoll(scene(notes));
      drawPitchNames(scene(notes));
    }
    if (dirty.has("ruler")) drawRuler(scene(ruler));
    if (dirty.has("velocities")) drawVelocities(scene(velocities), state.cursor.part, VELOCITIES_PX);
    if (dirty.has("over")) drawOverlay(scene(over), { marquee: roll.marquee, tick: roll.tick, has_focus: scroller.matches(":focus-visible") });
    roll.frame_times.push(performance.now() - start);
    if (roll.frame_times.length > MAX_FRAMES) roll.frame_times.shift();
  }

  /** Scroll until a bar and a part are visible. */
  function scrollTo(bar, part) {
    const { content } = store.get();
    const x = xOf(content, view(), content.bars[bar].tick);
    if (x < 0 || x > scroller.clientWidth - 60) scroller.scrollLeft += x - 60;
    const lane = roll.lanes[part];
    if (!lane) return;
    if (lane.top < scroller.scrollTop) scroller.scrollTop = lane.top;
    else if (lane.top + lane.height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = lane.top + Math.min(0, lane.height - scroller.clientHeight);
  }

  /** Move the playhead to a tick; with `is_followed`, scroll when the playhead leaves the roll. */
  function showTick(tick, is_followed) {
    roll.tick = tick;
    const { content } = store.get();
    if (content && is_followed) {
      const x = xOf(content, view(), tick);
      if (x < 0 || x > scroller.clientWidth - 24) scroller.scrollLeft += x - 24;
    }
    invalidate("over");
  }

  function recolour() {
    colours = themeColours();
    const { content } = store.get();
    if (content) roll.part_colours = partColours(content.parts, isLight());
    stage.dispatchEvent(new CustomEvent("recolour"));
    invalidate();
  }

  scroller.addEventListener("scroll", () => {
    lanes_box.firstElementChild?.style.setProperty("transform", `translateY(${-scroller.scrollTop}px)`);
    invalidate();
  });
  scroller.addEventListener("focus", () => invalidate("over"));
  scroller.addEventListener("blur", () => invalidate("over"));
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", recolour);
  addEventListener("themechange", recolour);
  new ResizeObserver(() => layOut()).observe(scroller);
  store.subscribe((state, before) => {
    if (state.content?.parts !== before.content?.parts) roll.part_colours = state.content ? partColours(state.content.parts, isLight()) : [];
    const is_new = state.content !== before.content || state.view !== before.view;
    if (is_new) layOut();
    else if (state.takes !== before.takes || state.chosen !== before.chosen || state.song?.locks !== before.song?.locks || state.stage !== before.stage) invalidate();
    else if (state.region !== before.region || state.transport.loop !== before.transport.loop) invalidate("over", "ruler");
    if (state.cursor.part !== before.cursor.part) invalidate("velocities");
    if (state.content && !state.transport.is_playing && state.transport.tick !== before.transport.tick) showTick(state.transport.tick, false);
  });
  return roll;
}

/** Change the width of a beat around a point of the roll, so that this point stays. */
export function zoom(roll, store, factor, x = roll.scroller.clientWidth / 2) {
  const { beat_px } = store.get().view;
  const next = Math.min(240, Math.max(2, beat_px * factor));
  const at = (roll.scroller.scrollLeft + x) / beat_px;
  store.dispatch({ type: "view", values: { beat_px: next } });
  roll.scroller.scrollLeft = at * next - x;
}

/** Show the whole song, or at least bars that are wide enough to be read. */
export function fitSong(roll, store, least_px = 9) {
  const { content, view } = store.get();
  if (!content) return;
  const beats = songWidth(content, { beat_px: 1 });
  const beat_px = Math.min(64, Math.max(least_px, (roll.scroller.clientWidth - 24) / beats));
  store.dispatch({ type: "view", values: { ...view, beat_px, is_fitted: true } });
  roll.scroller.scrollLeft = 0;
}

/** Make lanes higher (1) or lower (-1). */
export function heighten(roll, store, by) {
  const now = roll.row_px ?? 6;
  const next = by > 0 ? ROW_STEPS.find((step) => step > now + 0.01) : [...ROW_STEPS].reverse().find((step) => step < now - 0.01);
  store.dispatch({ type: "view", values: { row_px: next ?? now, is_fitted: false } });
}

/** The bar (index) at a tick of the song that is shown. */
export const barOf = (store, tick) => barAt(store.get().content.bars, tick);
