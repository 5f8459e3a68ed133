/**
 * Play a song with WebAudio. The server renders each bar of each part as a sound; the player fetches these ahead and schedules them
 * end to end, each part with its gain and pan. Two versions in which a part is the same share its sounds, so a switch has no gap.
 */
import { barAt, soundKeys } from "./notes.js";
import { RATE_HZ, barSeconds, secondOf, tempoMap, tickOf } from "./timing.js";
import { channelOf } from "./state.js";
import { createBarSounds } from "./bar_sounds.js";

const AHEAD_S = 0.6; // bars that begin within this time are scheduled
const FETCH_AHEAD_S = 12;
const TIMER_MS = 60;
const START_DELAY_S = 0.02;
const FADE_S = 0.012;
const METRONOME = "metronome";

/** @param {(part: number | string, bar: number, content: any) => string} urlOf */
export function createPlayer(urlOf, on_error) {
  let context = null;
  let master = null;
  let channels = new Map(); // part: {gain, pan}
  let mixer = {};
  let font = ""; // the name of the soundfont; "" is the server's default
  let song = null; // {content, keys, seconds, map}
  let loop = null;
  let timer = 0;
  let segments = []; // scheduled bars: {bar, time, offset}
  let sources = []; // scheduled sounds: {part, bar, time, source, gain, end}
  let next = null; // {bar, time}: the next bar to schedule
  let stopped_tick = 0;
  let generation = 0; // grows with each start and stop, so that late answers of the server can be told apart
  const bars = createBarSounds();
  const player = { play, stop, seek, tick, setSong, setLoop, setMixer, audition, prefetch, context: openContext, is_playing: () => next !== null, on_bar: null, on_end: null, start_delay_ms: 0, metronome: false };

  function openContext() {
    if (context) return context;
    context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
    master = new DynamicsCompressorNode(context, { threshold: -4, knee: 4, ratio: 12, attack: 0.002, release: 0.1 });
    master.connect(context.destination);
    return context;
  }

  const partsOf = () => [...song.content.parts.keys(), METRONOME];
  const keyOf = (part) => (part === METRONOME ? `${METRONOME}-${song.keys.common}` : `${song.keys[part]}-${font}`);

  /** Play another song, version or take; parts that are the same in both go on sounding. */
  function setSong(content) {
    const keys = content.sound_keys ?? (content.sound_keys = Object.assign(soundKeys(content), { common: String(content.tempos.map((tempo) => tempo.bpm)) }));
    const at = song && next ? tick() : stopped_tick;
    const old = song;
    song = { content, keys, seconds: barSeconds(content), map: tempoMap(content) };
    if (!next) return prefetch(at);
    if (!old || String(old.seconds) !== String(song.seconds)) return play(Math.min(at, content.bars.at(-1).tick));
    for (const part of partsOf()) if (old.keys[part] !== song.keys[part] && part !== METRONOME) replace(part);
    return undefined;
  }

  /** Replace the sound of a part from now on, as soon as the new one is fetched. */
  function replace(part) {
    const now = context.currentTime;
    for (const segment of segments.filter((each) => each.time + barLength(each.bar) > now)) schedulePart(part, segment, true);
  }

  const barLength = (bar) => (bar < song.content.bars.length ? song.seconds[bar + 1] - song.seconds[bar] : 0);

  const fetchBar = (part, bar) => bars.fetch(`${keyOf(part)}/${bar}`, urlOf(part, bar, song.content, font), bar);

  /** Fetch the first bars after a tick. */
  function prefetch(from = stopped_tick) {
    if (!song) return;
    const first = barAt(song.content.bars, from);
    for (let bar = first; bar < song.content.bars.length && song.seconds[bar] < song.seconds[first] + 2.5; bar++) {
      for (const part of partsOf()) if (part !== METRONOME || player.metronome) Promise.resolve(fetchBar(part, bar)).catch(() => {});
    }
  }

  function channel(part) {
    if (!channels.has(part)) {
      const gain = new GainNode(context);
      const pan = new StereoPannerNode(context);
      gain.connect(pan).connect(master);
      channels.set(part, { gain, pan });
      applyMixer();
    }
    return channels.get(part);
  }

  function setMixer(values) {
    mixer = values ?? {};
    if (font !== (mixer.soundfont ?? "")) {
      font = mixer.soundfont ?? "";
      if (next) play(tick());
    }
    if (context) applyMixer();
  }

  function applyMixer() {
    const is_any_solo = (mixer.parts ?? []).some((part) => part?.solo);
    for (const [part, { gain, pan }] of channels) {
      const { volume, pan: side, mute, solo } = channelOf(mixer, part);
      const is_heard = part === METRONOME ? player.metronome : !mute && (!is_any_solo || solo);
      gain.gain.setTargetAtTime(is_heard ? (part === METRONOME ? 0.8 : volume) : 0, context.currentTime, 0.01);
      pan.pan.setTargetAtTime(part === METRONOME ? 0 : side, context.currentTime, 0.01);
    }
  }

  /** Play from a tick, with `count_in` after one bar of the metronome. Resolves when the first bar is scheduled. */
  async function play(from = stopped_tick, count_in = false) {
    const called_ms = performance.now();
    openContext();
    halt();
    const this_generation = ++generation;
    const bar = barAt(song.content.bars, from);
    const offset = Math.max(0, secondOf(song.map, from) - song.seconds[bar]);
    next = { bar, time: Infinity };
    if (context.state !== "running") await context.resume();
    const first_parts = partsOf().filter((part) => part !== METRONOME || count_in || player.metronome);
    await Promise.allSettled(first_parts.map((part) => fetchBar(part, bar)));
    if (this_generation !== generation) return;
    let time = context.currentTime + START_DELAY_S;
    if (count_in) {
      const click = await fetchBar(METRONOME, bar);
      const node = new AudioBufferSourceNode(context, { buffer: click });
      node.connect(master);
      node.start(time);
      sources.push({ part: METRONOME, bar: -1, source: node, gain: null, end: time + click.duration });
      time += click.duration;
    }
    player.start_delay_ms = performance.now() - called_ms;
    next = { bar, time, offset };
    timer = setInterval(schedule, TIMER_MS);
    schedule();
  }

  /** Schedule the bars that begin soon, and fetch later ones. */
  function schedule() {
    const now = context.currentTime;
    while (next && next.time < now + AHEAD_S) {
      const segment = { bar: next.bar, time: next.time - (next.offset ?? 0), offset: next.offset ?? 0 };
      segments.push(segment);
      for (const part of partsOf()) schedulePart(part, segment);
      player.on_bar?.(segment, song);
      next = { bar: following(next.bar), time: segment.time + barLength(next.bar) };
      if (next.bar === null) return finish(next.time);
    }
    segments = segments.filter((each) => each.time + barLength(each.bar) > now - 1);
    sources = sources.filter((each) => each.end > now - 0.1);
    let bar = next?.bar;
    for (let ahead = 0; next && bar !== null && ahead < FETCH_AHEAD_S; ahead += barLength(bar), bar = following(bar)) {
      for (const part of partsOf()) if (part !== METRONOME || player.metronome) Promise.resolve(fetchBar(part, bar)).catch(on_error);
      if (loop && bar === loop[1]) break;
    }
    return undefined;
  }

  const following = (bar) => (loop && bar === loop[1] ? loop[0] : bar + 1 < song.content.bars.length ? bar + 1 : null);

  /** Play what still rings after the last bar, which the server sends as one more bar, and stop. */
  function finish(time) {
    clearInterval(timer);
    for (const part of song.content.parts.keys()) schedulePart(part, { bar: song.content.bars.length, time, offset: 0 });
    timer = setTimeout(() => {
      stop(0);
      player.on_end?.();
    }, Math.max(0, (time - context.currentTime) * 1000));
  }

  async function schedulePart(part, segment, is_replacing = false) {
    if (part === METRONOME && !player.metronome) return;
    const this_generation = generation;
    const key = keyOf(part);
    let buffer = bars.known(`${key}/${segment.bar}`);
    if (!buffer) {
      try {
        buffer = await fetchBar(part, segment.bar);
      } catch (error) {
        return on_error(error);
      }
    }
    if (this_generation !== generation || keyOf(part) !== key) return;
    const now = context.currentTime;
    const begin = Math.max(segment.time + segment.offset, now + 0.005);
    const offset = begin - segment.time;
    if (is_replacing) fadeOut(part, segment, begin);
    if (offset >= buffer.duration) return;
    const source = new AudioBufferSourceNode(context, { buffer });
    const gain = new GainNode(context);
    source.connect(gain).connect(channel(part).gain);
    if (offset > 0.001) {
      gain.gain.setValueAtTime(0, begin);
      gain.gain.linearRampToValueAtTime(1, begin + FADE_S);
    }
    source.start(begin, offset);
    sources.push({ part, bar: segment.bar, time: segment.time, source, gain, end: segment.time + buffer.duration });
  }

  function fadeOut(part, segment, at) {
    for (const each of sources) {
      if (each.part !== part || each.time !== segment.time || !each.gain) continue;
      each.gain.gain.setValueAtTime(1, at);
      each.gain.gain.linearRampToValueAtTime(0, at + FADE_S);
      each.source.stop(at + FADE_S);
    }
  }

  function halt(with_ring = false) {
    clearInterval(timer);
    clearTimeout(timer);
    generation++;
    if (!with_ring) for (const { source } of sources) source.stop();
    sources = with_ring ? sources : [];
    segments = [];
    next = null;
  }

  /** Stop at a tick; by default at the present one. */
  function stop(at = tick()) {
    if (next || segments.length) halt(at === 0 && next === null);
    stopped_tick = at;
    if (song) prefetch(at);
  }

  function seek(to) {
    if (next) return play(to);
    stopped_tick = to;
    return prefetch(to);
  }

  /** The tick that sounds now. */
  function tick() {
    if (!context || !segments.length) return stopped_tick;
    const now = context.currentTime - (context.outputLatency || 0);
    const segment = segments.filter((each) => each.time + each.offset <= now).pop() ?? segments[0];
    const passed = Math.max(segment.offset, Math.min(now - segment.time, barLength(segment.bar)));
    return tickOf(song.map, song.seconds[segment.bar] + passed);
  }

  function setLoop(bars) {
    loop = bars;
    if (!next || !song) return;
    // cancel the scheduled bars after the present one, which may be outside of the loop
    const now = context.currentTime;
    const current = segments.filter((each) => each.time <= now).pop();
    if (!current) return;
    for (const each of sources) if (each.time > now) each.source.stop();
    sources = sources.filter((each) => !(each.time > now));
    segments = segments.filter((each) => each.time <= now);
    const is_outside = loop && (current.bar < loop[0] || current.bar > loop[1]);
    const bar = is_outside ? loop[0] : following(current.bar);
    if (bar === null) return finish(current.time + barLength(current.bar));
    next = { bar, time: current.time + barLength(current.bar) };
    clearTimeout(timer);
    timer = setInterval(schedule, TIMER_MS);
    schedule();
  }

  /** Sound a short tone, without the server, for a note that is drawn, moved or selected. */
  function audition(is_drums, pitch, velocity) {
    openContext();
    if (context.state === "suspended") context.resume();
    const now = context.currentTime;
    const gain = new GainNode(context, { gain: 0 });
    const tone = new OscillatorNode(context, { type: "triangle", frequency: is_drums ? 180 : 440 * 2 ** ((pitch - 69) / 12) });
    gain.gain.linearRampToValueAtTime((velocity / 127) * 0.22, now + 0.005);
    gain.gain.exponentialRampToValueAtTime(0.0005, now + (is_drums ? 0.06 : 0.35));
    tone.connect(gain).connect(master);
    tone.start(now);
    tone.stop(now + 0.4);
  }

  /** The time in ms, on the clock of `performance.now()`, at which a time of the audio context sounds. */
  player.clockMs = (time) => {
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    return performanceTime + (time - contextTime) * 1000;
  };
  return player;
}
