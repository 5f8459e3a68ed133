/** The start of the page: creates its parts and connects them. All state is in one store, which the parts watch. */
import { api } from "./api.js";
import { h, say } from "./dom.js";
import { audibleContent, channelOf, createStore, partName, selectionText, toggleLocks } from "./state.js";
import { createSession } from "./session.js";
import { createRoll, fitSong, heighten, zoom } from "./roll.js";
import { listenToPointer, listenToRuler, listenToVelocities } from "./pointer.js";
import { listenToKeys } from "./keys.js";
import { createPlayer } from "./sound.js";
import { createMidi } from "./midi.js";
import { createLanes } from "./lanes.js";
import { createJobLine, createTopBar, createTransport } from "./bars.js";
import { createComposePanel } from "./compose_panel.js";
import { createRedoPanel } from "./redo_panel.js";
import { createHistoryPanel } from "./history_panel.js";
import { createLearnPanel } from "./learn_panel.js";
import { listenToDrops } from "./exports.js";
import { barAt } from "./notes.js";

const TABS = [["compose", "Compose", createComposePanel], ["redo", "Redo", createRedoPanel], ["history", "History", createHistoryPanel], ["learn", "Learn", createLearnPanel]];
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const saved_theme = localStorage.getItem("theme");
if (saved_theme) document.documentElement.dataset.theme = saved_theme;

const store = createStore();
const session = createSession(store);
const roll = createRoll($("stage"), store);
const player = createPlayer((part, bar, content, font) => api.soundUrl(content.song_id, content.version, part, bar, font), (error) => say(error.message, true));
const midi = createMidi(store, player, session);
const audition = (part, pitch, velocity) => player.audition(store.get().content.parts[part].is_drums, pitch, velocity);
const transportState = () => store.get().transport;
const setTransport = (values) => store.dispatch({ type: "transport", values });

const actions = {
  play: (force = false) => (transportState().is_playing && force !== true ? stop() : play()),
  toStart: () => seek(transportState().loop ? store.get().content.bars[transportState().loop[0]].tick : 0),
  record: () => (transportState().is_recording ? stop() : store.get().song && midi.record(() => play())),
  metronome: () => setTransport({ metronome: !transportState().metronome }),
  countIn: () => setTransport({ count_in: !transportState().count_in }),
  loopSelection() {
    const { region, content } = store.get();
    if (!content) return;
    const is_same = region && String(transportState().loop) === String(region.bars);
    setTransport({ loop: (transportState().loop && !region) || is_same ? null : region?.bars ?? [0, content.bars.length - 1] });
    say(transportState().loop ? "The loop is on." : "The loop is off.");
  },
  lockSelection() {
    const { song, content, region } = store.get();
    if (!song || !region) return void say("Select bars first.");
    session.changeLocks(toggleLocks(song.locks, content, region, false));
    say("Locked bars stay in takes and variations.");
  },
  tool: (tool) => store.dispatch({ type: "view", values: { tool } }),
  zoom: (factor) => zoom(roll, store, factor),
  fit: () => fitSong(roll, store),
  heighten: (by) => heighten(roll, store, by),
  midi: () => midi.showPorts(),
  toggle(part, key) {
    if (!store.get().song) return;
    lanes.flip(part, key);
    const { song, content } = store.get();
    say(`${partName(content, part)}: ${key} ${channelOf(song.mixer, part)[key] ? "on" : "off"}.`);
  },
  tab: (name) => showTab(name, true),
  switchFocus: () => ($("panel").contains(document.activeElement) ? roll.scroller.focus() : panels[store.get().panel].focus()),
  hearTake: (take) => store.dispatch({ type: "audible", take }),
  accept: () => panels.redo.accept(),
  audition,
  barOf: (tick) => barAt(store.get().content.bars, tick),
};
const lanes = createLanes(roll, store, session);
const transport = createTransport($("transport"), store, actions);
createTopBar($("bar"), store, session);
createJobLine($("job"), store, session);
listenToPointer(roll, store, session, audition);
listenToRuler(roll, store, seek);
listenToVelocities(roll, store, session);
listenToKeys(roll, store, session, actions);
listenToDrops(session);
const panels = {};

async function play() {
  const state = store.get();
  if (!state.content || state.stage !== "song") return void say("There is nothing to play yet.");
  const { loop, tick, count_in } = state.transport;
  const bar = barAt(state.content.bars, tick);
  const is_at_end = tick >= state.content.bars.at(-1).tick + state.content.bars.at(-1).ticks - 1;
  const from = loop && (bar < loop[0] || bar > loop[1]) ? state.content.bars[loop[0]].tick : is_at_end ? 0 : tick;
  setTransport({ is_playing: true });
  await session.attempt(() => player.play(from, count_in));
  requestAnimationFrame(follow);
}

