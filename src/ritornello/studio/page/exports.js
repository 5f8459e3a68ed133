/** Export files of a song: saved by a click, or dragged to another program. */
import { api } from "./api.js";
import { copyText, h, openDialog } from "./dom.js";

const TYPES = { mid: ["MIDI", "audio/midi"], musicxml: ["MusicXML", "application/vnd.recordare.musicxml+xml"], wav: ["WAV", "audio/wav"], flac: ["FLAC", "audio/flac"], zip: ["Bundle (zip)", "application/zip"] };

/** A link that saves a file of the song or of one part; the file can also be dragged out of the page. */
export function dragChip(song, ending, part, name) {
  const [title, type] = TYPES[ending];
  const url = api.fileUrl(song.id, song.head, ending, part);
  const file = `${name ?? song.name}.${ending}`.replace(/[\\/:*?"<>|]+/g, "-");
  const link = h("a", { class: "chip drag", href: url, download: file, draggable: true, title: `${file}: click to save, or drag it out` }, title);
  link.addEventListener("dragstart", (event) => {
    const full = new URL(url, location.href).href;
    event.dataTransfer.setData("DownloadURL", `${type}:${file}:${full}`);
    event.dataTransfer.setData("text/uri-list", full);
    event.dataTransfer.effectAllowed = "copy";
  });
  return link;
}

/** Open the dialog with the files of a song and the command that makes it. */
export function openExport(store) {
  const { song, content } = store.get();
  if (!song) return;
  const command = h("textarea", { id: "export-command", readOnly: true, rows: 3, value: content.command ?? "", spellcheck: false });
  openDialog("Export", h("div", { class: "form" },
    h("p", { class: "help" }, "Click to save, or drag a file into your DAW or a folder."),
    h("div", { class: "field" }, h("span", { class: "label" }, "The song"), h("div", { class: "chips" }, ...Object.keys(TYPES).map((ending) => dragChip(song, ending)))),
    ...content.parts.map((part, at) => h("div", { class: "field" }, h("span", { class: "label" }, `${at + 1}. ${part.name}`), h("div", { class: "chips" }, ...["mid", "wav", "flac"].map((ending) => dragChip(song, ending, at, `${song.name} ${at + 1} ${part.name}`))))),
    content.command ? h("div", { class: "field" }, h("label", { htmlFor: "export-command" }, "The command that makes this song"), command, h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => copyText(content.command, "Command", command) }, "Copy command"))) : null));
}

/** Import files that are dropped anywhere on the page. */
export function listenToDrops(session) {
  addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && document.body.classList.remove("dropping"));
  addEventListener("drop", async (event) => {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    for (const file of event.dataTransfer.files) await session.importFile(file);
  });
}
