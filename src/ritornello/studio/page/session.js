/** All that the page does with the server: open songs, save edits, undo and redo, start and follow jobs. */
import { api, followJob } from "./api.js";
import { say } from "./dom.js";
import { joinNotes, noNotes } from "./notes.js";
import { redoTarget, undoTarget } from "./versions.js";

const MIXER_WAIT_MS = 400;
const ORIGINALITY_WAIT_MS = 1200;

/** @param {ReturnType<import("./state.js").createStore>} store */
export function createSession(store) {
  const cache = new Map(); // the content of each version, which never changes
  let last_turn = Promise.resolve(); // edits, undo and redo reach the server one after the other
  let unsaved = 0;
  let mixer_timer = 0;
  let originality_timer = 0;
  let is_finding = false;
  const requested = new Set(); // versions whose originality was requested

  /** Call a function; show an error in the status line and return undefined. */
  async function attempt(work) {
    try {
      return await work();
    } catch (error) {
      console.error(error);
      say(error.message, true);
      return undefined;
    }
  }

  /** Call a function after all earlier ones have ended. */
  function inTurn(work) {
    last_turn = last_turn.then(work);
    return last_turn;
  }

  async function contentOf(id, version) {
    const key = `${id}/${version}`;
    if (!cache.has(key)) cache.set(key, { ...(await api.version(id, version)), song_id: id, version, is_saved: true });
    if (cache.size > 64) cache.delete(cache.keys().next().value);
    return cache.get(key);
  }

  async function refreshSongs() {
    store.dispatch({ type: "set", values: { songs: await api.songs() } });
  }

  /** Open a song at its head, once all edits are saved. */
  async function openSong(id) {
    await last_turn;
    return showHead(id);
  }

  async function showHead(id) {
    const song = await api.song(id);
    const content = await contentOf(id, song.head);
    store.dispatch({ type: "open", song, content });
    return song;
  }

  /** Save the shown notes as a new version; edits are saved in their order. */
  function saveEdit(action) {
    const { song, content } = store.get();
    unsaved++;
    return inTurn(async () => {
      const parent = store.get().song.head;
      const answer = await attempt(() => api.addVersion(song.id, { parent, action, notes: content.notes }));
      unsaved--;
      // the next edit, which may come while the song is read again, has this version as parent
      if (answer) store.dispatch({ type: "set", values: { song: { ...store.get().song, head: answer.version } } });
      return unsaved ? undefined : reopen(song.id);
    });
  }

  /** Read the song and its versions again; read its notes only if the head has moved. */
  async function refreshSong() {
    const song = await api.song(store.get().song.id);
    if (song.head !== store.get().song.head) await openSong(song.id);
    else store.dispatch({ type: "set", values: { song } });
    return song;
  }

  async function reopen(id) {
    const song = await attempt(() => api.song(id));
    const content = song && (await attempt(() => contentOf(id, song.head)));
    if (content && !unsaved) store.dispatch({ type: "open", song, content });
  }

  /** Change notes at once, and save them. */
  function edit(notes, action, chosen) {
    store.dispatch({ type: "edit", notes, chosen });
    store.dispatch({ type: "set", values: { trail: [], takes: null } });
    say(`${action[0].toUpperCase()}${action.slice(1)}.`);
    return saveEdit(action);
  }

  /** Make another version the head. */
  const goTo = (version, words) => inTurn(() => moveHead(version, words));

  async function moveHead(version, words) {
    const { song } = store.get();
    await attempt(async () => {
      await api.patchSong(song.id, { head: version }, song.head);
      await showHead(song.id);
      say(words);
    });
  }

  const actionOf = (version) => store.get().song.versions.find((item) => item.version === version)?.action ?? "";

  const undo = () => inTurn(undoOne);
  const redo = () => inTurn(redoOne);

  async function undoOne() {
    const { song, trail } = store.get();
    const target = song && undoTarget(song.versions, song.head);
    if (target === null || target === undefined) return say("Nothing to undo.");
    store.dispatch({ type: "set", values: { trail: [...trail, song.head], takes: null } });
    return moveHead(target, `Undone: ${actionOf(song.head)}.`);
  }

  async function redoOne() {
    const { song, trail } = store.get();
    const target = song && redoTarget(song.versions, song.head, trail);
    if (target === null || target === undefined) return say("Nothing to redo.");
    store.dispatch({ type: "set", values: { trail: trail.slice(0, -1), takes: null } });
    return moveHead(target, `Redone: ${actionOf(target)}.`);
  }

  /** Change settings of the mixer; they are saved when no change comes for MIXER_WAIT_MS. */
  function changeMixer(part, values) {
    const { song } = store.get();
    const parts = [...(song.mixer?.parts ?? [])];
    while (parts.length <= part) parts.push({});
    parts[part] = { ...parts[part], ...values };
    const mixer = { ...song.mixer, parts };
    store.dispatch({ type: "set", values: { song: { ...song, mixer } } });
    clearTimeout(mixer_timer);
    mixer_timer = setTimeout(() => attempt(() => api.patchSong(song.id, { mixer })), MIXER_WAIT_MS);
  }

  /** Choose the soundfont of a song by the server's name; "" is the synthesizer of Ritornello. */
  async function changeSound(soundfont) {
    const { song } = store.get();
    const mixer = { ...song.mixer, soundfont: soundfont || null };
    store.dispatch({ type: "set", values: { song: { ...song, mixer } } });
    await attempt(() => api.patchSong(song.id, { mixer }));
  }

  async function changeLocks(locks) {
    const { song } = store.get();
    store.dispatch({ type: "set", values: { song: { ...song, locks } } });
    await attempt(() => api.patchSong(song.id, { locks }));
  }

  async function rename(name) {
    const { song } = store.get();
    await attempt(async () => {
      await api.patchSong(song.id, { name });
      store.dispatch({ type: "set", values: { song: { ...song, name } } });
      await refreshSongs();
    });
  }

  /** Import a file and open it as a song. */
  async function importFile(file) {
    say(`Reading ${file.name} ...`);
    await attempt(async () => {
      const song = await api.importSong(file, file.name);
      await refreshSongs();
      await openSong(song.id);
      say(`${file.name} is open.`);
    });
  }

  async function removeSong(id) {
    await attempt(async () => {
      await api.deleteSong(id);
      await refreshSongs();
      const next = store.get().songs[0];
      if (next) await openSong(next.id);
      else store.dispatch({ type: "set", values: { song: null, content: null, index: null } });
      say("The song was moved to the trash folder.");
    });
  }

  /**
   * Start a job, show it at the foot of the page, and follow it to its end; resolves with the data of `done`, or null.
   * `on_event` is called with each event.
   */
  async function runJob(body, words, on_event = () => {}) {
    const started = await attempt(() => api.startJob(body));
    if (!started) return null;
    const id = started.job;
    store.dispatch({ type: "job", id, values: { id, kind: body.kind, words, state: "queued", done: 0, total: 0, left_s: null } });
    const { event, data } = await followJob(id, (name, values) => {
      if (name === "queued") store.dispatch({ type: "job", id, values: { state: "queued", place: values.place } });
      if (name === "progress") store.dispatch({ type: "job", id, values: { state: "running", ...values } });
      on_event(name, values);
    });
    store.dispatch({ type: "job", id, values: { state: event } });
    if (event === "failed") say(data.error, true);
    if (event === "cancelled") say(`${words} was cancelled.`);
    return event === "done" ? data : null;
  }

  /** A function that shows the events `parts` and `notes` of a job as a growing song in the roll. */
  function streamInto(textures) {
    let waiting = noNotes();
    let frame = 0;
    const flush = () => {
      frame = 0;
      const { content, stage } = store.get();
      if (stage !== "streaming") return;
      store.dispatch({ type: "edit", notes: joinNotes(content.notes, waiting), chosen: [] });
      waiting = noNotes();
    };
    return (event, data) => {
      if (event === "parts") waiting = noNotes();
      if (event === "parts") store.dispatch({ type: "plan", stage: "streaming", content: { ...data, textures: fitting(textures, data) } });
      if (event !== "notes") return;
      waiting = joinNotes(waiting, data);
      if (!frame) frame = requestAnimationFrame(flush);
    };
  }

  /**
   * Request the originality of the shown takes, or of the head if the history is open. The server needs seconds for it, so the
   * request is sent when nothing has changed for ORIGINALITY_WAIT_MS.
   */
  function wantOriginality() {
    clearTimeout(originality_timer);
    originality_timer = setTimeout(findOriginality, ORIGINALITY_WAIT_MS);
  }

  async function findOriginality() {
    const { song, takes, panel, content, stage } = store.get();
    if (!song || stage !== "song" || is_finding) return;
    const shown = takes?.items.map((take) => take.version) ?? (panel === "history" && content.command ? [song.head] : []);
    const version = shown.find((each) => !song.versions.find((item) => item.version === each)?.originality && !requested.has(`${song.id}/${each}`));
    if (version === undefined) return;
    requested.add(`${song.id}/${version}`);
    is_finding = true;
    const originality = await api.originality(song.id, version).catch(() => null);
    is_finding = false;
    if (originality) store.dispatch({ type: "originality", id: song.id, version, originality });
    wantOriginality();
  }

  const cancel = (id) => attempt(() => api.cancelJob(id));
  return { attempt, contentOf, refreshSongs, refreshSong, wantOriginality, openSong, edit, goTo, undo, redo, changeMixer, changeSound, changeLocks, rename, importFile, removeSong, runJob, streamInto, cancel, settled: () => last_turn };
}

/** Planned textures if they fit the parts and bars of a song, else none. */
function fitting(textures, content) {
  return textures?.length === content.parts.length && textures[0]?.length === content.bars.length ? textures : [];
}
