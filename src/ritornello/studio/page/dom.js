/** Create elements of the page. Text is set as text, never as HTML, so that a song's name cannot inject markup. */

/**
 * Create an element with properties and children. `on*` are listeners; `data` and `aria` are objects of attributes.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "aria") for (const [key, text] of Object.entries(value)) element.setAttribute(`aria-${key}`, String(text));
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && name !== "list" && name !== "form") element[name] = value;
    else element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  play: "M7 4l13 8-13 8z",
  stop: "M6 6h12v12H6z",
  start: "M5 5h2.5v14H5zM20 5v14l-11-7z",
  loop: "M7 7h9a4 4 0 0 1 4 4v1h-2v-1a2 2 0 0 0-2-2H7v3L2.5 8 7 4zM17 17H8a4 4 0 0 1-4-4v-1h2v1a2 2 0 0 0 2 2h9v-3l4.500 4-4.500 4z",
  metronome: "M9 3h6l4 18H5zm1.600 2L8.800 13H12l4-7.200-.5-.8zM8.400 15l-.9 4h9l-.9-4z",
  count: "M4 6h3v12H5V8H4zM9 6h6v7h-4v3h4v2H9v-7h4V8H9zM16.500 6H22v12h-5.500v-2H20v-3h-2.500v-2H20V8h-3.500z",
  record: "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14z",
  undo: "M9 5v4h5a6 6 0 0 1 0 12H8v-2h6a4 4 0 0 0 0-8H9v4L3 10z",
  redo: "M15 5v4h-5a6 6 0 0 0 0 12h6v-2h-6a4 4 0 0 1 0-8h5v4l6-5z",
  lock: "M7 10V8a5 5 0 0 1 10 0v2h1.500v11h-13V10zm2 0h6V8a3 3 0 0 0-6 0z",
  unlock: "M9 10h9.500v11h-13V10H7V7a5 5 0 0 1 9.600-2l-1.800.8A3 3 0 0 0 9 7z",
  export: "M11 3h2v9l3-3 1.400 1.400L12 16l-5.400-5.600L8 9l3 3zM4 15h2v4h12v-4h2v6H4z",
  theme: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 2v14a7 7 0 0 0 0-14z",
  help: "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm-1 14v2h2v-2zm1-10a4 4 0 0 0-4 4h2a2 2 0 1 1 2.700 1.900C11.500 12.400 11 13.200 11 14.500h2c0-.8.300-1 .9-1.300A4 4 0 0 0 12 6z",
  select: "M5 3l14 8-6 1.500L10 19z",
  draw: "M4 20l1-5L16 4l4 4L9 19z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  minus: "M5 11h14v2H5z",
  fit: "M3 5h2v14H3zM19 5h2v14h-2zM10 8v3h4V8l4 4-4 4v-3h-4v3l-4-4z",
  midi: "M3 5h18v14H3zm2 2v10h3v-5H7V7zm4 0v5H8v5h3v-5h-1V7zm6 0v5h-1v5h3v-5h-1V7zm3 0v5h-1v5h3V7z",
  trash: "M9 3h6l1 2h4v2H4V5h4zM6 9h12l-1 12H7z",
  open: "M3 5h7l2 2h9v12H3zm2 4v8h14V9z",
  close: "M6.400 5L12 10.600 17.600 5 19 6.400 13.400 12l5.600 5.600-1.400 1.400L12 13.400 6.400 19 5 17.600l5.600-5.600L5 6.400z",
};

/**
 * An icon of 24 x 24 units, hidden from screen readers.
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

/**
 * A button with a picture; `label` is its name and its tooltip, `key` the shortcut shown in the tooltip.
 * @param {keyof typeof PATHS} picture
 * @param {string} label
 * @param {() => void} onclick
 * @param {{key?: string, pressed?: boolean, text?: string, class?: string}} [more]
 */
export function iconButton(picture, label, onclick, more = {}) {
  const title = more.key ? `${label} (${more.key})` : label;
  const aria = more.pressed === undefined ? {} : { pressed: more.pressed };
  const properties = { type: "button", class: `icon ${more.class ?? ""}`, title, onclick, aria };
  if (!more.text) properties.aria = { ...aria, label };
  return h("button", properties, icon(picture), more.text ? h("span", {}, more.text) : null);
}

/** Set `aria-pressed` of a button. */
export function press(button, is_on) {
  button.setAttribute("aria-pressed", String(is_on));
}

/** Show a text in the status line; screen readers read it. */
export function say(text, is_error = false) {
  const line = document.getElementById("said");
  if (!line) return;
  line.textContent = text;
  line.classList.toggle("error", is_error);
}

/** Copy a text to the clipboard; if the browser forbids it, select the text instead. */
export async function copyText(text, what, field) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied.`);
  } catch {
    field?.select?.();
    say(`Press Ctrl+C to copy the ${what.toLowerCase()}.`);
  }
}

/** Open a modal dialog with a title; returns the element that holds the content. It is removed when it closes. */
export function openDialog(title, ...content) {
  const heading = h("h2", { id: "dialog-title" }, title);
  const close = iconButton("close", "Close", () => dialog.close(), { key: "Esc" });
  const dialog = h("dialog", { aria: { labelledby: "dialog-title" } }, h("div", { class: "dialog-head" }, heading, close), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
