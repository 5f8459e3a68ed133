/** The top bar (songs, undo, export, theme) and the transport (play, loop, metronome, position, tools, zoom). */
import { h, icon, iconButton, openDialog, press } from "./dom.js";
import { openExport } from "./exports.js";
import { showKeys } from "./keys.js";
import { redoTarget, timeText, undoTarget } from "./versions.js";
import { clockText, positionText, secondOf, tempoAt, tempoMap } from "./timing.js";
import { barsText } from "./state.js";
import { endTick } from "./notes.js";
import { isLight } from "./colours.js";

const GRIDS = [["1/4", 1], ["1/8", 0.5], ["1/8 triplet", 1 / 3], ["1/16", 0.25], ["1/16 triplet", 1 / 6], ["1/32", 0.125]];

export function createTopBar(box, store, session) {
  const name = h("span", { class: "song-name" }, "No song yet");
  const songs = h("button", { type: "button", class: "songs", title: "Songs: open, rename, delete", aria: { haspopup: "dialog" }, onclick: () => openSongs(store, session) }, h("span", { class: "hidden" }, "Song: "), name, h("span", { aria: { hidden: true } }, "▾"));
  const undo = iconButton("undo", "Undo", session.undo, { key: "Ctrl+Z" });
  const redo = iconButton("redo", "Redo what was undone", session.redo, { key: "Ctrl+Shift+Z" });
  const exported = iconButton("export", "Export", () => openExport(store), { text: "Export" });
  const theme = iconButton("theme", "Light or dark", () => {
    document.documentElement.dataset.theme = isLight() ? "dark" : "light";
    localStorage.setItem("theme", document.documentElement.dataset.theme);
    dispatchEvent(new Event("themechange"));
  });
  box.append(h("span", { class: "logo", aria: { hidden: true } }, h("i"), h("i"), h("i")), h("span", { class: "brand" }, "Ritornello"), songs, undo, redo, h("span", { class: "spread" }), exported, theme, iconButton("help", "Keys", showKeys, { key: "?" }));
  const show = (state) => {
    name.textContent = state.song?.name ?? "No song yet";
    document.title = state.song ? `${state.song.name} – Ritornello studio` : "Ritornello studio";
    const can = (target) => (target === null || target === undefined ? "true" : "false");
    undo.setAttribute("aria-disabled", can(state.song && undoTarget(state.song.versions, state.song.head)));
    redo.setAttribute("aria-disabled", can(state.song && redoTarget(state.song.versions, state.song.head, state.trail)));
    exported.disabled = !state.song;
  };
  store.subscribe((state, before) => (state.song !== before.song || state.trail !== before.trail) && show(state));
  show(store.get());
}

/** Open the dialog that lists all songs. */
function openSongs(store, session) {
  const { songs, song } = store.get();
  const file = h("input", { id: "song-file", type: "file", accept: ".mid,.midi,.kar,.musicxml,.mxl,.xml,.abc,.krn", onchange: async () => {
    dialog.close();
    if (file.files[0]) await session.importFile(file.files[0]);
  } });
  const rename = h("input", { id: "song-name", type: "text", value: song?.name ?? "", maxLength: 120 });
  const row = (item) => h("li", {}, h("button", { type: "button", class: "open", aria: item.id === song?.id ? { current: "true" } : {}, onclick: async () => {
    dialog.close();
    await session.attempt(() => session.openSong(item.id));
  } }, h("span", {}, item.name), h("small", {}, item.changed_at ? timeText(item.changed_at) : "")), iconButton("trash", `Delete ${item.name}`, async () => {
    dialog.close();
    await session.removeSong(item.id);
  }));
  const dialog = openDialog("Songs", h("div", { class: "form" },
    song ? h("form", { class: "line", onsubmit: (event) => { event.preventDefault(); session.rename(rename.value.trim() || song.name); dialog.close(); } }, h("div", { class: "field" }, h("label", { htmlFor: "song-name" }, "Name of this song"), rename), h("button", { type: "submit" }, "Rename")) : null,
    h("div", { class: "field" }, h("label", { htmlFor: "song-file" }, "Open a file: MIDI, MusicXML, ABC or kern (or drop it on the page)"), file),
    songs.length ? h("ul", { class: "song-list" }, ...songs.map(row)) : h("p", {}, "No song yet: compose one, or open a file.")));
}

