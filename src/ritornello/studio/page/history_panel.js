/** The tab History: all versions of the song as a tree, and how the shown version was made. */
import { drawTree, timeText } from "./versions.js";
import { copyText, h } from "./dom.js";

/** A sentence about the longest run of notes that a version shares with a training song; names the song unless `is_short`. */
export function originalityText(originality, is_short = false) {
  if (!originality) return "";
  const { longest_run: run, song, bars } = originality;
  if (!run) return "shares no run with the training songs";
  const where = !bars ? "" : bars[0] === bars[1] ? `, bar ${bars[0]}` : `, bars ${bars[0]}-${bars[1]}`;
  const count = `${run} ${run === 1 ? "note" : "notes"}${where}`;
  if (is_short) return `longest run shared with the training songs: ${count}`;
  return `longest run shared with the training songs: ${count}${song ? ` (${song})` : ""}`;
}

/** Fill the tab. */
export function createHistoryPanel(box, store, session) {
  const list = h("ol", { class: "tree", aria: { label: "Versions, newest first" } });
  const about = h("section", { class: "about", aria: { label: "This version" } });
  box.append(about, h("h2", {}, "Versions"), h("p", { class: "help" }, "Nothing is lost: each edit, take and change is kept. Choose one to go back to it, and go on from there."), list);

  function drawList(song) {
    list.replaceChildren(...drawTree(song.versions, song.head).map((item) => {
      const is_head = item.version === song.head;
      const button = h("button", { type: "button", aria: is_head ? { current: "true" } : {}, onclick: () => !is_head && session.goTo(item.version, `The song is as it was at ${timeText(item.made_at)}.`) },
        h("span", { class: "action" }, item.action || "made"), h("span", { class: "time" }, timeText(item.made_at), item.take ? " · take" : ""), is_head ? h("span", { class: "tag now" }, "now") : null);
      return h("li", { class: `column-${item.column} ${item.is_on_path ? "on-path" : ""}` }, button);
    }));
  }

  function drawAbout(song, content) {
    const version = song.versions.find((item) => item.version === song.head);
    const command = h("textarea", { id: "command", readOnly: true, rows: 3, value: content.command ?? "", spellcheck: false });
    const recipe = content.recipe ? JSON.stringify(content.recipe) : "";
    const originality = originalityText(version?.originality ?? content.originality);
    about.replaceChildren(h("h2", {}, "This version"),
      originality ? h("p", {}, originality[0].toUpperCase() + originality.slice(1) + ".") : h("p", { class: "help" }, "Originality is not known yet."),
      content.command ? h("label", { class: "field", htmlFor: "command" }, h("span", {}, "The command that makes it"), command) : h("p", { class: "help" }, "No command makes this version."),
      h("div", { class: "buttons" }, content.command ? h("button", { type: "button", onclick: () => copyText(content.command, "Command", command) }, "Copy command") : null,
        recipe ? h("button", { type: "button", onclick: () => copyText(recipe, "Recipe") }, "Copy recipe") : null));
  }

  function draw(state, before) {
    if (!state.song || (state.song === before?.song && state.content === before?.content)) return;
    drawList(state.song);
    if (state.stage === "song" && state.content) drawAbout(state.song, state.content);
  }
  store.subscribe(draw);
  draw(store.get());
  return { focus: () => list.querySelector("button")?.focus() };
}
