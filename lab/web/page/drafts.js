// @ts-check
// What stays in this browser: drafts, each written by one tab alone, and texts in an address. Nothing is sent.

/** @typedef {{name: string, text: string, time: number, owner: string}} Draft */

const prefix = "deltarule.draft.";
export const longest = 1 << 20; // as the checker's
const me = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
/** The browser may refuse to keep anything. @returns {Storage | null} */
function storage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
/** @param {string} key @returns {Draft | null} */
function read(key) {
  try {
    const draft = JSON.parse(storage()?.getItem(prefix + key) ?? "null");
    return draft && typeof draft.text === "string" && typeof draft.name === "string" ? draft : null;
  } catch {
    return null;
  }
}
/** The draft of this tab: it stays the tab's when the page is loaded anew. */
let own = "";
/** @param {string} key */
function remember(key) {
  own = key;
  try {
    window.sessionStorage.setItem("deltarule.draft", key);
  } catch {
    // Then a page that is loaded anew begins with the example; the draft is in the list.
  }
}
/** What this tab held before it was loaded anew; it is this page's from now on. */
export function ownDraft() {
  try {
    const key = window.sessionStorage.getItem("deltarule.draft");
    return key ? takeDraft(key) : null;
  } catch {
    return null;
  }
}
/** @param {string} key @param {{name: string, text: string}} draft */
function write(key, draft) {
  storage()?.setItem(prefix + key, JSON.stringify({ name: draft.name, text: draft.text, time: Date.now(), owner: me }));
}
/** The next text is another draft. */
export const newDraft = () => remember("");
/**
 * Keeps a text. Where another tab has written this draft since, it stays as that tab left it, and this is a new one.
 * @param {string} name @param {string} text @returns {boolean} whether it is kept
 */
export function keepDraft(name, text) {
  try {
    if (!storage()) return false;
    if (own && (read(own)?.owner ?? me) !== me) own = "";
    if (!own) remember(`${me}.${Math.random().toString(36).slice(2, 8)}`);
    write(own, { name, text });
    return true;
  } catch {
    return false;
  }
}
/** All drafts, the newest first. @returns {(Draft & {key: string})[]} */
export function drafts() {
  const list = [];
  const kept = storage();
  for (let k = 0; k < (kept?.length ?? 0); k++) {
    const key = kept?.key(k) ?? "";
    const draft = key.startsWith(prefix) ? read(key.slice(prefix.length)) : null;
    if (draft) list.push({ ...draft, key: key.slice(prefix.length) });
  }
  return list.sort((a, b) => b.time - a.time);
}
/** @param {string} key */
export function forget(key) {
  storage()?.removeItem(prefix + key);
  if (key === own) remember("");
}
/** Goes on with a draft, in this tab. @param {string} key */
export function takeDraft(key) {
  const draft = read(key);
  if (draft) {
    remember(key);
    write(key, draft);
  }
  return draft;
}
/** Whether something is remembered, such as that a note was read. @param {string} name @param {boolean} [set] */
export function flag(name, set = false) {
  try {
    if (set) storage()?.setItem(`deltarule.${name}`, "1");
    return storage()?.getItem(`deltarule.${name}`) === "1";
  } catch {
    return false;
  }
}

/** @param {ReadableStream<Uint8Array>} stream @param {number} most @returns {Promise<Uint8Array>} */
async function whole(stream, most) {
  const reader = stream.getReader(),
    parts = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > most) {
      await reader.cancel();
      throw new RangeError("too long");
    }
    parts.push(value);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
/** A text for an address: compressed, in letters that an address may hold. @param {string} text */
export async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = await whole(stream, Infinity);
  let letters = "";
  for (const b of bytes) letters += String.fromCharCode(b);
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
/** Throws where the address is damaged or holds too much. @param {string} letters */
export async function unpacked(letters) {
  const bytes = Uint8Array.from(atob(letters.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new TextDecoder("utf-8", { fatal: true }).decode(await whole(stream, longest));
}
