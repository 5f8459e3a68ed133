/**
 * The state of the page and how actions change it. `reduce` is pure: it returns a new state.
 * Songs and versions have the fields that the server sends (studio/routes.py).
 */
import { indexByBar, findNotes, newNotes, noNotes, notesInRegion } from "./notes.js";

/** @returns {any} */
export function firstState() {
  return {
    server: null, // the answer of /api/state
    songs: [],
    song: null, // {id, name, head, mixer, locks, versions}
    content: null, // the shown version: bars, parts, notes, chords ...
    index: null, // its notes by bar (`indexByBar`)
    stage: "song", // or "sketch": only textures are shown; or "streaming": a song is being composed
    sketch: null, // the JSON of a sketch file
    options: {}, // the options with which the sketch was drawn
    view: { beat_px: 32, row_px: 6, tool: "select", grid: 0.25, is_fitted: true },
    cursor: { bar: 0, part: 0 }, // the cell that the keyboard moves
    region: null, // the selected {bars: [first, last], parts: [...]}
    chosen: new Set(), // the selected notes (indices)
    takes: null, // {parent, items: [{version, content, ghosts, originality}], audible}
    trail: [], // the heads that undo left, the latest one last
    jobs: {}, // by id
    transport: { is_playing: false, is_recording: false, loop: null, metronome: false, count_in: false, tick: 0 },
    panel: "compose",
  };
}

const withContent = (state, content) => ({ ...state, content, index: content && indexByBar(content.notes, content.bars) });

/** The mixer settings of a part, with defaults for those that were never set. */
export const channelOf = (mixer, part) => ({ volume: 1, pan: 0, mute: false, solo: false, ...(mixer?.parts?.[part] ?? {}) });

const CHANGES = {
  /** Set some values of the state. */
  set: (state, { values }) => ({ ...state, ...values }),
  view: (state, { values }) => ({ ...state, view: { ...state.view, ...values } }),
  transport: (state, { values }) => ({ ...state, transport: { ...state.transport, ...values } }),
  /** Show a version of a song; selected notes that it has stay selected. */
  open: (state, { song, content }) => {
    const is_same = state.song?.id === song.id && state.content;
    const chosen = is_same && state.chosen.size ? findNotes(state.content.notes, state.chosen, content.notes) : [];
    const cursor = is_same ? clampCursor(state.cursor, content) : { bar: 0, part: 0 };
    const kept = is_same ? { region: clampRegion(state.region, content) } : { region: null, trail: [], takes: null, transport: { ...state.transport, loop: null, tick: 0 } };
    return withContent({ ...state, ...kept, song, cursor, stage: "song", chosen: new Set(chosen) }, content);
  },
  /** Change the shown notes; they are not saved yet. */
  edit: (state, { notes, chosen }) => withContent({ ...state, chosen: new Set(chosen ?? state.chosen) }, { ...state.content, notes, is_saved: false, sound_keys: undefined }),
  /** Show a song without notes: a sketch, or a song before its first note is composed. */
  plan: (state, { content, stage }) => withContent({ ...state, stage, takes: null, region: null, chosen: new Set(), transport: { ...state.transport, loop: null, tick: 0 }, cursor: clampCursor(state.cursor, content) }, { ...content, notes: content.notes ?? noNotes() }),
  cursor: (state, { bar, part, extend }) => {
    const cursor = clampCursor({ bar, part }, state.content);
    const anchor = state.cursor.anchor ?? { bar: state.cursor.bar, part: state.cursor.part };
    if (!extend) return { ...state, cursor, region: cell(cursor), chosen: new Set() };
    return { ...state, cursor: { ...cursor, anchor }, region: spanned(anchor, cursor), chosen: new Set() };
  },
  region: (state, { region }) => ({ ...state, region, chosen: new Set(), cursor: region ? { bar: region.bars[0], part: region.parts[0] } : state.cursor }),
  choose: (state, { notes }) => {
    const chosen = new Set(notes);
    const part = notes.length ? state.content.notes.part[notes[0]] : state.cursor.part;
    return { ...state, chosen, cursor: { ...state.cursor, part } };
  },
  takes: (state, { parent, items }) => ({ ...state, takes: { parent, audible: items.length ? 1 : 0, items: items.map((take) => withGhosts(state.content, take)) } }),
  originality: (state, { id, version, originality }) => (state.song?.id !== id ? state : {
    ...state,
    song: { ...state.song, versions: state.song.versions.map((item) => (item.version === version ? { ...item, originality } : item)) },
    takes: state.takes && { ...state.takes, items: state.takes.items.map((take) => (take.version === version ? { ...take, originality } : take)) },
  }),
  audible: (state, { take }) => (state.takes && take <= state.takes.items.length ? { ...state, takes: { ...state.takes, audible: take } } : state),
  job: (state, { id, values }) => ({ ...state, jobs: { ...state.jobs, [id]: { ...state.jobs[id], ...values } } }),
};