function stop() {
  midi.finish();
  midi.silence();
  const tick = player.tick();
  player.stop(tick);
  setTransport({ is_playing: false, tick });
}

function seek(tick) {
  if (!store.get().content) return;
  player.seek(tick);
  setTransport({ tick });
  roll.showTick(tick, true);
}

function follow() {
  if (!transportState().is_playing) return;
  const tick = player.tick();
  roll.showTick(tick, true);
  transport.showPosition(tick);
  requestAnimationFrame(follow);
}

player.on_bar = midi.sendBar;
player.on_end = () => {
  midi.finish();
  setTransport({ is_playing: false, tick: 0 });
};

store.subscribe((state, before) => {
  const heard = state.stage === "song" && audibleContent(state);
  if (heard && heard.is_saved && heard !== audibleContent(before)) player.setSong(heard);
  if (state.stage !== "song" && before.stage === "song" && state.transport.is_playing) stop();
  if (state.song?.id !== before.song?.id && state.transport.is_playing && before.song) stop();
  if (state.panel !== before.panel || state.song?.head !== before.song?.head || state.takes !== before.takes) session.wantOriginality();
  if (state.song?.mixer !== before.song?.mixer) player.setMixer(state.song?.mixer);
  if (state.transport.loop !== before.transport.loop) player.setLoop(state.transport.loop);
  if (state.transport.metronome !== before.transport.metronome) {
    player.metronome = state.transport.metronome;
    player.setMixer(state.song?.mixer);
  }
  if (state.region !== before.region || state.chosen !== before.chosen || state.content !== before.content) roll.text.textContent = selectionText(state) + contentText(state);
  if (state.content && (!before.content || state.song?.id !== before.song?.id || state.stage !== before.stage)) requestAnimationFrame(() => fitSong(roll, store));
  $("main").classList.toggle("empty", !state.content);
});

/** The content of the roll in words, for screen readers. */
function contentText({ content, stage }) {
  if (!content) return "";
  const parts = content.parts.map((_, part) => partName(content, part)).join(", ");
  return ` The ${stage === "sketch" ? "sketch" : "song"} has ${content.bars.length} bars, ${content.parts.length} ${content.parts.length === 1 ? "part" : "parts"} (${parts}) and ${content.notes.pitch.length} notes.`;
}

function showTab(name, with_focus = false) {
  store.dispatch({ type: "set", values: { panel: name } });
  for (const [id] of TABS) {
    const is_on = id === name;
    const tab = $(`tab-${id}`);
    tab.setAttribute("aria-selected", String(is_on));
    tab.tabIndex = is_on ? 0 : -1;
    $(`panel-${id}`).hidden = !is_on;
  }
  if (with_focus) panels[name].focus();
}

function createPanels() {
  const turn = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const at = TABS.findIndex(([id]) => id === store.get().panel);
    const next = TABS[(at + by + TABS.length) % TABS.length][0];
    showTab(next);
    $(`tab-${next}`).focus();
  };
  const list = h("div", { class: "tabs", role: "tablist", aria: { label: "Panel" }, onkeydown: turn }, ...TABS.map(([id, title]) => h("button", { type: "button", role: "tab", id: `tab-${id}`, aria: { controls: `panel-${id}`, selected: false }, onclick: () => showTab(id) }, title)));
  const boxes = TABS.map(([id]) => h("div", { id: `panel-${id}`, class: "tab-panel", role: "tabpanel", tabIndex: -1, aria: { labelledby: `tab-${id}` } }));
  $("panel").append(list, ...boxes);
  TABS.forEach(([id, , create], at) => (panels[id] = create(boxes[at], store, session, () => showTab("redo"))));
  showTab("compose");
}

async function start() {
  const server = await api.state();
  store.dispatch({ type: "set", values: { server } });
  createPanels();
  await session.refreshSongs();
  const [latest] = store.get().songs;
  if (latest) await session.openSong(latest.id);
  say(latest ? `${latest.name} is open.` : "Draw a sketch to begin, or drop a MIDI file on the page.");
}

// browsers let sound begin only after the first gesture; opening it then keeps the first play quick
for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => player.context().resume(), { once: true, capture: true });

/** For tests and for the browser's console. */
globalThis.studio = { store, roll, player, session };
session.attempt(start);
