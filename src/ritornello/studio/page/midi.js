/** MIDI in the browser (WebMIDI): record from a keyboard, and send the song to a port. The browser asks the user for permission. */
import { h, openDialog, say } from "./dom.js";
import { endTick, eachNoteIn } from "./notes.js";
import { onGrid } from "./layout.js";
import { secondOf } from "./timing.js";

const ALL_NOTES_OFF = 123;
const DRUM_CHANNEL = 9;

/** @param {ReturnType<import("./state.js").createStore>} store */
export function createMidi(store, player, session) {
  let access = null;
  let output = null;
  let held = new Map(); // pitch: {tick, velocity} of each key that is down
  let played = [];
  const midi = { showPorts, record, finish, sendBar, silence };

  async function open() {
    if (access) return access;
    if (!navigator.requestMIDIAccess) {
      say("This browser has no WebMIDI; Chrome, Edge and Firefox have it.", true);
      return null;
    }
    try {
      access = await navigator.requestMIDIAccess({ sysex: false });
      access.onstatechange = listen;
      listen();
    } catch {
      say("The browser does not allow MIDI ports; allow them in the settings of this page.", true);
    }
    return access;
  }

  function listen() {
    for (const input of access.inputs.values()) input.onmidimessage = (event) => onMessage(event.data);
  }

  /** Sound a note at once; while recording, keep it with the ticks at which it was played. */
  function onMessage([status, pitch, velocity]) {
    const kind = status & 0xf0;
    const { cursor, content, transport } = store.get();
    const is_on = kind === 0x90 && velocity > 0;
    if (kind !== 0x90 && kind !== 0x80) return;
    if (is_on && content) player.audition(content.parts[cursor.part].is_drums, pitch, velocity);
    if (!transport.is_recording) return;
    const tick = player.tick();
    if (is_on) held.set(pitch, { tick, velocity });
    else release(pitch, tick);
  }

  function release(pitch, tick) {
    const start = held.get(pitch);
    held.delete(pitch);
    if (start && tick > start.tick) played.push({ pitch, velocity: start.velocity, onset: start.tick, duration: tick - start.tick });
  }

  /** Play the song and record into the part at the cursor. */
  async function record(play) {
    if (!(await open())) return;
    if (!access.inputs.size) return void say("No MIDI keyboard is connected.", true);
    held = new Map();
    played = [];
    store.dispatch({ type: "transport", values: { is_recording: true } });
    await play(true);
    say(`Recording into ${store.get().content.parts[store.get().cursor.part].name}. Stop to keep what you play.`);
  }

  /** End the recording: add the played notes to the part, on the grid, as one edit. */
  function finish() {
    if (!store.get().transport.is_recording) return;
    const tick = player.tick();
    for (const pitch of [...held.keys()]) release(pitch, tick);
    store.dispatch({ type: "transport", values: { is_recording: false } });
    if (!played.length) return void say("Nothing was played.");
    const { content, cursor, view } = store.get();
    const step = Math.max(1, Math.round(view.grid * content.ticks_per_beat));
    const notes = { ...content.notes };
    for (const name of Object.keys(notes)) notes[name] = notes[name].slice();
    for (const { pitch, velocity, onset, duration } of played) {
      const at = onGrid(onset, step);
      if (at >= endTick(content.bars)) continue;
      const values = { part: cursor.part, pitch, velocity, onset_ticks: at, duration_ticks: Math.max(step, onGrid(duration, step)) };
      for (const [name, value] of Object.entries(values)) notes[name].push(value);
    }
    session.edit(notes, `record ${played.length} ${played.length === 1 ? "note" : "notes"}`, []);
  }

  /** Send the notes of a scheduled bar to the chosen port. */
  function sendBar(segment, { content, map, seconds }) {
    const { index, content: shown } = store.get();
    if (!output || shown !== content) return;
    const { notes } = content;
    const from = content.bars[segment.bar].tick;
    const clock = (tick) => player.clockMs(segment.time + secondOf(map, tick) - seconds[segment.bar]);
    eachNoteIn(index, segment.bar, segment.bar, (note) => {
      if (notes.onset_ticks[note] < from || secondOf(map, notes.onset_ticks[note]) - seconds[segment.bar] < segment.offset) return;
      const channel = content.parts[notes.part[note]].is_drums ? DRUM_CHANNEL : notes.part[note] % 16 === DRUM_CHANNEL ? 15 : notes.part[note] % 16;
      output.send([0x90 | channel, notes.pitch[note], notes.velocity[note]], clock(notes.onset_ticks[note]));
      output.send([0x80 | channel, notes.pitch[note], 0], clock(notes.onset_ticks[note] + notes.duration_ticks[note]));
    });
  }

  /** End all notes at the port. */
  function silence() {
    if (!output) return;
    output.clear?.();
    for (let channel = 0; channel < 16; channel++) output.send([0xb0 | channel, ALL_NOTES_OFF, 0]);
  }

  /** Open the dialog that chooses the soundfont and the output port, and lists the keyboards. */
  async function showPorts() {
    const { server, song } = store.get();
    const fonts = h("select", { id: "soundfont", onchange: () => session.changeSound(fonts.value) }, h("option", { value: "" }, "the synthesizer of Ritornello"), ...(server.soundfonts ?? []).map((name) => h("option", { value: name, selected: song?.mixer?.soundfont === name }, name)));
    const sound = song && h("label", { class: "field" }, h("span", {}, "Sound"), fonts);
    if (!(await open())) return void openDialog("Sound and MIDI", sound, h("p", { class: "help" }, "No MIDI ports can be used in this browser."));
    const inputs = [...access.inputs.values()].map((port) => port.name).join(", ") || "none is connected";
    const ports = [...access.outputs.values()];
    const choice = h("select", { id: "midi-output", onchange: () => {
      silence();
      output = access.outputs.get(choice.value) ?? null;
      say(output ? `The song is sent to ${output.name}.` : "The song is not sent to a port.");
    } }, h("option", { value: "" }, "no port"), ...ports.map((port) => h("option", { value: port.id, selected: port === output }, port.name)));
    openDialog("Sound and MIDI", sound, h("p", { class: "help" }, `Keyboards: ${inputs}. They play the part that is selected in the roll; press the record button to keep what you play.`), h("label", { class: "field" }, h("span", {}, "Send the song to"), choice));
  }

  return midi;
}