/** The state after an action `{type, ...}`. Unknown actions throw. */
export function reduce(state, action) {
  return CHANGES[action.type](state, action);
}

const clamp = (value, high) => Math.max(0, Math.min(high, value));

function clampCursor(cursor, content) {
  return { bar: clamp(cursor.bar, content.bars.length - 1), part: clamp(cursor.part, content.parts.length - 1) };
}

function clampRegion(region, content) {
  if (!region) return null;
  const bars = region.bars.map((bar) => clamp(bar, content.bars.length - 1));
  const parts = region.parts.filter((part) => part < content.parts.length);
  return parts.length ? { bars, parts } : null;
}

const cell = ({ bar, part }) => ({ bars: [bar, bar], parts: [part] });

function spanned(a, b) {
  const [from, to] = [Math.min(a.part, b.part), Math.max(a.part, b.part)];
  return { bars: [Math.min(a.bar, b.bar), Math.max(a.bar, b.bar)], parts: Array.from({ length: to - from + 1 }, (_, at) => from + at) };
}

/** A take with its `ghosts`, which the song lacks, and its `lost` notes, which only the song has. */
function withGhosts(content, take) {
  return { ...take, ghosts: newNotes(content.notes, take.content.notes), lost: newNotes(take.content.notes, content.notes) };
}

/** The content that is played: the song, or the audible take. */
export function audibleContent(state) {
  const { takes } = state;
  return takes?.audible ? takes.items[takes.audible - 1].content : state.content;
}

/** The notes that the next edit changes: the selected ones, or all of the selected bars and parts. */
export function notesToEdit(state) {
  if (state.chosen.size) return [...state.chosen];
  return state.region ? notesInRegion(state.content.notes, state.index, state.region) : [];
}

/** The bars of a region by their printed numbers, such as "5-8" or "5". */
export function barsText(content, region) {
  const [first, last] = region.bars.map((bar) => content.bars[bar].number);
  return first === last ? `${first}` : `${first}-${last}`;
}

/** The selection in words, for screen readers. */
export function selectionText(state) {
  const { content, region, chosen } = state;
  if (!content) return "No song is open.";
  if (chosen.size) return `${chosen.size} ${chosen.size === 1 ? "note" : "notes"} selected`;
  if (!region) return "Nothing is selected.";
  const count = notesInRegion(content.notes, state.index, region).length;
  const names = region.parts.length === content.parts.length && region.parts.length > 1 ? "all parts" : region.parts.map((part) => partName(content, part)).join(", ");
  return `Bar${region.bars[0] === region.bars[1] ? "" : "s"} ${barsText(content, region)}, ${names}, ${count} ${count === 1 ? "note" : "notes"}`;
}

/** The name of a part; with a number if several parts have the same name. */
export function partName(content, part) {
  const nameOf = (item) => item.name || item.instrument;
  const name = nameOf(content.parts[part]);
  const alike = content.parts.map((_, at) => at).filter((at) => nameOf(content.parts[at]) === name);
  return alike.length > 1 ? `${name} ${alike.indexOf(part) + 1}` : name;
}

/** Locks in the form of the option --lock: "2:5-8" (part 2), "2", "5-8". */
export function lockTexts(locks) {
  return locks.map(({ part, bars }) => [part === null ? "" : `${part + 1}`, bars ? `${bars[0]}-${bars[1]}` : ""].filter(Boolean).join(":"));
}

/** Whether a bar (its printed number) of a part is locked. */
export function isLocked(locks, part, number) {
  return locks.some((lock) => (lock.part === null || lock.part === part) && (!lock.bars || (lock.bars[0] <= number && number <= lock.bars[1])));
}

/** The locks after a region is locked; if exactly this region was locked, after it is unlocked. */
export function toggleLocks(locks, content, region, is_whole_part) {
  const bars = is_whole_part ? null : region.bars.map((bar) => content.bars[bar].number);
  const toggled = region.parts.map((part) => ({ part, bars }));
  const same = (a, b) => a.part === b.part && String(a.bars) === String(b.bars);
  const are_locked = toggled.every((lock) => locks.some((other) => same(lock, other)));
  const others = locks.filter((lock) => !toggled.some((other) => same(lock, other)));
  return are_locked ? others : [...others, ...toggled];
}

/** A store of one state. Functions given to `subscribe` are called with the new and the old state after each `dispatch`. */
export function createStore(state = firstState()) {
  const listeners = new Set();
  return {
    get: () => state,
    dispatch(action) {
      const before = state;
      state = reduce(state, action);
      if (state !== before) for (const listener of listeners) listener(state, before);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