/** The transport; `actions` are the functions of the page by name. */
export function createTransport(box, store, actions) {
  const play = iconButton("play", "Play", actions.play, { key: "Space", class: "big" });
  const loop = iconButton("loop", "Loop the selection", actions.loopSelection, { key: "L", pressed: false });
  const metronome = iconButton("metronome", "Metronome", actions.metronome, { key: "B", pressed: false });
  const count_in = iconButton("count", "Count-in", actions.countIn, { key: "C", pressed: false });
  const record = iconButton("record", "Record from a MIDI keyboard", actions.record, { pressed: false, class: "record" });
  const position = h("output", { class: "position", aria: { label: "Bar and beat", live: "off" } }, "1.1");
  const clock = h("span", { class: "clock" }, "0:00 / 0:00");
  const facts = h("span", { class: "facts-line" });
  const lock = iconButton("lock", "Lock or unlock the selection", actions.lockSelection, { key: "K" });
  const select = iconButton("select", "Select", () => actions.tool("select"), { key: "V", pressed: true });
  const draw = iconButton("draw", "Draw notes", () => actions.tool("draw"), { key: "D", pressed: false });
  const grid = h("select", { class: "grid-choice", title: "Grid: the step of notes", aria: { label: "Grid" }, onchange: () => store.dispatch({ type: "view", values: { grid: Number(grid.value) } }) }, ...GRIDS.map(([text, beats]) => h("option", { value: beats, selected: beats === 0.25 }, text)));
  const tools = [iconButton("minus", "Zoom out", () => actions.zoom(0.8), { key: "-" }), iconButton("plus", "Zoom in", () => actions.zoom(1.25), { key: "+" }), iconButton("fit", "Show the whole song", actions.fit, { key: "F" })];
  box.append(h("div", { class: "group" }, iconButton("start", "To the start", actions.toStart, { key: "Home" }), play, record), h("div", { class: "group" }, loop, metronome, count_in),
    h("div", { class: "group readout" }, position, h("span", { class: "stack" }, clock, facts)), h("span", { class: "spread" }),
    h("div", { class: "group" }, lock, select, draw, grid), h("div", { class: "group" }, ...tools, iconButton("midi", "Sound and MIDI", actions.midi)));
  let map = null;
  let length_s = 0;

  function show(state, before) {
    const { transport, content } = state;
    if (transport.is_playing !== before?.transport.is_playing) {
      play.replaceChildren(icon(transport.is_playing ? "stop" : "play"));
      play.setAttribute("aria-label", transport.is_playing ? "Stop" : "Play");
      play.classList.toggle("on", transport.is_playing);
    }
    press(loop, Boolean(transport.loop));
    press(metronome, transport.metronome);
    press(count_in, transport.count_in);
    press(record, transport.is_recording);
    press(select, state.view.tool === "select");
    press(draw, state.view.tool === "draw");
    if (content && content !== before?.content && content.bars.length) {
      map = tempoMap(content);
      length_s = secondOf(map, endTick(content.bars));
    }
    if (content?.bars.length) showPosition(transport.tick, state);
  }

  function showPosition(tick, state = store.get()) {
    const { content, transport } = state;
    if (!content?.bars.length || !map) return;
    position.textContent = positionText(content, tick);
    clock.textContent = `${clockText(secondOf(map, tick))} / ${clockText(length_s)}`;
    const bar = content.bars.find((item) => tick < item.tick + item.ticks) ?? content.bars[0];
    facts.textContent = [`${Math.round(tempoAt(content, tick))} bpm`, `${bar.numerator}/${bar.denominator}`, content.key, transport.loop && `loop ${barsText(content, { bars: transport.loop })}`].filter(Boolean).join(" · ");
  }
  store.subscribe(show);
  show(store.get());
  return { showPosition };
}

/** Show the jobs that wait or run at the foot of the page, each with its time left and a button that cancels it. */
export function createJobLine(box, store, session) {
  store.subscribe((state, before) => {
    if (state.jobs === before.jobs) return;
    const active = Object.values(state.jobs).filter((job) => job.state === "queued" || job.state === "running");
    box.hidden = !active.length;
    while (box.children.length > active.length) box.lastChild.remove();
    active.forEach((job, at) => showJob(box.children[at] ?? box.appendChild(jobRow()), job, session));
  });
}

function jobRow() {
  const bar = h("progress", { max: 1, aria: { label: "Progress" } });
  return h("div", { class: "job-row" }, h("span", { class: "words" }), bar, h("button", { type: "button" }, "Cancel"));
}

function showJob(row, job, session) {
  const [words, bar, cancel] = row.children;
  const left = job.left_s === null || job.left_s === undefined ? "" : `, ${job.left_s < 60 ? `${Math.ceil(job.left_s)} s` : `${Math.ceil(job.left_s / 60)} min`} left`;
  words.textContent = job.state === "queued" && job.place ? `${job.words}: waiting, number ${job.place} in the queue` : `${job.words}: ${job.what ?? "working"}${left}`;
  if (job.total) bar.value = Math.min(1, job.done / job.total);
  else bar.removeAttribute("value");
  cancel.onclick = () => session.cancel(job.id);
}
