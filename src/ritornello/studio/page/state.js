/**
 * The state of the page and how it changes. `reduce` is pure: it gives a new state and changes none.
 * What a song holds has the shape that the server sends (docs of the HTTP interface).
 */
import { indexByBar, findNotes, newNotes, noNotes, notesInRegion } from "./notes.js";

export const MAX_LOG_LINES = 400;

/** @returns {any} */
export function firstState() {
  return {
    server: null, // the answer of /api/state
    songs: [],
    song: null, // {id, name, head, mixer, locks, versions}
    content: null, // the version that is shown: bars, parts, notes, chords ...
    index: null, // of its notes by bar
    stage: "song", // "sketch": only textures are shown; "streaming": notes come in
    sketch: null, // as in a sketch file
    options: {}, // with which the sketch was drawn
    view: { beat_px: 32, row_px: 6, tool: "select", grid: 0.25, is_fitted: true },
    cursor: { bar: 0, part: 0 }, // where the keyboard is
    region: null, // {bars: [first, last], parts: [...]} that are selected
    chosen: new Set(), // selected notes
    takes: null, // {parent, items: [{version, content, ghosts, originality}], audible}
    trail: [], // heads left by undo, the latest last
    jobs: {}, // by id
    transport: { is_playing: false, is_recording: false, loop: null, metronome: false, count_in: false, tick: 0 },
    panel: "compose",
    log: [],
  };
}

const withContent = (state, content) => ({ ...state, content, index: content && indexByBar(content.notes, content.bars) });

/** Mixer settings of a part, with what was never set. */
export const channelOf = (mixer, part) => ({ volume: 1, pan: 0, mute: false, solo: false, ...(mixer?.parts?.[part] ?? {}) });

const CHANGES = {
  /** Some values of the state as they are. */
  set: (state, { values }) => ({ ...state, ...values }),
  view: (state, { values }) => ({ ...state, view: { ...state.view, ...values } }),
  transport: (state, { values }) => ({ ...state, transport: { ...state.transport, ...values } }),
  /** A version of a song is shown; selected notes that are in it stay selected. */
  open: (state, { song, content }) => {
    const is_same = state.song?.id === song.id && state.content;
    const chosen = is_same && state.chosen.size ? findNotes(state.content.notes, state.chosen, content.notes) : [];
    const cursor = is_same ? clampCursor(state.cursor, content) : { bar: 0, part: 0 };
    const kept = is_same ? { region: clampRegion(state.region, content) } : { region: null, trail: [], takes: null, transport: { ...state.transport, loop: null, tick: 0 } };
    return withContent({ ...state, ...kept, song, cursor, stage: "song", chosen: new Set(chosen) }, content);
  },
  /** Notes were edited; the server does not know yet. */
  edit: (state, { notes, chosen }) => withContent({ ...state, chosen: new Set(chosen ?? state.chosen) }, { ...state.content, notes, is_saved: false, sound_keys: undefined }),
  /** A song without notes, of a sketch or of a song that is being composed. */
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
  log: (state, { line }) => ({ ...state, log: [...state.log.slice(1 - MAX_LOG_LINES), line] }),
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

/** A take with its ghosts: the notes that it has and the song has not, and those of the song that it has not. */
function withGhosts(content, take) {
  return { ...take, ghosts: newNotes(content.notes, take.content.notes), lost: newNotes(take.content.notes, content.notes) };
}

/** What is heard: the song, or the take that is chosen. */
export function audibleContent(state) {
  const { takes } = state;
  return takes?.audible ? takes.items[takes.audible - 1].content : state.content;
}

/** The notes that the next edit changes: the selected ones, or all of the selected bars and parts. */
export function notesToEdit(state) {
  if (state.chosen.size) return [...state.chosen];
  return state.region ? notesInRegion(state.content.notes, state.index, state.region) : [];
}

/** Bars of a region by the numbers that are printed, such as "5-8"; one bar is "5-5" where `is_range`. */
export function barsText(content, region, is_range = false) {
  const [first, last] = region.bars.map((bar) => content.bars[bar].number);
  return first === last && !is_range ? `${first}` : `${first}-${last}`;
}

/** What a screen reader is told of the selection. */
export function selectionText(state) {
  const { content, region, chosen } = state;
  if (!content) return "No song is open.";
  if (chosen.size) return `${chosen.size} ${chosen.size === 1 ? "note" : "notes"} selected`;
  if (!region) return "Nothing is selected.";
  const count = notesInRegion(content.notes, state.index, region).length;
  const names = region.parts.length === content.parts.length && region.parts.length > 1 ? "all parts" : region.parts.map((part) => partName(content, part)).join(", ");
  return `Bar${region.bars[0] === region.bars[1] ? "" : "s"} ${barsText(content, region)}, ${names}, ${count} ${count === 1 ? "note" : "notes"}`;
}

/** The name of a part; of several with one name, with a number. */
export function partName(content, part) {
  const nameOf = (item) => item.name || item.instrument;
  const name = nameOf(content.parts[part]);
  const alike = content.parts.map((_, at) => at).filter((at) => nameOf(content.parts[at]) === name);
  return alike.length > 1 ? `${name} ${alike.indexOf(part) + 1}` : name;
}

/** Locks as the command line takes them: "2:5-8" (part 2), "2", "5-8". */
export function lockTexts(locks) {
  return locks.map(({ part, bars }) => [part === null ? "" : `${part + 1}`, bars ? `${bars[0]}-${bars[1]}` : ""].filter(Boolean).join(":"));
}

/** Whether a bar (its printed number) of a part is locked. */
export function isLocked(locks, part, number) {
  return locks.some((lock) => (lock.part === null || lock.part === part) && (!lock.bars || (lock.bars[0] <= number && number <= lock.bars[1])));
}

/** Locks with a region locked, or free again if just this was locked before. */
export function toggleLocks(locks, content, region, is_whole_part) {
  const bars = is_whole_part ? null : region.bars.map((bar) => content.bars[bar].number);
  const wanted = region.parts.map((part) => ({ part, bars }));
  const same = (a, b) => a.part === b.part && String(a.bars) === String(b.bars);
  const are_there = wanted.every((lock) => locks.some((other) => same(lock, other)));
  const others = locks.filter((lock) => !wanted.some((other) => same(lock, other)));
  return are_there ? others : [...others, ...wanted];
}

/** A store of one state: `get`, `dispatch`, `subscribe` (called with the new and the old state). */
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
