/** The tab Compose: the options of a song, and its sketch as a table that can be edited. */
import { fieldOf, fieldsOf, readFields, workButton } from "./fields.js";
import { CADENCES, changeBar, changeTexture, contentOfSketch } from "./sketch.js";
import { h, say } from "./dom.js";

const PAIRED = ["key", "tempo", "meter", "bars"];
const WIDE = ["parts", "form", "chords", "creativity"];
const NOT_IN_MORE = ["sketch", "prompt", "melody", "chords_from", "spread", "genre", "seconds", ...PAIRED, ...WIDE];
const KEYS = ["C", "G", "D", "A", "E", "F", "Bb", "Eb"].flatMap((tonic) => [`${tonic} major`, `${tonic} minor`]).concat(["D dorian", "G mixolydian", "A minor pentatonic", "E blues"]);

/** Fill the tab. `on_done(song)` is called when a song was composed. */
export function createComposePanel(box, store, session, on_done) {
  const { server } = store.get();
  const options = server.options.compose ?? [];
  const label = createLabelField(server, options);
  const short = fieldsOf(options, PAIRED);
  const wide = fieldsOf(options, WIDE);
  const more = fieldsOf(options, options.map((option) => option.name), NOT_IN_MORE);
  const models = fieldOf({ name: "model", kind: "choice", default: "", choices: ["", ...(server.models ?? [])], low: null, high: null, help: "The model that composes: the bundled one, or one that this studio has trained." });
  models.input.options[0].textContent = "the bundled model";
  const music = ["melody", "prompt", "chords_from"].map((name) => songField(options.find((option) => option.name === name), store));
  more.unshift(...music.filter(Boolean));
  const fields = [label, ...short, ...wide, ...more];
  const sketch_names = new Set((server.options.sketch ?? []).map((option) => option.name));
  addKeys(short[0]?.input);

  const table = h("div", { id: "sketch-table" });
  const sketch_box = h("section", { id: "sketch", hidden: true, aria: { label: "Sketch" } });
  const draw = workButton("Draw a sketch", drawSketch, "primary");
  const straight = workButton("Compose at once", () => composeSong(readFields(fields)));
  models.hidden = !server.models?.length;
  const model = () => (models.read() ? { model: models.read() } : {});
  box.append(
    h("form", { class: "form", onsubmit: (event) => (event.preventDefault(), draw.click()) }, models, label, h("div", { class: "pairs" }, ...short), ...wide,
      h("details", {}, h("summary", {}, "More options"), h("div", { class: "form" }, ...more)),
      h("div", { class: "buttons" }, draw, straight)),
    sketch_box,
  );

  async function drawSketch() {
    const values = readFields(fields);
    const sketch_options = Object.fromEntries(Object.entries(values).filter(([name]) => sketch_names.has(name)));
    const done = await session.runJob({ kind: "sketch", options: sketch_options, ...model() }, "The sketch");
    if (!done) return;
    store.dispatch({ type: "set", values: { sketch: done.sketch, options: { ...values, seed: values.seed ?? done.seed } } });
    showSketch(done.sketch);
    say(`A sketch of ${done.sketch.bars.length} bars is drawn. Change what you like, then compose it.`);
    sketch_box.scrollIntoView({ block: "nearest" });
  }

  function showSketch(sketch, is_edit = false) {
    store.dispatch({ type: "set", values: { sketch } });
    store.dispatch({ type: "plan", stage: "sketch", content: contentOfSketch(sketch) });
    if (is_edit) return;
    sketch_box.hidden = false;
    const head = [sketch.genre, sketch.key, sketch.meter, sketch.tempo && `${Math.round(sketch.tempo)} bpm`, `${sketch.bars.length} bars`].filter(Boolean).join(", ");
    table.replaceChildren(sketchTable(sketch, (change) => showSketch(change(store.get().sketch), true)));
    sketch_box.replaceChildren(h("h2", {}, "Sketch"), h("p", { class: "help" }, `${head}. An empty field is drawn when you compose.`), table,
      h("div", { class: "buttons" }, workButton("Compose this sketch", composeSketch, "primary"), workButton("Draw another", drawSketch), workButton("Close", closeSketch)));
  }

  function composeSketch() {
    const { sketch, options } = store.get();
    const other = Object.entries(options).filter(([name]) => !sketch_names.has(name) || name === "creativity" || name === "seed" || name === "force");
    return composeSong({ ...Object.fromEntries(other), sketch });
  }

  async function closeSketch() {
    sketch_box.hidden = true;
    const { song } = store.get();
    if (song) await session.openSong(song.id);
  }

  async function composeSong(song_options) {
    const textures = song_options.sketch ? contentOfSketch(song_options.sketch).textures : [];
    const done = await session.runJob({ kind: "compose", options: song_options, ...model() }, "The song", session.streamInto(textures));
    const { song, stage, sketch } = store.get();
    if (done) {
      sketch_box.hidden = true;
      await session.refreshSongs();
      on_done(await session.openSong(done.song));
      say("The song is composed. Press Space to hear it; select bars to compose them again.");
    } else if (stage === "streaming" && song_options.sketch) showSketch(sketch);
    else if (stage === "streaming" && song) await session.openSong(song.id);
  }
  return { focus: () => label.input.focus() };
}

