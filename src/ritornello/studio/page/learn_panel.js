/** The tab Learn: the doctor's findings about a folder, training on it, and samples of the model while it is trained. */
import { workButton } from "./fields.js";
import { h, say } from "./dom.js";

/** Fill the tab. */
export function createLearnPanel(box, store, session) {
  const { server } = store.get();
  if (!server.music?.length) {
    box.append(h("h2", {}, "Learn from your own music"), h("p", {}, "Start the studio with a folder of music; it can then be chosen here:"), h("pre", { class: "code", tabIndex: 0 }, "ritornello studio --music FOLDER"), h("p", { class: "help" }, "The studio reads only these folders, and never writes into them."));
    return { focus: () => box.querySelector("pre").focus() };
  }
  const folder = h("select", { id: "learn-music" }, ...server.music.map((name) => h("option", { value: name }, name)));
  const minutes = h("input", { id: "learn-minutes", type: "number", min: 1, max: 1440, value: 20 });
  const report = h("div", { class: "report", role: "region", aria: { label: "Findings of the doctor" } });
  const log = h("pre", { class: "log", tabIndex: 0, role: "log", aria: { label: "Log of the training" }, hidden: true });
  const samples = h("ul", { class: "samples", aria: { label: "Samples" } });
  box.append(h("div", { class: "form" },
    h("div", { class: "field" }, h("label", { htmlFor: "learn-music" }, "Folder"), folder),
    h("div", { class: "buttons" }, workButton("Check the files", check)), report,
    h("div", { class: "field" }, h("label", { htmlFor: "learn-minutes" }, "Minutes"), minutes, h("span", { class: "help" }, "The time for all of it.")),
    h("div", { class: "buttons" }, workButton("Learn", learn, "primary"))), log, h("h2", { hidden: true }, "Samples"), samples);
  const samples_head = box.querySelector("h2");

  async function check() {
    const done = await session.runJob({ kind: "doctor", music: folder.value, options: {} }, "The check");
    if (done) report.replaceChildren(...reportOf(done.report));
  }

  async function learn() {
    log.hidden = false;
    log.textContent = "";
    const done = await session.runJob({ kind: "learn", music: folder.value, minutes: Number(minutes.value), options: {} }, "Learning", (event, data) => {
      if (event === "log") write(data.line);
      if (event === "progress" && data.what) write(data.what, true);
      if (event === "sample") addSample(data);
    });
    if (done) say("Learning is done.");
  }

  let last_progress = "";
  function write(line, is_progress = false) {
    if (is_progress && line === last_progress) return;
    if (is_progress) last_progress = line;
    log.textContent += `${line}\n`;
    log.scrollTop = log.scrollHeight;
  }

  function addSample({ url }) {
    const name = `sample ${samples.children.length + 1}`;
    samples_head.hidden = false;
    samples.append(h("li", {}, h("span", {}, name), h("audio", { controls: true, preload: "none", src: url, aria: { label: name } })));
  }
  return { focus: () => folder.focus() };
}

/** The doctor's report as a table of its numbers and a list of its findings. */
function reportOf(report) {
  const numbers = [];
  const findings = [];
  for (const [name, value] of Object.entries(report)) {
    const words = name.replaceAll("_", " ");
    if (typeof value === "number" || typeof value === "string") numbers.push([words, value]);
    else if (Array.isArray(value)) for (const item of value.slice(0, 40)) findings.push(typeof item === "string" ? item : Object.values(item).filter((each) => typeof each !== "object").join(": "));
    else if (value) for (const [key, inner] of Object.entries(value)) if (typeof inner !== "object") numbers.push([`${words}: ${key.replaceAll("_", " ")}`, inner]);
  }
  return [
    h("table", { class: "facts" }, h("tbody", {}, ...numbers.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, String(value)))))),
    findings.length ? h("ul", {}, ...findings.map((line) => h("li", {}, line))) : h("p", {}, "Nothing is wrong with the files."),
  ];
}
