/** A cache of the sounds of bars; the least recently used ones are deleted beyond a limit of bytes. */
import { RATE_HZ } from "./timing.js";

const MAX_BUFFER_BYTES = 192 << 20;
const BYTES_OF_A_SAMPLE = 8; // two channels of 32 bits

/** Read a WAV file of 16 bits into an AudioBuffer. Throws for other data. */
export function readWav(data) {
  const view = new DataView(data);
  const text = (at) => String.fromCharCode(...new Uint8Array(data, at, 4));
  if (data.byteLength < 44 || text(0) !== "RIFF") throw new Error("the sound of a bar is not a WAV");
  let at = 12;
  let channels = 2;
  let rate = RATE_HZ;
  while (at + 8 <= data.byteLength && text(at) !== "data") {
    if (text(at) === "fmt ") {
      channels = view.getUint16(at + 10, true);
      rate = view.getUint32(at + 12, true);
    }
    at += 8 + view.getUint32(at + 4, true);
  }
  const samples = new Int16Array(data.slice(at + 8, at + 8 + Math.min(view.getUint32(at + 4, true), data.byteLength - at - 8)));
  const length = Math.max(1, Math.floor(samples.length / channels));
  const buffer = new AudioBuffer({ length, numberOfChannels: channels, sampleRate: rate });
  for (let channel = 0; channel < channels; channel++) {
    const values = buffer.getChannelData(channel);
    for (let frame = 0; frame * channels + channel < samples.length; frame++) values[frame] = samples[frame * channels + channel] / 32768;
  }
  return buffer;
}

/** A cache of sounds by key. */
export function createBarSounds() {
  const buffers = new Map(); // key: AudioBuffer, or a promise of one; the most recently used is last
  let bytes = 0;

  /** The sound of a key if it is in the cache, else null. */
  function known(key) {
    const found = buffers.get(key);
    return found instanceof AudioBuffer ? found : null;
  }

  /** The sound of a key, or a promise of it, which rejects if the server has no such sound. */
  function fetchOne(key, url, bar) {
    const found = buffers.get(key);
    if (found) {
      buffers.delete(key);
      buffers.set(key, found);
      return found;
    }
    const loading = fetch(url, { credentials: "same-origin" })
      .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(`no sound for bar ${bar + 1}: the server answered ${answer.status}`))))
      .then((data) => keep(key, readWav(data)));
    loading.catch(() => buffers.delete(key));
    buffers.set(key, loading);
    return loading;
  }

  function keep(key, buffer) {
    buffers.set(key, buffer);
    bytes += buffer.length * BYTES_OF_A_SAMPLE;
    for (const [old, value] of buffers) {
      if (bytes < MAX_BUFFER_BYTES || old === key) break;
      if (!(value instanceof AudioBuffer)) continue;
      buffers.delete(old);
      bytes -= value.length * BYTES_OF_A_SAMPLE;
    }
    return buffer;
  }
  return { known, fetch: fetchOne };
}
