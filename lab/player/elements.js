// @ts-check
// Formulas and their letters as elements.
import { once } from "./sums.js";
import { light } from "./state.js";
import { h, mathml } from "./dom.js";

/** @import { Node2, Formula, Piece } from "./types.js" */

/** Each formula is built once. */
const built = once(mathml);
/** @param {Formula | null | undefined} f @returns {Node2 | null} */
export const shownFormula = (f) => (f ? (built(f.mathml)?.cloneNode(true) ?? h("span", {}, f.text)) : null);
/** No line ends within the brackets of an entry. @param {Piece[]} pieces */
export function written(pieces) {
  /** @type {Node2[]} */
  const out = [];
  /** @type {HTMLElement | null} */
  let entry = null;
  for (const p of pieces) {
    if (p.text === "") continue;
    const one = p.letter ? letterButton(p.letter) : p.from ? h("span", { class: `from-${p.from}` }, p.text) : p.text;
    if (p.text.endsWith("[")) out.push((entry = h("span", { class: "entry" })));
    if (entry) entry.append(one);
    else out.push(one);
    if (p.text === "]") entry = null;
  }
  return out;
}
/** @param {string} letter */
export function letterButton(letter) {
  return h(
    "button",
    {
      type: "button",
      class: "letter",
      "data-letter": letter,
      "aria-label": `light the cells that ${letter} runs over`,
      pointerenter: () => light(letter),
      pointerleave: () => light(null),
      focus: () => light(letter),
      blur: () => light(null),
      click: () => light(letter),
    },
    letter,
  );
}
