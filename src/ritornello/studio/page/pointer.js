/** Mouse, pen and touch in the roll: select, move, stretch and draw notes, set velocities and the loop, zoom. */
import { addNotes, barAt, changeNotes, deleteNotes, moveNotes, stretchNotes } from "./notes.js";
import { laneAt, noteAt, noteBox, onGrid, pitchAt, regionBetween, tickAt } from "./layout.js";
import { VELOCITIES_PX, zoom } from "./roll.js";

const CLICK_PX = 4;
const LONG_PRESS_MS = 350;

/** The point of an event in an element, in pixels. */
const pointOf = (event, element) => {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
};

/** Listen to pointers in the roll. `session` saves edits, `audition(part, pitch, velocity)` sounds a note. */
export function listenToPointer(roll, store, session, audition) {
  const { scroller, over } = roll;
  let drag = null;
  let press_timer = 0;

  const step = () => Math.max(1, Math.round(store.get().view.grid * store.get().content.ticks_per_beat));
  const under = (point) => noteAt(store.get().content, store.get().index, roll.lanes, roll.scene(over).view, point.x, point.y);

  scroller.addEventListener("pointerdown", (event) => {
    const state = store.get();
    if (!state.content || event.button !== 0 || event.target === scroller || state.stage === "streaming") return;
    const point = pointOf(event, over);
    scroller.focus({ preventScroll: true });
    if (event.pointerType === "touch") {
      press_timer = setTimeout(() => begin(point, event), LONG_PRESS_MS);
      drag = { kind: "tap", from: point };
      return;
    }
    begin(point, event);
    event.preventDefault();
  });

  function begin(point, event) {
    const state = store.get();
    const found = state.stage === "song" ? under(point) : null;
    over.setPointerCapture?.(event.pointerId);
    if (found) return beginNote(found, point, event);
    if (state.view.tool === "draw" && state.stage === "song") return beginDrawing(point);
    drag = { kind: "select", from: point, is_added: event.ctrlKey || event.metaKey || event.shiftKey };
    return undefined;
  }

  function beginNote({ note, is_end }, point, event) {
    const { chosen, content } = store.get();
    const is_more = event.ctrlKey || event.metaKey || event.shiftKey;
    if (is_more) store.dispatch({ type: "choose", notes: chosen.has(note) ? [...chosen].filter((other) => other !== note) : [...chosen, note] });
    else if (!chosen.has(note)) store.dispatch({ type: "choose", notes: [note] });
    const { notes } = content;
    drag = { kind: is_end ? "stretch" : "move", from: point, before: notes, pitch: notes.pitch[note], note };
    if (!is_end) audition(notes.part[note], notes.pitch[note], notes.velocity[note]);
  }

  function beginDrawing(point) {
    const { content } = store.get();
    const view = roll.scene(over).view;
    const lane = laneAt(roll.lanes, view, point.y);
    const pitch = pitchAt(lane, view, point.y);
    const onset_ticks = onGrid(tickAt(content, view, point.x), step(), false);
    const notes = addNotes(content.notes, [{ part: lane.part, pitch, velocity: 84, onset_ticks, duration_ticks: step() }]);
    const note = notes.pitch.length - 1;
    store.dispatch({ type: "edit", notes, chosen: [note] });
    audition(lane.part, pitch, 84);
    drag = { kind: "draw", from: point, before: notes, note, has_moved: true };
  }

  scroller.addEventListener("pointermove", (event) => {
    const point = pointOf(event, over);
    if (!drag) return hover(point, event);
    const far = Math.hypot(point.x - drag.from.x, point.y - drag.from.y) > CLICK_PX;
    if (drag.kind === "tap") {
      if (far) cancelTap();
      return;
    }
    if (!far && !drag.has_moved) return;
    drag.has_moved = true;
    DRAGS[drag.kind]?.(point);
  });

  function cancelTap() {
    clearTimeout(press_timer);
    drag = null;
  }

  function hover(point, event) {
    if (event.pointerType === "touch" || !store.get().content || !roll.lanes.length) return;
    const found = store.get().stage === "song" ? under(point) : null;
    over.style.cursor = found ? (found.is_end ? "ew-resize" : "grab") : store.get().view.tool === "draw" ? "crosshair" : "cell";
  }

  const ticksBetween = (point) => onGridSigned(((point.x - drag.from.x) / store.get().view.beat_px) * store.get().content.ticks_per_beat, step());
  const DRAGS = {
    select(point) {
      const [left, right] = [drag.from.x, point.x].sort((a, b) => a - b);
      const [top, bottom] = [drag.from.y, point.y].sort((a, b) => a - b);
      roll.marquee = { left, top, width: right - left, height: bottom - top };
      store.dispatch({ type: "region", region: regionBetween(store.get().content, roll.lanes, roll.scene(over).view, drag.from, point) });
      roll.invalidate("over");
    },
    move(point) {
      const view = roll.scene(over).view;
      const lane = roll.lanes[drag.before.part[drag.note]];
      const semitones = pitchAt(lane, view, point.y) - pitchAt(lane, view, drag.from.y);
      const notes = moveNotes(drag.before, [...store.get().chosen], ticksBetween(point), semitones);
      if (notes.pitch[drag.note] !== drag.pitch) audition(notes.part[drag.note], notes.pitch[drag.note], notes.velocity[drag.note]);
      drag.pitch = notes.pitch[drag.note];
      store.dispatch({ type: "edit", notes });
    },
    stretch(point) {
      store.dispatch({ type: "edit", notes: stretchNotes(drag.before, [...store.get().chosen], ticksBetween(point), Math.min(step(), 6)) });
    },
    draw(point) {
      const to = onGrid(tickAt(store.get().content, roll.scene(over).view, point.x), step(), false) + step();
      const duration_ticks = Math.max(step(), to - drag.before.onset_ticks[drag.note]);
      store.dispatch({ type: "edit", notes: changeNotes(drag.before, [drag.note], () => ({ duration_ticks })) });
    },
  };

  scroller.addEventListener("pointerup", (event) => {
    clearTimeout(press_timer);
    const ended = drag;
    drag = null;
    roll.marquee = null;
    roll.invalidate("over");
    if (!ended) return;
    const { content, chosen } = store.get();
    const count = `${chosen.size} ${chosen.size === 1 ? "note" : "notes"}`;
    if (ended.kind === "draw") session.edit(content.notes, "draw a note", chosen);
    else if (ended.has_moved && ended.kind === "move") session.edit(content.notes, `move ${count}`, chosen);
    else if (ended.has_moved && ended.kind === "stretch") session.edit(content.notes, `stretch ${count}`, chosen);
    else if (!ended.has_moved && (ended.kind === "select" || ended.kind === "tap")) choosePoint(pointOf(event, over), ended.is_added);
  });
  scroller.addEventListener("pointercancel", () => {
    cancelTap();
    roll.marquee = null;
  });

  /** Handle a click: select the note at the point, or else the bar of the part there. */
  function choosePoint(point, is_added) {
    const { content, region, stage } = store.get();
    const view = roll.scene(over).view;
    const found = stage === "song" && under(point);
    if (found) return store.dispatch({ type: "choose", notes: [found.note] });
    const cell = regionBetween(content, roll.lanes, view, point, point);
    if (!is_added || !region) return store.dispatch({ type: "region", region: cell });
    const bars = [Math.min(region.bars[0], cell.bars[0]), Math.max(region.bars[1], cell.bars[1])];
    return store.dispatch({ type: "region", region: { bars, parts: [...new Set([...region.parts, ...cell.parts])].sort((a, b) => a - b) } });
  }

  scroller.addEventListener("dblclick", (event) => {
    const state = store.get();
    const found = state.stage === "song" && state.content && under(pointOf(event, over));
    if (found) session.edit(deleteNotes(state.content.notes, [found.note]), "delete 1 note", []);
  });
  scroller.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(roll, store, Math.exp(-event.deltaY * 0.004), pointOf(event, over).x);
  }, { passive: false });
}

