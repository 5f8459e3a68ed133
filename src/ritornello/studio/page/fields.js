/** Form fields for the options that the server describes, with the same texts, ranges and defaults as the command line. */
import { h } from "./dom.js";

const LABELS = {
  genre: "Label", swing_notes: "Swing notes", n: "Songs", prompt: "Continue a song", prompt_bars: "Only its first bars", melody: "Accompany a song", chords_from: "Chords of a song", chords: "Chords", feel: "Feel", force: "Force unusual parts",
};
const BRIEF = new Set(["key", "tempo", "meter", "bars", "parts", "form", "chords", "seed"]); // fields that show their help only as a tooltip
const PLACEHOLDERS = { key: "as the label", tempo: "as the label", meter: "as the label", bars: "16", parts: "as the label", form: "A8 A8 B8 A8~", chords: "C | Am F | G7", seed: "random", density: "bass=low", register: "piano=high" };

/** The label of the field of an option. */
export const labelOf = (name) => LABELS[name] ?? (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

let count = 0;

/**
 * A field for an option. Its `read()` returns the value, or undefined if the field is empty or has the default.
 * @param {{name: string, kind: string, default: any, low: number | null, high: number | null, choices: string[], help: string}} option
 * @param {any} [value] the value that the field shows first
 */
export function fieldOf(option, value = option.default) {
  const id = `option-${option.name}-${++count}`;
  const input = inputOf(option, id, value);
  const help = h("span", { class: "help", id: `${id}-help` }, option.help.split("; by default")[0].split(" by default")[0].replace(/[:;,]$/, "."));
  input.setAttribute("aria-describedby", `${id}-help`);
  const is_range = input.type === "range";
  const output = is_range ? h("output", { htmlFor: id }, input.value) : null;
  if (is_range) input.addEventListener("input", () => (output.textContent = input.value));
  const field = h("div", { class: `field ${option.kind === "bool" ? "check" : ""} ${BRIEF.has(option.name) ? "brief" : ""}`, title: option.help, data: { option: option.name } }, h("label", { htmlFor: id }, labelOf(option.name), output), input, help);
  field.input = input;
  field.read = () => valueOf(option, input);
  field.write = (text) => {
    input.value = text ?? "";
    if (output) output.textContent = input.value;
  };
  return field;
}

function inputOf(option, id, value) {
  const text = value === null || value === undefined ? "" : String(value);
  if (option.kind === "bool") return h("input", { id, type: "checkbox", checked: Boolean(value) });
  if (option.kind === "choice") return h("select", { id }, ...option.choices.map((choice) => h("option", { value: choice, selected: choice === value }, choice)));
  const is_number = option.kind === "int" || option.kind === "float";
  if (option.kind === "float" && option.low === 0 && option.high === 1) return h("input", { id, type: "range", min: 0, max: 1, step: 0.05, value: text });
  if (is_number) {
    const is_small = option.high !== null && option.high < 1e6;
    return h("input", { id, type: "number", inputMode: "decimal", min: option.low ?? "", max: is_small ? option.high : "", step: option.kind === "int" ? 1 : "any", value: text, placeholder: PLACEHOLDERS[option.name] ?? "" });
  }
  return h("input", { id, type: "text", value: text, placeholder: PLACEHOLDERS[option.name] ?? "", autocomplete: "off", spellcheck: false });
}

function valueOf(option, input) {
  if (option.kind === "bool") return input.checked || undefined;
  const text = input.value.trim();
  if (text === "") return undefined;
  if (option.kind === "int" || option.kind === "float") {
    const number = Number(text);
    return number === option.default ? undefined : number;
  }
  if (option.kind === "list") return text.split(",").map((item) => item.trim()).filter(Boolean);
  return text === option.default ? undefined : text;
}

/** The values of several fields by option; options whose field is empty or has the default are left out. */
export function readFields(fields) {
  const values = {};
  for (const field of fields) {
    const value = field.read();
    if (value !== undefined) values[field.dataset.option] = value;
  }
  return values;
}

/** Fields for the options of these names, in this order; names that are no options, or are in `left_out`, get none. */
export function fieldsOf(options, names, left_out = []) {
  const known = new Map(options.map((option) => [option.name, option]));
  return names.filter((name) => known.has(name) && !left_out.includes(name)).map((name) => fieldOf(known.get(name)));
}

/** A button that starts work and cannot be pressed again until the work is done. */
export function workButton(text, work, more = "") {
  const button = h("button", { type: "button", class: `work ${more}`, onclick: async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      await work();
    } finally {
      button.removeAttribute("aria-disabled");
    }
  } }, text);
  return button;
}
