/**
 * The notes of a song in columns, as the server sends them, and functions that change them. Pure: they return new columns.
 * @typedef {{part: number[], pitch: number[], velocity: number[], onset_ticks: number[], duration_ticks: number[]}} Columns
 * @typedef {{tick: number, ticks: number, numerator: number, denominator: number, number: number}} Bar
 * @typedef {{starts: Uint32Array, order: Uint32Array, held_from: Uint32Array, held: Uint32Array}} BarIndex
 */

export const NAMES = /** @type {const} */ (["part", "pitch", "velocity", "onset_ticks", "duration_ticks"]);

/** @returns {Columns} */
export function noNotes() {
  return { part: [], pitch: [], velocity: [], onset_ticks: [], duration_ticks: [] };
}

/** The index in `bars` of the bar at a tick; before the song the first bar, after it the last one. */
export function barAt(bars, tick) {
  let low = 0;
  let high = bars.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (bars[middle].tick <= tick) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** The tick at which the last bar ends, or 0. */
export function endTick(bars) {
  const last = bars[bars.length - 1];
  return last ? last.tick + last.ticks : 0;
}

/**
 * An index of the notes of each bar: those that begin in it are `order` from `starts[bar]` to `starts[bar + 1]`; those that still
 * sound from an earlier bar are `held` from `held_from[bar]` to `held_from[bar + 1]`.
 * @param {Columns} notes
 * @param {Bar[]} bars
 * @returns {BarIndex}
 */
export function indexByBar(notes, bars) {
  const count = bars.length;
  const first = new Uint32Array(notes.pitch.length);
  const starts = new Uint32Array(count + 1);
  const held_from = new Uint32Array(count + 1);
  for (let note = 0; note < first.length; note++) {
    const bar = barAt(bars, notes.onset_ticks[note]);
    first[note] = bar;
    starts[bar + 1]++;
    const last = barAt(bars, notes.onset_ticks[note] + Math.max(0, notes.duration_ticks[note] - 1));
    for (let later = bar + 1; later <= last; later++) held_from[later + 1]++;
  }
  for (let bar = 0; bar < count; bar++) {
    starts[bar + 1] += starts[bar];
    held_from[bar + 1] += held_from[bar];
  }
  const order = new Uint32Array(starts[count] ?? 0);
  const held = new Uint32Array(held_from[count] ?? 0);
  const next = starts.slice();
  const next_held = held_from.slice();
  for (let note = 0; note < first.length; note++) {
    order[next[first[note]]++] = note;
    const last = barAt(bars, notes.onset_ticks[note] + Math.max(0, notes.duration_ticks[note] - 1));
    for (let later = first[note] + 1; later <= last; later++) held[next_held[later]++] = note;
  }
  return { starts, order, held_from, held };
}

/** Call `visit` once for each note that sounds in the bars `first` to `last` (indices, both included). */
export function eachNoteIn(index, first, last, visit) {
  for (let at = index.held_from[first]; at < index.held_from[first + 1]; at++) visit(index.held[at]);
  for (let at = index.starts[first]; at < index.starts[last + 1]; at++) visit(index.order[at]);
}

/** The notes that begin in a region of bars (indices, both included) and parts, in the order of time and pitch. */
export function notesInRegion(notes, index, region) {
  const inside = [];
  for (let at = index.starts[region.bars[0]]; at < index.starts[region.bars[1] + 1]; at++) {
    if (region.parts.includes(notes.part[index.order[at]])) inside.push(index.order[at]);
  }
  return inside.sort((a, b) => notes.onset_ticks[a] - notes.onset_ticks[b] || notes.pitch[a] - notes.pitch[b]);
}

/** A copy of the notes in which each note of `chosen` gets the new values that `change(note)` returns. */
export function changeNotes(notes, chosen, change) {
  const copy = Object.fromEntries(NAMES.map((name) => [name, notes[name].slice()]));
  for (const note of chosen) {
    for (const [name, value] of Object.entries(change(note))) copy[name][note] = value;
  }
  return /** @type {Columns} */ (copy);
}

const limit = (value, low, high) => Math.min(high, Math.max(low, value));

/** Move notes by ticks and semitones: all by the same distance, which is limited so that none leaves the range. */
export function moveNotes(notes, chosen, ticks, semitones) {
  const onsets = chosen.map((note) => notes.onset_ticks[note]);
  const pitches = chosen.map((note) => notes.pitch[note]);
  const by = Math.max(ticks, -Math.min(...onsets));
  const up = limit(semitones, -Math.min(...pitches), 127 - Math.max(...pitches));
  return changeNotes(notes, chosen, (note) => ({ onset_ticks: notes.onset_ticks[note] + by, pitch: notes.pitch[note] + up }));
}

/** Make notes longer or shorter by ticks; none gets shorter than `least` ticks. */
export function stretchNotes(notes, chosen, ticks, least) {
  return changeNotes(notes, chosen, (note) => ({ duration_ticks: Math.max(least, notes.duration_ticks[note] + ticks) }));
}

/** Make notes louder or softer by `by`, within 1-127. */
export function changeVelocities(notes, chosen, by) {
  return changeNotes(notes, chosen, (note) => ({ velocity: limit(notes.velocity[note] + by, 1, 127) }));
}

/** Notes without the chosen ones. */
export function deleteNotes(notes, chosen) {
  const gone = new Set(chosen);
  return /** @type {Columns} */ (Object.fromEntries(NAMES.map((name) => [name, notes[name].filter((_, note) => !gone.has(note))])));
}

/** The notes with a list of notes (objects) added at the end. */
export function addNotes(notes, added) {
  return /** @type {Columns} */ (Object.fromEntries(NAMES.map((name) => [name, [...notes[name], ...added.map((note) => note[name])]])));
}

/** The columns of two sets of notes, joined. */
export function joinNotes(notes, more) {
  return /** @type {Columns} */ (Object.fromEntries(NAMES.map((name) => [name, notes[name].concat(more[name])])));
}

const keyOf = (notes, note) => NAMES.map((name) => notes[name][note]).join(" ");

/** The notes of `other` that `notes` lacks, as indices of `other`: the new notes of a take. */
export function newNotes(notes, other) {
  const known = new Map();
  for (let note = 0; note < notes.pitch.length; note++) {
    const key = keyOf(notes, note);
    known.set(key, (known.get(key) ?? 0) + 1);
  }
  const added = [];
  for (let note = 0; note < other.pitch.length; note++) {
    const key = keyOf(other, note);
    const left = known.get(key) ?? 0;
    if (left) known.set(key, left - 1);
    else added.push(note);
  }
  return added;
}

/** The indices in `other` of the chosen notes of `notes`; the order of the two may differ. */
export function findNotes(notes, chosen, other) {
  const keys = new Set([...chosen].map((note) => keyOf(notes, note)));
  return other.pitch.map((_, note) => note).filter((note) => keys.has(keyOf(other, note)));
}

/** For each part a key of its sound: equal if its notes, instrument, tempi and bars are equal. */
export function soundKeys(content) {
  const start = hash(2166136261, ...content.tempos.flatMap((tempo) => [tempo.tick, Math.round(tempo.bpm * 1000)]));
  const common = hash(start, content.ticks_per_beat, ...content.bars.map((bar) => bar.tick));
  const keys = content.parts.map((part) => hash(common, part.program, part.is_drums ? 1 : 0));
  const { notes } = content;
  const order = notes.pitch.map((_, note) => note);
  order.sort((a, b) => notes.onset_ticks[a] - notes.onset_ticks[b] || notes.pitch[a] - notes.pitch[b] || notes.duration_ticks[a] - notes.duration_ticks[b]);
  for (const note of order) {
    const values = NAMES.slice(1).map((name) => notes[name][note]);
    keys[notes.part[note]] = hash(keys[notes.part[note]], ...values);
  }
  return keys.map((key, part) => `${part}-${key.toString(36)}`);
}

function hash(seed, ...values) {
  let value = seed;
  for (const number of values) value = Math.imul(value ^ (number + 1), 16777619) >>> 0;
  return value;
}
