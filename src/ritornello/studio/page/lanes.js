/** The head of each lane: name, mute, solo, lock, volume and pan of its part, and a dialog for its instrument and files. */
import { channelOf, isLocked, partName, toggleLocks } from "./state.js";
import { h, icon, iconButton, openDialog, press } from "./dom.js";
import { dragChip } from "./exports.js";
import { workButton } from "./fields.js";

/** Create the heads and keep them beside their lanes. */
export function createLanes(roll, store, session) {
  const rack = h("div", { class: "rack" });
  let heads = [];
  roll.lanes_box.append(rack);

  function build(state) {
    heads = state.content.parts.map((_, part) => headOf(state, part));
    rack.replaceChildren(...heads.map((head) => head.element));
  }

  function headOf(state, part) {
    const name = partName(state.content, part);
    const set = (values) => session.changeMixer(part, values);
    const flip = (key) => set({ [key]: !channelOf(store.get().song.mixer, part)[key] });
    const mute = h("button", { type: "button", class: "letter", title: "Mute (M)", aria: { label: `Mute ${name}`, pressed: false }, onclick: () => flip("mute") }, "M");
    const solo = h("button", { type: "button", class: "letter", title: "Solo (S)", aria: { label: `Solo ${name}`, pressed: false }, onclick: () => flip("solo") }, "S");
    const lock = h("button", { type: "button", class: "icon small", title: "Lock the part: it stays in takes and variations", aria: { label: `Lock ${name}`, pressed: false }, onclick: () => lockPart(part) });
    const volume = slider(`Volume of ${name}`, 0, 1.5, (value) => set({ volume: value }));
    const pan = slider(`Pan of ${name}`, -1, 1, (value) => set({ pan: value }));
    const more = h("button", { type: "button", class: "icon small", title: "Instrument, files", aria: { label: `Instrument and files of ${name}`, haspopup: "dialog" }, onclick: () => openPart(part) }, "⋯");
    const choose = h("button", { type: "button", class: "part-name", title: `${name}: show its velocities`, onclick: () => {
      store.dispatch({ type: "set", values: { cursor: { ...store.get().cursor, part } } });
      roll.scrollTo(store.get().cursor.bar, part);
    } }, h("i", { class: "dot" }), h("span", {}, name));
    const element = h("div", { class: "head", role: "group", aria: { label: name } },
      h("div", { class: "row" }, choose, more), h("div", { class: "row tools" }, mute, solo, lock, h("span", { class: "spread" }), h("small", {}, state.content.parts[part].instrument === name ? "" : state.content.parts[part].instrument)),
      h("div", { class: "row sliders" }, h("label", {}, h("span", { aria: { hidden: true } }, "vol"), volume), h("label", {}, h("span", { aria: { hidden: true } }, "pan"), pan)));
    return { element, mute, solo, lock, volume, pan, choose };
  }

  function lockPart(part) {
    const { song, content } = store.get();
    if (song) session.changeLocks(toggleLocks(song.locks, content, { bars: [0, 0], parts: [part] }, true));
  }

  /** Open the dialog of a part: its instrument, its files, and volume and pan, for which a narrow page has no other room. */
  function openPart(part) {
    const { content, song, server } = store.get();
    if (!song) return;
    const item = content.parts[part];
    const names = [...new Set(server.labels.flatMap((label) => label.instruments))];
    const input = h("input", { id: "instrument", type: "text", value: item.instrument, autocomplete: "off" });
    input.setAttribute("list", "instruments");
    const settings = channelOf(song.mixer, part);
    const volume = slider("Volume", 0, 1.5, (value) => session.changeMixer(part, { volume: value }), settings.volume);
    const pan = slider("Pan", -1, 1, (value) => session.changeMixer(part, { pan: value }), settings.pan);
    const dialog = openDialog(partName(content, part), h("div", { class: "form" },
      h("div", { class: "field" }, h("label", { htmlFor: "instrument" }, "Instrument"), input, h("datalist", { id: "instruments" }, ...names.map((name) => h("option", { value: name }))), h("span", { class: "help" }, "Notes move by octaves into the range of the instrument.")),
      h("div", { class: "buttons" }, workButton("Change instrument", async () => {
        const done = await session.runJob({ kind: "change", song: song.id, parent: song.head, options: { instrument: [`${part + 1}=${input.value.trim()}`] } }, "The change");
        if (!done) return;
        dialog.close();
        await session.refreshSong();
      }, "primary")),
      h("div", { class: "pairs" }, h("label", { class: "field" }, h("span", {}, "Volume"), volume), h("label", { class: "field" }, h("span", {}, "Pan"), pan)),
      h("div", { class: "field" }, h("span", { class: "label" }, "Drag the part out, or click to save it"), h("div", { class: "chips" }, ...["mid", "wav", "flac"].map((ending) => dragChip(song, ending, part, partName(content, part)))))));
  }

  function place() {
    roll.lanes.forEach((lane, part) => {
      const element = heads[part]?.element;
      if (!element) return;
      element.style.transform = `translateY(${lane.top}px)`;
      element.style.height = `${roll.is_narrow ? lane.head_px : lane.height}px`;
      element.style.setProperty("--part", roll.part_colours[part]);
    });
  }

  function show(state) {
    const is_song = state.stage === "song" && state.song;
    heads.forEach((head, part) => {
      const { volume, pan, mute, solo } = channelOf(state.song?.mixer, part);
      const lock_is_on = Boolean(is_song) && isLocked(state.song.locks.filter((lock) => !lock.bars), part, 0);
      for (const control of [head.mute, head.solo, head.lock, head.volume, head.pan]) control.disabled = !is_song;
      press(head.mute, mute);
      press(head.solo, solo);
      if (head.lock.getAttribute("aria-pressed") !== String(lock_is_on) || !head.lock.firstChild) head.lock.replaceChildren(icon(lock_is_on ? "lock" : "unlock"));
      press(head.lock, lock_is_on);
      if (document.activeElement !== head.volume) head.volume.value = String(volume);
      if (document.activeElement !== head.pan) head.pan.value = String(pan);
      head.element.classList.toggle("current", state.cursor.part === part);
      head.choose.setAttribute("aria-pressed", String(state.cursor.part === part));
      head.element.classList.toggle("silent", mute || (state.song?.mixer?.parts ?? []).some((other) => other?.solo) && !solo);
    });
  }

  store.subscribe((state, before) => {
    if (!state.content) return void rack.replaceChildren();
    if (state.content.parts !== before.content?.parts || state.stage !== before.stage) build(state);
    if (state.content !== before.content || state.view !== before.view || state.stage !== before.stage) place();
    if (state.song !== before.song || state.content !== before.content || state.cursor.part !== before.cursor.part) show(state);
  });
  roll.stage.addEventListener("recolour", place);
  new ResizeObserver(place).observe(roll.scroller);
  return { flip: (part, key) => session.changeMixer(part, { [key]: !channelOf(store.get().song.mixer, part)[key] }) };
}

function slider(label, min, max, on_input, value = 0) {
  const input = h("input", { type: "range", min, max, step: 0.01, value, aria: { label }, oninput: () => on_input(Number(input.value)) });
  input.addEventListener("dblclick", () => {
    input.value = min < 0 ? "0" : "1";
    on_input(Number(input.value));
  });
  return input;
}
