/** The keyboard: it can do all that the mouse can do in the roll, and has shortcuts for the page. */
import { addNotes, changeVelocities, deleteNotes, moveNotes, notesInRegion, stretchNotes } from "./notes.js";
import { drumName, pitchName } from "./layout.js";
import { notesToEdit, partName, selectionText } from "./state.js";
import { h, openDialog, say } from "./dom.js";

/** The list of keys: sections, each with keys and what they do. */
export const KEYS = [
  ["Everywhere", [
    ["Space", "play or stop"], ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"], ["?", "this list"], ["1-4, 0", "hear take 1-4, or the song as it is"],
    ["Enter (with takes)", "accept the take that is heard"], ["Alt+1 ... Alt+4", "the tabs Compose, Redo, History, Learn"], ["F6", "from the roll to the panel and back"],
  ]],
  ["In the roll: bars and parts", [
    ["← →", "the bar before, the next bar"], ["↑ ↓", "the part above, below"], ["Shift+arrows", "extend the selection"], ["Ctrl+A", "select all bars and parts"],
    ["Enter", "go to the notes of the bar"], ["N", "draw a note at the start of the bar, or after the selected note"], ["Home, End", "the first, the last bar"],
    ["L", "loop the selected bars; again: no loop"], ["K", "lock or unlock the selected bars of the parts"], ["R", "compose the selection again"],
    ["M, S", "mute, solo the part"], ["B, C", "metronome, count-in"], ["D, V", "draw, select with the mouse"], ["+ −, F", "zoom in, out, show the whole song"], ["Alt+↑ ↓", "higher, lower lanes"],
  ]],
  ["In the roll: notes", [
    ["← →", "the note before, the next note"], ["↑ ↓", "a semitone up, down; with Shift an octave"], ["Alt+← →", "earlier, later by a step of the grid"],
    ["Alt+Shift+← →", "shorter, longer"], ["Ctrl+↑ ↓", "louder, softer"], ["Delete", "delete"], ["Esc", "back to bars and parts"],
  ]],
];

/** Show the list of keys. */
export function showKeys() {
  const rows = (keys) => h("dl", { class: "keys" }, ...keys.flatMap(([key, words]) => [h("dt", {}, key), h("dd", {}, words)]));
  openDialog("Keys", h("div", { class: "key-lists" }, ...KEYS.map(([title, keys]) => h("section", {}, h("h3", {}, title), rows(keys)))));
}

const isTyping = (element) => element.matches?.("input, select, textarea, [contenteditable]") && !["checkbox", "range", "button"].includes(element.type);

