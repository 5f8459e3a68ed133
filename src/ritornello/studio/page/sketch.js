/** Show a sketch in the roll, as a song with bars, chords, sections and textures but no notes. Pure. docs/sketch.md has the format. */
import { noNotes } from "./notes.js";
import { pitchNumber } from "./layout.js";

const TICKS_PER_BEAT = 24;
export const CADENCES = ["none", "open", "closed", "end"];

/** The sections of a sketch: the bar (index) and the letter of each. */
export function sectionsOf(sketch) {
  return sketch.bars.map((item, bar) => ({ bar, letter: item.section })).filter((item) => item.letter);
}

/** The chords of a bar, each with the share of the bar before it: "D / G A7" gives [[0, "D"], [0.5, "G"], [0.75, "A7"]]. */
export function chordsOfBar(text) {
  const symbols = String(text ?? "").trim().split(/\s+/).filter(Boolean);
  return symbols.map((symbol, at) => [at / symbols.length, symbol]).filter(([, symbol]) => symbol !== "/" && symbol !== "?");
}

/** The bars of a sketch with their ticks; a bar without a meter has the meter of the bar before. */
function barsOf(sketch) {
  let meter = sketch.meter ?? "4/4";
  let tick = 0;
  const first = sketch.bars[0]?.bar === 0 ? 0 : 1;
  return sketch.bars.map((item, at) => {
    const bar_meter = item.meter ?? meter;
    if (item.meter && !(at === 0 && first === 0)) meter = item.meter;
    const [numerator, denominator] = bar_meter.split("/").map(Number);
    const bar = { tick, ticks: (numerator * TICKS_PER_BEAT * 4) / denominator, numerator, denominator, number: first + at };
    tick += bar.ticks;
    return bar;
  });
}

/** The song without notes that the roll shows for a sketch. */
export function contentOfSketch(sketch) {
  const bars = barsOf(sketch);
  const names = sketch.parts ?? [...new Set(sketch.bars.flatMap((bar) => Object.keys(bar.texture ?? {})))];
  const keys = names.map((name, at) => {
    const count = names.slice(0, at + 1).filter((other) => other === name).length;
    return count > 1 ? `${name} ${count}` : name;
  });
  const texture = (bar, key) => {
    const planned = sketch.bars[bar].texture?.[key];
    return planned && planned !== "rests" ? { notes: planned.notes ?? null, pitch: pitchNumber(planned.pitch) } : null;
  };
  let before = "";
  const chords = bars.flatMap((bar, at) => {
    const text = sketch.bars[at].chords === "%" ? before : sketch.bars[at].chords;
    before = text ?? "";
    return chordsOfBar(text).map(([share, name]) => ({ tick: bar.tick + Math.round(share * bar.ticks), name }));
  });
  return {
    ticks_per_beat: TICKS_PER_BEAT,
    bars,
    tempos: [{ tick: 0, bpm: sketch.tempo ?? 120 }],
    key: sketch.key ?? null,
    parts: names.map((name) => ({ name: "", instrument: name, program: 0, is_drums: name === "drums" || name.endsWith("kit") })),
    notes: noNotes(),
    chords: chords.filter((chord, at) => at === 0 || chord.name !== chords[at - 1].name),
    sections: sectionsOf(sketch),
    textures: keys.map((key) => bars.map((_, bar) => texture(bar, key))),
    texture_keys: keys,
  };
}

/** The sketch with another value in a bar; an empty text leaves the value open, so that it is drawn later. */
export function changeBar(sketch, bar, key, value) {
  const bars = sketch.bars.slice();
  bars[bar] = { ...bars[bar], [key]: value };
  if (value === "" || value === null) delete bars[bar][key];
  return { ...sketch, bars };
}

/** The sketch with another texture of a part in a bar: {notes, pitch}, "rests", or null (open). */
export function changeTexture(sketch, bar, part_key, value) {
  const texture = { ...(sketch.bars[bar].texture ?? {}) };
  if (value === null) delete texture[part_key];
  else texture[part_key] = value;
  return changeBar(sketch, bar, "texture", texture);
}
