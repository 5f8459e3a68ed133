/** Convert between ticks and seconds of a song. Pure. */
import { barAt, endTick } from "./notes.js";

export const RATE_HZ = 44100;

/**
 * The tempo map of a song: pieces of one tempo each.
 * @returns {{tick: number, second: number, per_tick: number}[]}
 */
export function tempoMap(content) {
  const tempos = content.tempos.length ? content.tempos : [{ tick: 0, bpm: 120 }];
  const pieces = [];
  let second = 0;
  let tick = 0;
  let per_tick = 60 / tempos[0].bpm / content.ticks_per_beat;
  for (const tempo of tempos) {
    second += (tempo.tick - tick) * per_tick;
    tick = tempo.tick;
    per_tick = 60 / tempo.bpm / content.ticks_per_beat;
    pieces.push({ tick, second, per_tick });
  }
  if (pieces[0].tick > 0) pieces.unshift({ tick: 0, second: 0, per_tick: pieces[0].second / pieces[0].tick });
  return pieces;
}

const last = (pieces, is_past) => {
  let at = 0;
  while (at + 1 < pieces.length && is_past(pieces[at + 1])) at++;
  return pieces[at];
};

/** The time of a tick in seconds from the start of the song. */
export function secondOf(map, tick) {
  const piece = last(map, (next) => next.tick <= tick);
  return piece.second + (tick - piece.tick) * piece.per_tick;
}

/** The tick at a time in seconds. */
export function tickOf(map, second) {
  const piece = last(map, (next) => next.second <= second);
  return piece.tick + (second - piece.second) / piece.per_tick;
}

/** The times (bars + 1) in seconds at which bars begin and the song ends, rounded to whole samples as on the server. */
export function barSeconds(content) {
  const map = tempoMap(content);
  const ticks = [...content.bars.map((bar) => bar.tick), endTick(content.bars)];
  return ticks.map((tick) => Math.round(secondOf(map, tick) * RATE_HZ) / RATE_HZ);
}

/** The bar and beat at a tick, such as "5.3". */
export function positionText(content, tick) {
  const bar = content.bars[barAt(content.bars, tick)];
  const beat_ticks = (content.ticks_per_beat * 4) / bar.denominator;
  const beat = Math.min(bar.numerator - 1, Math.max(0, Math.floor((tick - bar.tick) / beat_ticks)));
  return `${bar.number}.${beat + 1}`;
}

/** The tempo in beats per minute at a tick. */
export function tempoAt(content, tick) {
  return content.tempos.filter((tempo) => tempo.tick <= tick).pop()?.bpm ?? content.tempos[0]?.bpm ?? 120;
}

/** Seconds as minutes and seconds: "1:07". */
export function clockText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