/** Listen to the keyboard; `actions` are functions of the page by name. */
export function listenToKeys(roll, store, session, actions) {
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const key = keyText(event);
    const is_in_roll = event.target === roll.scroller;
    const typing = isTyping(event.target);
    const work = (is_in_roll && inRoll(key)) || (!typing && everywhere(key, event.target)) || always(key);
    if (!work) return;
    event.preventDefault();
    work();
  });

  const always = (key) => {
    const tab = /^Alt\+([1-4])$/.exec(key);
    if (tab) return () => actions.tab(["compose", "redo", "history", "learn"][Number(tab[1]) - 1]);
    if (key === "F6") return actions.switchFocus;
    return null;
  };

  const everywhere = (key, target) => {
    const on_button = target.matches?.("button, a, summary, input, [role=tab]");
    const { takes } = store.get();
    const plain = {
      " ": on_button ? null : actions.play, "Ctrl+z": session.undo, "Ctrl+Shift+Z": session.redo, "Ctrl+y": session.redo, "?": showKeys, "Shift+?": showKeys,
      Enter: takes && !on_button ? actions.accept : null,
    };
    if (/^[0-4]$/.test(key) && takes) return () => actions.hearTake(Number(key));
    return plain[key];
  };

  const inRoll = (key) => {
    const state = store.get();
    if (!state.content) return null;
    if (state.chosen.size && NOTE_KEYS[key]) return () => NOTE_KEYS[key](state);
    if (BAR_KEYS[key]) return () => BAR_KEYS[key](state);
    return null;
  };

  const step = (state) => Math.max(1, Math.round(state.view.grid * state.content.ticks_per_beat));
  const edit = (state, notes, action) => session.edit(notes, action, state.chosen);
  const chosen = (state) => [...state.chosen];
  const counted = (state) => `${state.chosen.size} ${state.chosen.size === 1 ? "note" : "notes"}`;
  const shift = (ticks, semitones) => (state) => state.stage === "song" && edit(state, moveNotes(state.content.notes, chosen(state), ticks * step(state), semitones), `move ${counted(state)}`);
  const stretch = (by) => (state) => state.stage === "song" && edit(state, stretchNotes(state.content.notes, chosen(state), by * step(state), step(state)), `stretch ${counted(state)}`);
  const louder = (by) => (state) => edit(state, changeVelocities(state.content.notes, chosen(state), by), `make ${counted(state)} ${by > 0 ? "louder" : "softer"}`);

  function nextNote(by) {
    return (state) => {
      const { notes, bars } = state.content;
      const order = notesInRegion(notes, state.index, { bars: [0, bars.length - 1], parts: [state.cursor.part] });
      const at = order.indexOf(chosen(state)[by > 0 ? state.chosen.size - 1 : 0]);
      chooseNote(order[Math.max(0, Math.min(order.length - 1, at + by))]);
    };
  }

  function chooseNote(note) {
    if (note === undefined) return say("No note here.");
    store.dispatch({ type: "choose", notes: [note] });
    const state = store.get();
    const { notes } = state.content;
    const bar = actions.barOf(notes.onset_ticks[note]);
    store.dispatch({ type: "set", values: { cursor: { bar, part: notes.part[note] } } });
    roll.scrollTo(bar, notes.part[note]);
    actions.audition(notes.part[note], notes.pitch[note], notes.velocity[note]);
    say(noteText(store.get(), note));
    return undefined;
  }

  const NOTE_KEYS = {
    ArrowLeft: nextNote(-1), ArrowRight: nextNote(1), ArrowUp: shift(0, 1), ArrowDown: shift(0, -1), "Shift+ArrowUp": shift(0, 12), "Shift+ArrowDown": shift(0, -12),
    "Alt+ArrowLeft": shift(-1, 0), "Alt+ArrowRight": shift(1, 0), "Alt+Shift+ArrowLeft": stretch(-1), "Alt+Shift+ArrowRight": stretch(1),
    "Ctrl+ArrowUp": louder(8), "Ctrl+ArrowDown": louder(-8), Delete: remove, Backspace: remove,
    Escape: (state) => moveCursor(state.cursor.bar, state.cursor.part, false),
  };

  function remove(state) {
    const gone = notesToEdit(state);
    if (gone.length && state.stage === "song") session.edit(deleteNotes(state.content.notes, gone), `delete ${gone.length} ${gone.length === 1 ? "note" : "notes"}`, []);
  }

  function moveCursor(bar, part, extend) {
    store.dispatch({ type: "cursor", bar, part, extend });
    const { cursor } = store.get();
    roll.scrollTo(cursor.bar, cursor.part);
    say(`${selectionText(store.get())}.`);
  }
  const move = (bars, parts, extend = false) => ({ cursor }) => moveCursor(cursor.bar + bars, cursor.part + parts, extend);

  function draw(state) {
    if (state.stage !== "song") return;
    const { notes, bars } = state.content;
    const last = chosen(state).pop();
    const bar = bars[state.cursor.bar];
    const onset_ticks = last === undefined ? bar.tick : notes.onset_ticks[last] + notes.duration_ticks[last];
    const near = notesInRegion(notes, state.index, { bars: [0, bars.length - 1], parts: [state.cursor.part] })[0];
    const pitch = last !== undefined ? notes.pitch[last] : near !== undefined ? notes.pitch[near] : 60;
    const added = addNotes(notes, [{ part: state.cursor.part, pitch, velocity: 84, onset_ticks, duration_ticks: step(state) }]);
    session.edit(added, "draw a note", [added.pitch.length - 1]);
    actions.audition(state.cursor.part, pitch, 84);
  }

  const BAR_KEYS = {
    ArrowLeft: move(-1, 0), ArrowRight: move(1, 0), ArrowUp: move(0, -1), ArrowDown: move(0, 1),
    "Shift+ArrowLeft": move(-1, 0, true), "Shift+ArrowRight": move(1, 0, true), "Shift+ArrowUp": move(0, -1, true), "Shift+ArrowDown": move(0, 1, true),
    Home: (state) => moveCursor(0, state.cursor.part, false), End: (state) => moveCursor(state.content.bars.length - 1, state.cursor.part, false),
    "Ctrl+a": (state) => store.dispatch({ type: "region", region: { bars: [0, state.content.bars.length - 1], parts: state.content.parts.map((_, part) => part) } }),
    Enter: (state) => (state.takes ? actions.accept() : chooseNote(notesInRegion(state.content.notes, state.index, { bars: [state.cursor.bar, state.cursor.bar], parts: [state.cursor.part] })[0])),
    Escape: () => store.dispatch({ type: "region", region: null }), Delete: remove, Backspace: remove,
    n: draw, l: () => actions.loopSelection(), k: () => actions.lockSelection(), r: () => actions.tab("redo"),
    m: (state) => actions.toggle(state.cursor.part, "mute"), s: (state) => actions.toggle(state.cursor.part, "solo"), b: () => actions.metronome(), c: () => actions.countIn(),
    d: () => actions.tool("draw"), v: () => actions.tool("select"), "+": () => actions.zoom(1.25), "=": () => actions.zoom(1.25), "-": () => actions.zoom(0.8), f: () => actions.fit(),
    "Alt+ArrowUp": () => actions.heighten(1), "Alt+ArrowDown": () => actions.heighten(-1),
  };
}

/** The name of a key with its modifiers, such as "Ctrl+Shift+Z"; Cmd counts as Ctrl. */
function keyText(event) {
  const is_plain_character = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  const parts = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey && !is_plain_character ? "Shift" : ""];
  const key = event.key.length === 1 && !is_plain_character && event.shiftKey ? event.key.toUpperCase() : event.key;
  return [...parts.filter(Boolean), key].join("+");
}

/** A note in words: "C4, piano, bar 3, beat 2, 1 beats, velocity 84". */
export function noteText({ content }, note) {
  const { notes } = content;
  const bar = content.bars.findLast((item) => item.tick <= notes.onset_ticks[note]) ?? content.bars[0];
  const beat = ((notes.onset_ticks[note] - bar.tick) / content.ticks_per_beat) * (bar.denominator / 4) + 1;
  const is_drums = content.parts[notes.part[note]].is_drums;
  const length = notes.duration_ticks[note] / content.ticks_per_beat;
  return `${is_drums ? drumName(notes.pitch[note]) : pitchName(notes.pitch[note])}, ${partName(content, notes.part[note])}, bar ${bar.number}, beat ${+beat.toFixed(2)}, ${+length.toFixed(2)} beats, velocity ${notes.velocity[note]}`;
}

