// @ts-check
// The player on the tape of the text, in a frame of its own: what is in the recording can't reach this page.
import { h } from "../../player/dom.js";

/** @typedef {{player: "at", state: string, place: string, line: number | null}} At where the player is */

const end = "</" + "script>"; // which may not stand in a script as it is
/** @returns {{html: string, css: string, js: string}} */
function files() {
  const read = JSON.parse(document.getElementById("player")?.textContent ?? "null");
  if (!read) throw new Error("There is no player in this page: it was not joined whole.");
  return read;
}
/** JSON that may stand in a script. @param {string} json */
const forScript = (json) =>
  json
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
/** @param {string} text */
const quoted = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
/**
 * The player's page, as the library writes it. @param {string} json the recording
 * @param {{state: string, place: string}} [begin] where it begins, within this page
 */
export function playerPage(json, begin) {
  const { html, css, js } = files();
  const parts = [
    ['<link rel="stylesheet" href="player.css">', `<style>\n${css}</style>`],
    [
      `<script type="application/json" id="recording">null${end}`,
      `<script type="application/json" id="recording">${forScript(json)}${end}`,
    ],
    [`<script type="module" src="player.js">${end}`, `<script type="module">\n${js}${end}`],
  ];
  if (begin)
    parts.unshift([
      '<html lang="en">',
      `<html lang="en" data-state="${quoted(begin.state)}" data-place="${quoted(begin.place)}">`,
    ]);
  let page = "",
    rest = html;
  for (const [mark, part] of parts) {
    const at = rest.indexOf(mark);
    if (at < 0) throw new Error("There is no player in this page: it was not joined whole.");
    page += rest.slice(0, at) + part;
    rest = rest.slice(at + mark.length);
  }
  return page + rest;
}

export class Tape {
  /** The recording that is shown, as JSON. */
  json = "";
  /** @type {At} */
  at = { player: "at", state: "", place: "{}", line: null };
  /** @type {(at: At) => void} */
  onmove = () => {};
  /** @type {HTMLIFrameElement | null} */
  #frame = null;
  /** @type {HTMLIFrameElement | null} */
  #coming = null;
  /** What is asked of a player that is not there yet. @type {object | null} */
  #wish = null;

  /** @param {HTMLElement} pane */
  constructor(pane) {
    this.pane = pane;
    window.addEventListener("message", (e) => {
      const data = e.data;
      if (
        typeof data !== "object" ||
        data === null ||
        data.player !== "at" ||
        typeof data.state !== "string" ||
        typeof data.place !== "string"
      )
        return;
      const coming = this.#coming && e.source === this.#coming.contentWindow;
      if (!coming && !(this.#frame && e.source === this.#frame.contentWindow && !this.#coming)) return;
      if (coming) this.#arrived();
      this.at = {
        player: "at",
        state: data.state.slice(0, 500),
        place: data.place.slice(0, 5000),
        line: Number.isInteger(data.line) ? data.line : null,
      };
      this.onmove(this.at);
    });
  }
  /** The new player is drawn: it takes the place of the old one. */
  #arrived() {
    const old = this.#frame;
    this.#frame = this.#coming;
    this.#coming = null;
    this.#frame?.classList.remove("coming");
    if (old && document.activeElement === old) this.#frame?.focus();
    old?.remove();
    this.pane.classList.add("shown");
    if (this.#wish) this.ask(this.#wish);
  }
  /** @param {string} json @param {string} [state] where it begins; else where the last one was */
  show(json, state) {
    if (json === this.json && state === undefined) return;
    this.json = json;
    this.#coming?.remove();
    const frame = /** @type {HTMLIFrameElement} */ (
      h("iframe", { class: "coming", title: "The tape, step by step", sandbox: "allow-scripts" })
    );
    frame.srcdoc = playerPage(json, state === undefined ? this.at : { state, place: "" });
    this.#coming = frame;
    this.pane.append(frame);
  }
  /** Nothing of the text before is kept. */
  forget() {
    this.at = { player: "at", state: "", place: "{}", line: null };
    this.json = "";
    this.#wish = null;
  }
  /** @param {object} wish {claim: line}, {line: line} or {state: as in the address} */
  ask(wish) {
    this.#wish = this.#coming ? wish : null;
    if (!this.#coming) this.#frame?.contentWindow?.postMessage(wish, "*");
  }
}
