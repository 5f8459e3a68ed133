/**
 * The versions of a song as a tree. Undo goes to the parent of a version, redo to the child that undo left. Pure.
 * @typedef {{version: number, parent: number | null, made_at: string, action: string, originality: any, take?: boolean}} Version
 */

const byNumber = (versions) => new Map(versions.map((item) => [item.version, item]));

/** The version to which undo goes, or null. */
export function undoTarget(versions, head) {
  return byNumber(versions).get(head)?.parent ?? null;
}

/** The version to which redo goes: the one that undo left, else the newest child that is no take; or null. */
export function redoTarget(versions, head, trail) {
  const undone = trail[trail.length - 1];
  const children = versions.filter((item) => item.parent === head);
  if (children.some((item) => item.version === undone)) return undone;
  const accepted = children.filter((item) => !item.take);
  return accepted.length ? Math.max(...accepted.map((item) => item.version)) : null;
}

/** The versions from the first one to `head`. */
export function pathTo(versions, head) {
  const all = byNumber(versions);
  const path = [];
  for (let at = head; at !== null && all.has(at) && !path.includes(at); at = all.get(at).parent) path.unshift(at);
  return path;
}

/**
 * The versions, newest first, each with its column in the drawn tree (0 is the path to the head; a fork goes one to the right).
 * @returns {(Version & {column: number, is_on_path: boolean})[]}
 */
export function drawTree(versions, head) {
  const all = byNumber(versions);
  const path = new Set(pathTo(versions, head));
  const column = new Map();
  for (const item of [...versions].sort((a, b) => a.version - b.version)) {
    if (path.has(item.version)) column.set(item.version, 0);
    else {
      const first = Math.min(...versions.filter((other) => other.parent === item.parent && !other.take).map((other) => other.version));
      const is_continuation = !path.has(item.parent) && first === item.version;
      column.set(item.version, (column.get(item.parent) ?? 0) + (is_continuation ? 0 : 1));
    }
  }
  return [...versions]
    .sort((a, b) => b.version - a.version)
    .map((item) => ({ ...item, column: Math.min(column.get(item.version), 6), is_on_path: path.has(item.version) }));
}

/** A time as people say it: "14:05:09", with the day if it is not today. */
export function timeText(made_at, now = new Date()) {
  const time = new Date(made_at);
  if (Number.isNaN(time.getTime())) return made_at;
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  return time.toDateString() === now.toDateString() ? clock : `${time.toLocaleDateString()} ${clock}`;
}
