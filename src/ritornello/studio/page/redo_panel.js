/** The tab Redo: compose takes of the selection, compare them by ear, and accept or reject them; locks, variations and changes. */
import { fieldsOf, readFields, workButton } from "./fields.js";
import { barsText, lockTexts, partName } from "./state.js";
import { h, iconButton, say } from "./dom.js";
import { originalityText } from "./history_panel.js";

const MAX_TAKES = 4;

/** Fill the tab. */
export function createRedoPanel(box, store, session) {
  const { server } = store.get();
  const bars = h("input", { id: "redo-bars", type: "text", placeholder: "all", autocomplete: "off", onchange: selectTyped });
  const parts = h("div", { class: "chips", role: "group", aria: { label: "Parts" } });
  const count = h("select", { id: "redo-takes" }, ...[1, 2, 3, 4].map((takes) => h("option", { value: takes, selected: takes === 3 }, `${takes}`)));
  const main = fieldsOf(server.options.redo ?? [], ["creativity"]);
  const more = fieldsOf(server.options.redo ?? [], ["chords", "key", "seed"]);
  const vary = fieldsOf(server.options.vary ?? [], ["amount", "creativity", "seed"]);
  const change = fieldsOf(server.options.change ?? [], ["transpose", "key", "tempo"]);
  const perform = fieldsOf(server.options.perform ?? [], ["feel", "swing", "style"]);
  const locks = h("div", { class: "locks" });
  const takes = h("section", { id: "takes", hidden: true, aria: { label: "Takes" } });
  const run = workButton("Compose takes", redoSelection, "primary");
  const block = (title, fields, text, kind) => h("details", {}, h("summary", {}, title), h("div", { class: "form" }, ...fields, h("div", { class: "buttons" }, workButton(text, () => work(kind, readFields(fields))))));
  box.append(
    h("form", { class: "form", onsubmit: (event) => (event.preventDefault(), run.click()) },
      h("p", { class: "help" }, "Select bars and parts in the roll: drag over them, or use the arrow keys with Shift."),
      h("div", { class: "pairs" }, h("div", { class: "field" }, h("label", { htmlFor: "redo-bars" }, "Bars"), bars), h("div", { class: "field" }, h("label", { htmlFor: "redo-takes" }, "Takes"), count)),
      h("div", { class: "field" }, h("span", { class: "label" }, "Parts"), parts), ...main,
      h("details", {}, h("summary", {}, "More options"), h("div", { class: "form" }, ...more)),
      locks, h("div", { class: "buttons" }, run)),
    takes,
    block("Vary the whole song", vary, "Compose a variation", "vary"),
    block("Transpose, key, tempo", change, "Change", "change"),
    block("Perform as people play", perform, "Perform", "perform"),
  );

  function selectTyped() {
    const { content, region } = store.get();
    const match = /^\s*(\d+)\s*(?:-\s*(\d+))?\s*$/.exec(bars.value);
    if (!content) return;
    const at = (number) => content.bars.findIndex((bar) => bar.number === Number(number));
    const [first, last] = match ? [at(match[1]), at(match[2] ?? match[1])] : [0, content.bars.length - 1];
    if (first < 0 || last < first) return void say(`bars ${bars.value}: must be within ${barsText(content, { bars: [0, content.bars.length - 1] })}`, true);
    store.dispatch({ type: "region", region: { bars: [first, last], parts: region?.parts ?? content.parts.map((_, part) => part) } });
  }

  function togglePart(part) {
    const { content, region } = store.get();
    const chosen = new Set(region?.parts ?? []);
    chosen.has(part) ? chosen.delete(part) : chosen.add(part);
    const bars_kept = region?.bars ?? [0, content.bars.length - 1];
    store.dispatch({ type: "region", region: chosen.size ? { bars: bars_kept, parts: [...chosen].sort((a, b) => a - b) } : null });
  }

  async function redoSelection() {
    const { content, region, song } = store.get();
    if (!song) return;
    await session.settled();
    const what = region ?? { bars: [0, content.bars.length - 1], parts: content.parts.map((_, part) => part) };
    const options = { ...readFields([...main, ...more]), bars: barsText(content, what), takes: Number(count.value) };
    if (what.parts.length < content.parts.length) options.parts = what.parts.map((part) => `${part + 1}`);
    await work("redo", options, what.bars);
  }

  /** Start a job that makes versions of the shown song; versions that do not become the head are shown as takes. */
  async function work(kind, options, loop = null) {
    const { song } = store.get();
    if (!song) return void say("Open or compose a song first.", true);
    if ((kind === "redo" || kind === "vary") && song.locks.length) options.lock = lockTexts(song.locks);
    const words = { redo: "Composing takes", vary: "The variation", change: "The change", perform: "The performance" }[kind];
    const done = await session.runJob({ kind, song: song.id, parent: song.head, options }, words);
    if (!done || store.get().song?.id !== song.id) return;
    const made = done.takes ?? (done.version ? [done.version] : []);
    const head = (await session.attempt(() => session.refreshSong()))?.head;
    if (head !== song.head) return void say(`${words} is done.`);
    await showTakes(song, made, loop);
  }

  async function showTakes(song, made, loop) {
    const known = new Map(store.get().song.versions.map((item) => [item.version, item]));
    const items = [];
    for (const version of made.slice(0, MAX_TAKES)) items.push({ version, content: await session.contentOf(song.id, version), originality: known.get(version)?.originality, action: known.get(version)?.action });
    store.dispatch({ type: "takes", parent: song.head, items });
    if (loop) store.dispatch({ type: "transport", values: { loop } });
    say(`${items.length} ${items.length === 1 ? "take is" : "takes are"} ready. Keys 1 to ${items.length} and 0 compare them while the song plays; Enter accepts.`);
  }

  async function accept() {
    const { takes: now } = store.get();
    if (!now?.audible) return reject();
    const take = now.items[now.audible - 1];
    store.dispatch({ type: "set", values: { takes: null, trail: [] } });
    return session.goTo(take.version, `Take ${now.audible} is accepted. Undo brings back what was before.`);
  }

  function reject() {
    store.dispatch({ type: "set", values: { takes: null } });
    say("The song stays as it was. The takes are kept in the history.");
  }

  function drawTakes(state) {
    const { takes: now } = state;
    takes.hidden = !now?.items.length;
    if (!now?.items.length) return;
    const row = (number, title, words) => h("label", { class: "take" }, h("input", { type: "radio", name: "take", value: number, checked: now.audible === number, onchange: () => store.dispatch({ type: "audible", take: number }) }), h("kbd", {}, `${number}`), h("span", {}, h("strong", {}, title), h("small", {}, words)));
    const rows = now.items.map((take, at) => row(at + 1, `Take ${at + 1}`, [`${take.ghosts.length} new notes`, originalityText(take.originality ?? take.content.originality, true) || "originality is being computed"].filter(Boolean).join("; ")));
    const focused = takes.contains(document.activeElement) && document.activeElement.value;
    takes.replaceChildren(h("h2", {}, "Takes"), h("fieldset", {}, h("legend", {}, "What is heard"), row(0, "The song as it is", state.transport.loop ? `bars ${barsText(state.content, { bars: state.transport.loop })} loop` : "without a loop"), ...rows),
      h("div", { class: "buttons" }, workButton(now.audible ? `Accept take ${now.audible}` : "Keep the song as it is", accept, "primary"), workButton("Reject all takes", async () => reject())));
    if (focused) takes.querySelector(`input[value="${focused}"]`)?.focus();
  }

  function drawLocks(state) {
    const items = state.song?.locks ?? [];
    locks.hidden = !items.length;
    locks.replaceChildren(h("span", { class: "label" }, "Locked"), ...items.map((lock) => {
      const words = [lock.part === null ? "all parts" : partName(state.content, lock.part), lock.bars ? `bars ${lock.bars[0]}-${lock.bars[1]}` : ""].filter(Boolean).join(", ");
      return h("span", { class: "chip" }, words, iconButton("close", `Unlock ${words}`, () => session.changeLocks(items.filter((other) => other !== lock))));
    }));
  }

  function draw(state, before) {
    if (state.content && state.stage === "song" && (state.region !== before?.region || state.content !== before?.content)) {
      bars.value = state.region ? barsText(state.content, state.region) : "";
      parts.replaceChildren(...state.content.parts.map((_, part) => {
        const is_on = state.region?.parts.includes(part) ?? false;
        return h("button", { type: "button", class: "chip", data: { part }, aria: { pressed: is_on }, onclick: () => togglePart(part) }, partName(state.content, part));
      }));
    }
    if (state.takes !== before?.takes || state.transport.loop !== before?.transport.loop) drawTakes(state);
    if (state.song?.locks !== before?.song?.locks) drawLocks(state);
  }
  store.subscribe(draw);
  draw(store.get());
  return { accept, focus: () => bars.focus() };
}