/** A field that chooses one of the songs of the studio; null without an option. */
function songField(option, store) {
  if (!option) return null;
  const field = fieldOf({ ...option, kind: "choice", choices: [""], default: "" }, "");
  const show = ({ songs }) => {
    const chosen = field.input.value;
    field.input.replaceChildren(h("option", { value: "" }, "none"), ...songs.map((song) => h("option", { value: `${song.id}/${song.head}`, selected: `${song.id}/${song.head}` === chosen }, song.name)));
  };
  store.subscribe((state, before) => state.songs !== before.songs && show(state));
  show(store.get());
  return field;
}

/** The field that chooses a label, and shows how well the model composes it. */
function createLabelField(server, options) {
  const option = options.find((item) => item.name === "genre");
  const field = fieldOf({ ...option, kind: "choice", choices: ["", ...server.labels.map((label) => label.name)] }, "");
  field.input.options[0].textContent = server.default_label ? `the default (${server.default_label})` : "any";
  const help = field.querySelector(".help");
  const show = () => {
    const label = server.labels.find((item) => item.name === (field.input.value || server.default_label));
    const facts = label && [textOf(label.instruments), textOf(label.meters), tempoText(label.tempi)].filter(Boolean).join("; ");
    help.replaceChildren(...(label ? [h("strong", {}, markText(label.mark)), ` ${facts}.`] : [option.help]));
  };
  field.input.addEventListener("change", show);
  show();
  return field;
}

const textOf = (value) => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));
const tempoText = (tempi) => (tempi === null || tempi === undefined ? "" : `${Array.isArray(tempi) ? [...new Set(tempi)].join("-") : tempi} bpm`);
const markText = (mark) => (mark ? `${mark[0].toUpperCase()}${mark.slice(1)}.` : "Not judged.");

function addKeys(input) {
  if (!input || document.getElementById("keys")) return;
  input.setAttribute("list", "keys");
  document.body.append(h("datalist", { id: "keys" }, ...KEYS.map((key) => h("option", { value: key }))));
}

/** The sketch as a table: a row for each bar, with its textures below it. `on_change` is called with a function that changes a sketch. */
function sketchTable(sketch, on_change) {
  const keys = contentOfSketch(sketch).texture_keys;
  const cell = (bar, key, label, size) => h("td", {}, h("input", { type: "text", value: sketch.bars[bar][key] ?? "", size, spellcheck: false, aria: { label: `${label} of bar ${sketch.bars[bar].bar ?? bar + 1}` }, onchange: (event) => on_change((now) => changeBar(now, bar, key, event.target.value.trim())) }));
  const rows = sketch.bars.map((item, bar) => {
    const number = item.bar ?? bar + 1;
    const cadence = h("select", { aria: { label: `Phrase end of bar ${number}` }, onchange: (event) => on_change((now) => changeBar(now, bar, "cadence", event.target.value)) },
      ...["", ...CADENCES].map((name) => h("option", { value: name, selected: (item.cadence ?? "") === name }, name === "none" ? "–" : name || "drawn when you compose")));
    const texture = h("tr", { class: "texture", hidden: true }, h("td", { colSpan: 5 }, ...keys.map((key) => textureFields(sketch, bar, number, key, on_change))));
    const open = h("button", { type: "button", class: "small", aria: { expanded: false, label: `Parts in bar ${number}` }, onclick: () => {
      texture.hidden = !texture.hidden;
      open.setAttribute("aria-expanded", String(!texture.hidden));
    } }, "▾");
    return [h("tr", { class: item.section ? "begins" : "" }, h("th", { scope: "row" }, `${number}`), cell(bar, "section", "Section", 3), cell(bar, "chords", "Chords", 9), h("td", {}, cadence), h("td", {}, open)), texture];
  });
  const heads = ["Bar", "Section", "Chords", "Phrase end"].map((name) => h("th", { scope: "col" }, name));
  return h("table", { class: "sketch" }, h("thead", {}, h("tr", {}, ...heads, h("th", { scope: "col" }, "Parts"))), h("tbody", {}, ...rows.flat()));
}

function textureFields(sketch, bar, number, key, on_change) {
  const planned = sketch.bars[bar].texture?.[key];
  const is_resting = planned === "rests";
  const notes = h("input", { type: "number", min: 0, max: 99, value: is_resting ? 0 : planned?.notes ?? "", aria: { label: `Notes of ${key} in bar ${number}` } });
  const pitch = h("input", { type: "text", size: 4, value: planned?.pitch ?? "", placeholder: "pitch", aria: { label: `Mean pitch of ${key} in bar ${number}` } });
  const change = () => {
    const value = notes.value === "0" ? "rests" : { ...(notes.value ? { notes: Number(notes.value) } : {}), ...(pitch.value.trim() ? { pitch: pitch.value.trim() } : {}) };
    on_change((now) => changeTexture(now, bar, key, value !== "rests" && !Object.keys(value).length ? null : value));
  };
  notes.addEventListener("change", change);
  pitch.addEventListener("change", change);
  return h("div", { class: "texture-row" }, h("span", {}, key), notes, h("span", { class: "unit" }, "notes, about"), pitch);
}
