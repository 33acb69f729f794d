// @ts-check
// Elements of a page. What is data becomes text; MathML is taken apart and built anew.

/** @import { Node2 } from "./types.js" */

/** @param {string} id */
export const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/**
 * An element; what is a string becomes text.
 * @param {string} tag @param {Record<string, string | number | boolean | ((e: any) => void) | null | undefined>} [attributes]
 * @param {...(Node2 | null | undefined | false)} children @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  dress(element, attributes, children);
  return element;
}
/** @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node2 | null | undefined | false)} children @returns {SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  dress(element, attributes, children);
  return element;
}
/** @param {Element} element @param {Record<string, any>} attributes @param {(Node2 | null | undefined | false)[]} children */
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") element.setAttribute("style", value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
}
const mathElements = new Set(
  "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msup msub msubsup munder mover munderover mtable mtr mtd mstyle mpadded mphantom menclose".split(
    " ",
  ),
);
const mathAttributes = new Set(
  "displaystyle mathvariant stretchy accent accentunder fence separator form lspace rspace width height depth linethickness columnalign rowspacing columnspacing scriptlevel largeop movablelimits symmetric minsize maxsize".split(
    " ",
  ),
);
/** MathML is read as XML and built anew of what is known; null where it is anything else. @param {string} text */
export function mathml(text) {
  if (!text) return null;
  const read = new DOMParser().parseFromString(
    text.includes("xmlns=") ? text : text.replace(/^\s*<math/, '<math xmlns="http://www.w3.org/1998/Math/MathML"'),
    "application/xml",
  );
  const known = "http://www.w3.org/1998/Math/MathML";
  /** @param {Element} element @returns {Element | null} */
  const copy = (element) => {
    if (element.namespaceURI !== known || !mathElements.has(element.localName)) return null;
    const made = document.createElementNS(known, element.localName);
    for (const a of element.attributes)
      if (mathAttributes.has(a.name) || (a.name === "class" && a.value === "departs"))
        made.setAttribute(a.name, a.value);
    for (const child of element.childNodes) {
      if (child.nodeType === 3) made.append(child.textContent ?? "");
      else if (child.nodeType === 1) {
        const inside = copy(/** @type {Element} */ (child));
        if (!inside) return null;
        made.append(inside);
      } else if (child.nodeType !== 8) return null;
    }
    return made;
  };
  return read.documentElement.localName === "math" ? copy(read.documentElement) : null;
}
/** @param {Element} parent @param {...(Node2 | null | undefined | false)} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((c) => c !== null && c !== undefined && c !== false));
}
