// @ts-check
// What is said beside an element while it is pointed at, has the focus, or was touched: a formula with its numbers.
import { fill, h } from "./dom.js";

/** @import { Node2 } from "./types.js" */
/** @typedef {() => (Node2 | null | undefined)[] | null} Said what to say; null says nothing */

/** @type {{element: Element, said: Said} | null} */
let tipped = null;
let tipLeaves = 0;
/** @returns {HTMLElement} */
const tipBox = () =>
  document.getElementById("tip") ??
  document.body.appendChild(
    h("div", {
      id: "tip",
      role: "tooltip",
      hidden: true,
      pointerenter: () => clearTimeout(tipLeaves),
      pointerleave: leaveSoon,
    }),
  );
export function hideTip() {
  clearTimeout(tipLeaves);
  if (!tipped) return;
  tipped.element.removeAttribute("aria-describedby");
  tipped = null;
  tipBox().hidden = true;
}
/** The pointer may go on to what is said, which stays then. */
function leaveSoon() {
  clearTimeout(tipLeaves);
  tipLeaves = window.setTimeout(hideTip, 150);
}
/** @param {Element} element @param {Said} said */
function showTip(element, said) {
  const parts = said();
  if (tipped?.element !== element) hideTip();
  clearTimeout(tipLeaves);
  if (!parts) return hideTip();
  const tip = tipBox();
  tipped = { element, said };
  fill(tip, ...parts);
  tip.hidden = false;
  element.setAttribute("aria-describedby", "tip");
  placeTip(element);
}
/** Below the element, or above it where there is no room. @param {Element} element */
function placeTip(element) {
  const tip = tipBox();
  tip.style.left = "0"; // where it is as wide as it wants to be
  const at = element.getBoundingClientRect(),
    { offsetWidth: width, offsetHeight: height } = tip,
    below = at.bottom + 6,
    top = below + height <= innerHeight || at.top < height + 6 ? below : at.top - height - 6;
  if (at.bottom < 0 || at.top > innerHeight) return hideTip();
  tip.style.left = `${Math.max(6, Math.min(at.left, document.documentElement.clientWidth - width - 6))}px`;
  tip.style.top = `${Math.max(6, Math.min(top, innerHeight - height - 6))}px`;
}
/** The page was drawn anew: what is said follows its numbers, and goes with its element. */
export function renewTip() {
  if (!tipped) return;
  if (tipped.element.isConnected) showTip(tipped.element, tipped.said);
  else hideTip();
}
/** @template {Element} E @param {E} element @param {Said} said @returns {E} */
export function tip(element, said) {
  const on = () => showTip(element, said);
  element.addEventListener("pointerenter", on);
  element.addEventListener("pointerleave", leaveSoon);
  element.addEventListener("focusin", on);
  element.addEventListener("focusout", hideTip);
  element.addEventListener("click", on);
  return element;
}
addEventListener("keydown", (e) => {
  if (e.key === "Escape") hideTip();
});
addEventListener("pointerdown", (e) => {
  const at = /** @type {Element} */ (e.target);
  if (tipped && !tipped.element.contains(at) && !at.closest("#tip")) hideTip();
});
addEventListener("scroll", () => tipped && placeTip(tipped.element), { capture: true, passive: true });