const onGridSigned = (ticks, step_ticks) => Math.round(ticks / step_ticks) * step_ticks;

/** Listen to the ruler: a click moves the playhead there, a drag sets the loop. */
export function listenToRuler(roll, store, seek) {
  const { ruler } = roll;
  let from = null;
  const barUnder = (event) => barAt(store.get().content.bars, tickAt(store.get().content, roll.scene(ruler).view, pointOf(event, ruler).x));
  ruler.addEventListener("pointerdown", (event) => {
    if (!store.get().content) return;
    ruler.setPointerCapture(event.pointerId);
    from = { bar: barUnder(event), x: event.clientX, has_moved: false };
  });
  ruler.addEventListener("pointermove", (event) => {
    if (!from || (!from.has_moved && Math.abs(event.clientX - from.x) < CLICK_PX)) return;
    from.has_moved = true;
    const bars = [from.bar, barUnder(event)].sort((a, b) => a - b);
    store.dispatch({ type: "transport", values: { loop: bars } });
  });
  ruler.addEventListener("pointerup", (event) => {
    if (from && !from.has_moved) seek(store.get().content.bars[barUnder(event)].tick);
    from = null;
  });
}

/** Listen to the velocity lane: a drag sets the velocity of the note at the pointer, or of all selected notes if it is selected. */
export function listenToVelocities(roll, store, session) {
  const { velocities } = roll;
  let before = null;
  function nearest(event) {
    const { content, index, cursor } = store.get();
    const point = pointOf(event, velocities);
    const view = roll.scene(velocities).view;
    const bar = barAt(content.bars, tickAt(content, view, point.x));
    let found = null;
    for (let at = index.starts[Math.max(0, bar - 1)]; at < index.starts[Math.min(content.bars.length, bar + 2)]; at++) {
      const note = index.order[at];
      if (content.notes.part[note] !== cursor.part) continue;
      const distance = Math.abs(noteBox(content, roll.lanes, view, content.notes, note).left - point.x);
      if (distance < 9 && (!found || distance < found.distance)) found = { note, distance };
    }
    return { note: found?.note, velocity: Math.max(1, Math.min(127, Math.round((1 - point.y / VELOCITIES_PX) * 135))) };
  }
  function set(event) {
    const { note, velocity } = nearest(event);
    if (note === undefined) return;
    const { chosen, content } = store.get();
    const all = chosen.has(note) ? [...chosen] : [note];
    store.dispatch({ type: "edit", notes: changeNotes(content.notes, all, () => ({ velocity })) });
  }
  velocities.addEventListener("pointerdown", (event) => {
    const { content, stage } = store.get();
    if (!content || stage !== "song") return;
    velocities.setPointerCapture(event.pointerId);
    before = content.notes;
    set(event);
  });
  velocities.addEventListener("pointermove", (event) => before && set(event));
  velocities.addEventListener("pointerup", () => {
    const { content, chosen } = store.get();
    if (before && before !== content.notes) session.edit(content.notes, "set velocities", chosen);
    before = null;
  });
}
