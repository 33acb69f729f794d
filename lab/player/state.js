// @ts-check
// Where the reader is, and what is looked at.
import { shown, values } from "./numbers.js";
import { lastTrained } from "./recording.js";
import { steps } from "./steps.js";

/** @import { Numbers, Cursor, Sum } from "./types.js" */

/** Draws the page anew; player.js puts it here. */
export const drawing = { render: () => {} };
export const render = () => drawing.render();
/** Whether another page holds this one: it has the address then, and tells where to begin. */
export const embedded = document.documentElement.dataset.state !== undefined && window.parent !== window;
export const state = {
  step: 0,
  training: lastTrained,
  tab: "nodes",
  predict: false,
  playing: 0,
  claim: -1,
  path: -1,
  zoom: 0,
  first: 0,
  filter: "",
  cursor: /** @type {Cursor} */ ({}),
  revealed: new Set(/** @type {number[]} */ ([])),
  verdict: /** @type {{right: boolean, text: string} | null} */ (null),
  asks: /** @type {"number" | "array" | "formula"} */ ("number"),
  wide: new Set(/** @type {string[]} */ ([])),
};
/** What the step's pane shows now, so that letters can light it. @type {{cells: {td: HTMLElement, at: number[]}[], letters: string[], shape: number[]}[]} */
export const pictures = [];
/** @param {string | null} letter */
export function light(letter) {
  for (const picture of pictures) {
    const axis = letter === null ? -1 : picture.letters.indexOf(letter);
    for (const { td, at } of picture.cells) {
      td.classList.toggle(
        "lit",
        axis >= 0 &&
          at.every(
            (k, a) =>
              a === axis ||
              picture.letters[a] === "" ||
              k === Math.min(state.cursor[picture.letters[a]] ?? 0, picture.shape[a] - 1),
          ),
      );
    }
  }
  for (const b of document.querySelectorAll(".letter"))
    b.classList.toggle("lit", letter !== null && /** @type {HTMLElement} */ (b).dataset.letter === letter);
}
/** The place of the cursor in these letters. @param {string[]} letters @param {number[]} shape */
export const placeIn = (letters, shape) =>
  letters.map((l, k) => (l === "" ? 0 : Math.min(state.cursor[l] ?? 0, shape[k] - 1)));
/** @param {Numbers} array @param {string[]} letters */
export const here = (array, letters) =>
  values(array)[placeIn(letters, shown(array)).reduce((flat, k, axis) => flat * shown(array)[axis] + k, 0)];
/** The cursor within the sum's sizes. @param {Sum} sum @returns {Cursor} */
export const bounded = (sum) =>
  Object.fromEntries([...sum.sizes].map(([l, n]) => [l, Math.min(state.cursor[l] ?? 0, n - 1)]));
/** @param {string[]} letters @param {number[]} shape */
export const flatOf = (letters, shape) => placeIn(letters, shape).reduce((flat, k, axis) => flat * shape[axis] + k, 0);
/** @param {number} step */
export function go(step) {
  const to = Math.max(0, Math.min(steps.length - 1, step));
  if (to !== state.step) {
    state.step = to;
    state.verdict = null;
  }
  render();
}
export function pause() {
  if (state.playing) clearTimeout(state.playing);
  state.playing = 0;
}
export const hiding = () =>
  state.predict &&
  !state.revealed.has(state.step) &&
  (steps[state.step]?.kind === "value" || steps[state.step]?.kind === "edge");
