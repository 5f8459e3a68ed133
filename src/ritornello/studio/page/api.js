/** Send requests to the server of the studio. Each returns the JSON of the answer, or throws an ApiError with the server's error line. */

export class ApiError extends Error {
  /** @param {number} status */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body, headers = {}) {
  const is_data = body instanceof Blob || body instanceof ArrayBuffer;
  const options = { method, headers: { ...headers }, credentials: /** @type {const} */ ("same-origin") };
  if (body !== undefined) {
    options.body = is_data ? body : JSON.stringify(body);
    if (!is_data) options.headers["Content-Type"] = "application/json";
    else options.headers["Content-Type"] = "application/octet-stream";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new ApiError(0, "the studio's server does not answer; is `ritornello studio` still running?");
  }
  const content = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return content;
  throw new ApiError(answer.status, content?.error ?? `the server answered ${answer.status}`);
}

const song = (id) => `/api/songs/${encodeURIComponent(id)}`;

export const api = {
  state: () => call("GET", "/api/state"),
  songs: () => call("GET", "/api/songs"),
  song: (id) => call("GET", song(id)),
  version: (id, version) => call("GET", `${song(id)}/versions/${version}`),
  originality: (id, version) => call("GET", `${song(id)}/versions/${version}/originality`),
  importSong: (file, name) => call("POST", `/api/songs?name=${encodeURIComponent(name)}`, file),
  patchSong: (id, values, head) => call("PATCH", song(id), values, head === undefined ? {} : { "If-Match": String(head) }),
  deleteSong: (id) => call("DELETE", song(id)),
  addVersion: (id, body) => call("POST", `${song(id)}/versions`, body),
  jobs: () => call("GET", "/api/jobs"),
  startJob: (body) => call("POST", "/api/jobs", body),
  cancelJob: (job) => call("DELETE", `/api/jobs/${job}`),
  soundUrl: (id, version, part, bar, font) => `${song(id)}/versions/${version}/sound/${part}/${bar}.wav${font ? `?soundfont=${encodeURIComponent(font)}` : ""}`,
  fileUrl: (id, version, ending, part) => `${song(id)}/versions/${version}/file.${ending}${part === undefined ? "" : `?part=${part}`}`,
};

const EVENTS = ["queued", "progress", "parts", "notes", "take", "sample", "log", "done", "failed", "cancelled"];
const LAST = new Set(["done", "failed", "cancelled"]);

/**
 * Follow the events of a job; resolves with {event, data} of the last one.
 * @param {string} job
 * @param {(event: string, data: any) => void} on_event
 * @returns {Promise<{event: string, data: any}>}
 */
export function followJob(job, on_event) {
  return new Promise((resolve) => {
    const source = new EventSource(`/api/jobs/${job}/events`);
    let failures = 0;
    const end = (event, data) => {
      source.close();
      resolve({ event, data });
    };
    for (const name of EVENTS) {
      source.addEventListener(name, (message) => {
        failures = 0;
        const data = message.data ? JSON.parse(message.data) : {};
        on_event(name, data);
        if (LAST.has(name)) end(name, data);
      });
    }
    source.onerror = () => ++failures > 3 && end("failed", { error: "the studio's server does not answer" });
  });
}
