// @ts-check
// Curves over the steps of a training: the loss, what is learned, and its gradients.
import { $, fill, h, svg } from "./dom.js";
import { renewTip, tip } from "./tip.js";

/** @typedef {{loss: number, values: number[][], gradients: number[][], length?: number, held?: number}} TrainedStep length: of the gradient, where its numbers are not all there; held: the loss of what is held out */
/** @typedef {{loss: string, learned: string[], steps: TrainedStep[], count?: number}} Curves count: of the numbers that are learned */

/** @param {number} v */
export const brief = (v) =>
  String(Number(v.toPrecision(4)))
    .replace("-", "−")
    .replace("e+", "e")
    .replace("Infinity", "∞");
/**
 * Where a number of an array stands: w[0,2].
 * @param {string} name @param {number[]} shape @param {number} place among its numbers
 * @param {number[][]} [sampled] of each axis the places that are here, where not all are
 */
export function nameAt(name, shape, place, sampled) {
  const lengths = sampled?.map((s) => s.length) ?? shape,
    at = lengths.map((size, axis) => {
      const behind = lengths.slice(axis + 1).reduce((a, b) => a * b, 1),
        k = Math.floor(place / behind) % size;
      return sampled ? sampled[axis][k] : k;
    });
  return at.length ? `${name}[${at}]` : name;
}
/** @param {number[][]} lists */
const lengthOf = (lists) => lists.reduce((all, list) => list.reduce((sum, v) => Math.hypot(sum, v), all), 0);
const mostLines = 40;

/**
 * The number that a step of descent moves most.
 * @param {Curves} curves @param {number} at @returns {{which: number, place: number, value: number, slope: number} | null}
 */
export function steepest({ steps }, at) {
  /** @type {{which: number, place: number, value: number, slope: number} | null} */
  let found = null;
  const { values, gradients } = steps[at];
  gradients.forEach((list, which) =>
    list.forEach((slope, place) => {
      if (!found || Math.abs(slope) > Math.abs(found.slope))
        found = { which, place, value: values[which][place], slope };
    }),
  );
  return found;
}
/**
 * Lines over the steps. @param {string} title @param {string} said the formula with its numbers
 * @param {number[][]} lines a list of numbers each @param {number} at the step that is marked
 * @param {number[]} [held] of what is held out
 */
function curve(title, said, lines, at, held) {
  const all = [...lines.flat(), ...(held ?? [])].filter(Number.isFinite),
    low = all.reduce((a, b) => Math.min(a, b), Infinity),
    high = all.reduce((a, b) => Math.max(a, b), -Infinity),
    steps = lines[0]?.length ?? 0,
    width = 240,
    height = 84;
  // What falls by orders of magnitude is seen on a logarithmic scale.
  const logarithmic = low > 0 && high / low > 50,
    scaled = (/** @type {number} */ v) =>
      logarithmic ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low || 1);
  const x = (/** @type {number} */ k) => 4 + ((width - 8) * k) / Math.max(1, steps - 1),
    y = (/** @type {number} */ v) => height - 4 - (height - 8) * scaled(v);
  const points = (/** @type {number[]} */ line) =>
    line.flatMap((v, k) => (Number.isFinite(v) ? [`${x(k).toFixed(1)},${y(v).toFixed(1)}`] : [])).join(" ");
  const range = all.length ? `${brief(low)} to ${brief(high)}` : "no finite number",
    dashed = held ? `, dashed: of what is held out, ${brief(held[0])} to ${brief(held[held.length - 1])}` : "";
  const figure = h(
    "figure",
    { class: "curve", tabindex: 0, "aria-label": `${title} over ${steps - 1} steps, ${range}${dashed}` },
    h(
      "figcaption",
      {},
      h("b", {}, title),
      ` ${range}${logarithmic ? ", logarithmic" : ""}${held ? ", dashed: held out" : ""}`,
    ),
    svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("line", { x1: x(at), x2: x(at), y1: 0, y2: height, class: "mark" }),
      ...lines.map((line) => svg("polyline", { points: points(line) })),
      held ? svg("polyline", { points: points(held), class: "held" }) : "",
    ),
  );
  return tip(figure, () => [said]);
}
/**
 * Draws the curves, with the step that is looked at. @param {Curves} curves @param {number} at
 * @param {{said: string, rule: string, before?: HTMLElement | null}} texts said of what is learned; the rule below; what stands before the curves
 */
export function drawCurves(curves, at, { said, rule, before }) {
  const { steps, learned, loss } = curves,
    now = steps[at],
    last = steps.length - 1,
    losses = `${loss} = ${brief(now.loss)}${now.held === undefined ? "" : `, held out ${brief(now.held)}`}`;
  const chosen = now.values
      .flatMap((list, k) => list.map((_, i) => /** @type {[number, number]} */ ([k, i])))
      .slice(0, mostLines),
    lines = chosen.map(([k, i]) => steps.map((s) => s.values[k][i])),
    slopes = chosen.map(([k, i]) => steps.map((s) => s.gradients[k][i])),
    count = curves.count ?? now.values.flat().length,
    of = count > lines.length ? `the first ${lines.length} of ${count} ` : "",
    length = now.length ?? lengthOf(now.gradients);
  const focused = [...document.querySelectorAll("#train-charts .curve")].indexOf(
    /** @type {Element} */ (document.activeElement),
  );
  fill(
    $("train-charts"),
    before,
    h(
      "div",
      { class: "curves" },
      curve(
        loss,
        `${losses} at step ${at}`,
        [steps.map((s) => s.loss)],
        at,
        now.held === undefined ? undefined : steps.map((s) => s.held ?? NaN),
      ),
      lines.length ? curve(`${of}weights`, said, lines, at) : null,
      lines.length
        ? curve(
            `${of}gradients`,
            `d${loss}/dw, of length √(∑ (d${loss}/dw)²) = ${brief(length)} over ${count} ${count === 1 ? "number" : "numbers"} of ${learned.join(", ")}`,
            slopes,
            at,
          )
        : null,
    ),
  );
  /** @type {HTMLElement | undefined} */ (document.querySelectorAll("#train-charts .curve")[focused])?.focus();
  $("train-at").textContent = `Step ${at} of ${last}: ${losses}`;
  $("train-rule").textContent = rule;
  const slider = /** @type {HTMLInputElement} */ ($("train-step"));
  slider.max = String(last);
  slider.value = String(at);
  slider.setAttribute("aria-valuetext", `step ${at} of ${last}, ${losses}`);
  renewTip();
}
