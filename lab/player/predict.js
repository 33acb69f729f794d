// @ts-check
// Predict first: what the next number is, and which usual mistake a wrong one equals.
import { count, short, shown, values } from "./numbers.js";
import { formula, plain, tokens } from "./formulas.js";
import { axes, example, nodes, numbered, recording } from "./recording.js";
import { backwardSum, each, entry, forwardSum, listed, termsOf } from "./sums.js";
import { flatOf, placeIn, render, state } from "./state.js";
import { $, h } from "./dom.js";
import { agree, typedEntries, wordsOf } from "./typed.js";

/** @import { Numbers, Cursor, Step } from "./types.js" */

/** @typedef {{text: string, array: Float64Array}} Mistake */
/** What usual mistakes would have written, as arrays of the right one's shape. @param {Step} step @param {Numbers} right @param {string[]} letters @returns {Mistake[]} */
function mistakes(step, right, letters) {
  const node = nodes[step.node],
    v = values(right),
    shape = right.shape,
    list = /** @type {Mistake[]} */ ([]);
  if (right.sampled) return list;
  const sizes = new Map(letters.map((l, k) => [l, shape[k]])),
    sum = step.edge ? backwardSum(step.edge) : forwardSum(node);
  /** @param {string} text @param {(at: Cursor, k: number) => number} of */
  const add = (text, of) => {
    const array = new Float64Array(v.length);
    let k = 0;
    each(letters, sizes, {}, (at) => {
      array[k] = of(at, k);
      k++;
    });
    list.push({ text, array });
  };
  const split = step.term !== undefined || step.part === "unsummed",
    zbar = sum?.parts[0]?.adjoint ? sum.parts[0] : null;
  if (
    sum?.entrywise &&
    zbar &&
    node.inputs.length === 1 &&
    String(zbar.array.shape) === String(shape) &&
    sum.parts.length > 1
  ) {
    add("It is the adjoint that arrives: the slope f′ is missing.", (at) => entry(zbar, at));
    add("It is the slope f′ alone: the adjoint that arrives is missing.", (at, k) => v[k] / entry(zbar, at));
    add("It has f where its slope f′ belongs.", (at, k) => entry(zbar, at) * values(node.value)[k]);
    const rule = tokens(
        plain(node.derivatives[0]?.text ?? "")
          .split(";")[0]
          .replace(/^.*?=/, ""),
      ),
      made = tokens(plain(node.formula?.text ?? "").replace(/^\s*z\s*=/, ""));
    const slope = rule && formula(rule, new Set(["zbar", "x", "z"])),
      value = made && formula(made, new Set(["x"]));
    if (slope && value)
      add("It has the slope f′ taken at f(x) instead of at x.", (at, k) =>
        slope({ zbar: entry(zbar, at), x: values(node.value)[k], z: value({ x: values(node.value)[k] }) }),
      );
  }
  if (sum && node.inputs.length === 1 && sum.entrywise && !step.edge) {
    const x = sum.parts.find((p) => !p.adjoint && String(p.array.shape) === String(shape));
    if (x) add(`It is ${x.of} itself: ${node.operation} was not applied.`, (at) => entry(x, at));
  }
  if (sum && sum.over.length > 0 && !split) {
    const letter = sum.over[0],
      n = sum.over.reduce((all, l) => all * (sum.sizes.get(l) ?? 1), 1);
    for (let t = 0; t < Math.min(8, sum.sizes.get(letter) ?? 1) && sum.over.length === 1 && n > 1; t++) {
      add(
        letter === example
          ? `It is the row ${letter} = ${numbered(letter, t)} alone: it is not summed over the batch.`
          : `It is the term ${letter} = ${numbered(letter, t)} alone: it is not summed over ${letter}.`,
        (at) => sum.term({ ...at, [letter]: t }),
      );
    }
    if (n > 1 && node.operation !== "mean")
      add(`It is the mean over ${listed(sum.over)} where the sum belongs.`, (at, k) => v[k] / n);
    if (n > 1 && node.operation === "mean") add("It is the sum where the mean belongs.", (at, k) => v[k] * n);
  }
  if (sum?.extra)
    add("It is right but for what is added at the end: the bias is missing.", (at, k) => v[k] - (sum.extra?.(at) ?? 0));
  if (node.operation === "mean" && step.edge)
    add(
      "It is the sum's share: the mean divides by n.",
      (at, k) => v[k] * (count(nodes[node.inputs[0]].shape) / Math.max(1, count(node.shape))),
    );
  if (step.term !== undefined && sum && step.edge) {
    const up_to = values(termsOf(sum, right, letters, 0, step.term));
    if (step.term > 0) add("It is the sum so far: asked is what this term adds.", (at, k) => up_to[k]);
    const whole = values(step.edge.value);
    if (letters.length === step.edge.value.shape.length)
      add(`It is the whole sum over ${listed(sum.over)}: asked is this term.`, (at, k) => whole[k]);
  }
  if (sum && axes[node.id]?.kind === "product") {
    sum.parts.slice(0, 2).forEach((p, which) => {
      if (p.array.shape.length !== 2 || p.array.shape[0] !== p.array.shape[1]) return;
      const turned = { ...p, letters: [p.letters[1], p.letters[0]] },
        other = sum.parts[1 - which];
      add(`It has ${p.of} transposed.`, (at) => {
        let total = sum.extra?.(at) ?? 0;
        each(
          step.term === undefined ? sum.over : [],
          sum.sizes,
          step.term === undefined ? at : { ...at, [sum.over[0]]: step.term },
          (spot) => {
            total += entry(turned, spot) * entry(other, spot);
          },
        );
        return total;
      });
    });
  }
  if (shape.length === 2 && shape[0] === shape[1] && shape[0] > 1)
    add(
      "It is transposed: row and column are swapped.",
      (at, k) => v[(k % shape[1]) * shape[1] + Math.floor(k / shape[1])],
    );
  add("It has the wrong sign.", (at, k) => -v[k]);
  add("It is twice what it should be.", (at, k) => 2 * v[k]);
  add("It is half of what it should be.", (at, k) => v[k] / 2);
  const rows = recording?.nodes.find((n) => n.kind === "constant" && n.shape.length >= 2)?.shape[0] ?? 1;
  if (rows > 2 && step.edge) {
    add(
      `It is ${rows} times what it should be, which is the number of rows: the sum stands where the mean belongs.`,
      (at, k) => v[k] * rows,
    );
    add(
      `It is 1/${rows} of what it should be: the mean over the rows stands where the sum belongs.`,
      (at, k) => v[k] / rows,
    );
  }
  return list;
}
/** Whether what was typed is this number, to the digits that were typed. @param {string} text @param {number} v */
function says(text, v) {
  const typed = arithmetic(text);
  if (typed === null) return false;
  if (Number.isNaN(v) || !Number.isFinite(v)) return Object.is(typed, v) || (Number.isNaN(typed) && Number.isNaN(v));
  const digits = text.trim().match(/^[-−+]?\d*\.(\d+)$/),
    error = Math.abs(typed - v);
  return (
    error <= 0.005 * Math.abs(v) ||
    (digits !== null && error <= Math.min(0.50001 * 10 ** -digits[1].length, 0.05 * Math.abs(v))) ||
    (Math.abs(v) < 1e-9 && error < 1e-9)
  );
}
/** A number, or a sum that makes one. @param {string} text */
function arithmetic(text) {
  const word = text.trim().toLowerCase().replace(/−/g, "-");
  if (word === "nan") return NaN;
  if (/^[-+]?(inf|infinity|∞)$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
  const list = tokens(plain(text.replace(/^\s*\+/, "")));
  const f = list && list.length > 0 ? formula(list, new Set()) : null;
  return f ? f({}) : null;
}
/** What is said of an answer. @param {Step} step @param {Numbers} right @param {string[]} letters @param {string[]} typed @param {number[]} places */
function judged(step, right, letters, typed, places) {
  const v = values(right),
    unreadable = typed.findIndex((t) => arithmetic(t) === null);
  if (unreadable >= 0)
    return { right: false, text: typed[unreadable].trim() === "" ? "A number is missing." : "This is no number." };
  if (places.every((k, n) => says(typed[n], v[k]))) return { right: true, text: "Right." };
  const equal = mistakes(step, right, letters).find(
    (m) => places.every((k, n) => says(typed[n], m.array[k])) && places.some((k) => m.array[k] !== v[k]),
  );
  if (equal) return { right: false, text: `Not quite. ${equal.text}` };
  const wrong = places
    .map((k, n) => ({ k, off: /** @type {number} */ (arithmetic(typed[n])) - v[k], good: says(typed[n], v[k]) }))
    .filter((w) => !w.good);
  const off = wrong[0],
    share =
      v[off.k] !== 0 && Number.isFinite(v[off.k])
        ? ` (${short((100 * Math.abs(off.off)) / Math.abs(v[off.k]))} %)`
        : "";
  const which =
    places.length > 1 ? `${places.length - wrong.length} of ${places.length} are right. The first that is not` : "It";
  if (!Number.isFinite(off.off))
    return {
      right: false,
      text: `Not yet. ${which} should be ${Number.isFinite(v[off.k]) ? "a" : "no"} finite number.`,
    };
  return {
    right: false,
    text: `Not yet. ${which} is ${short(Math.abs(off.off))}${share} too ${off.off > 0 ? "large" : "small"}, and no usual mistake.`,
  };
}
/** Whether the rule is hidden as well, until the learner has given it. */
export const asksFormula = () => state.asks === "formula";
/** Buttons that ask for something else. @param {number} n numbers that are there @param {"number" | "array" | "formula"} now */
const ways = (n, now) =>
  /** @type {["number" | "array" | "formula", string, boolean][]} */ ([
    ["number", "one number", n > 0],
    ["array", "the whole array", n > 1 && n <= 30],
    ["formula", "the formula", n > 0],
  ])
    .filter(([way, , can]) => can && way !== now)
    .map(([way, text]) =>
      h(
        "button",
        {
          type: "button",
          click: () => {
            state.asks = way;
            state.verdict = null;
            render();
          },
        },
        text,
      ),
    );
/** What is said of a formula. @param {Step} step @param {Numbers} right @param {string[]} letters @param {string} text */
function judgedFormula(step, right, letters, text) {
  const v = values(right),
    typed = typedEntries(text, step, right, letters);
  if (typeof typed === "string") return { right: false, text: typed };
  if (agree(typed, v)) return { right: true, text: "Right." };
  const equal = mistakes(step, right, letters).find((m) => agree(typed, m.array) && !agree(v, m.array));
  if (equal) return { right: false, text: `Not quite. ${equal.text}` };
  const good = v.filter((one, k) => agree([typed[k]], [one])).length;
  return {
    right: false,
    text: `Not yet. ${v.length === 1 ? "It is another number" : good > 0 ? `${good} of ${v.length} entries are right` : "No entry is right"}, and it is no usual mistake.`,
  };
}
/** @param {Step} step @param {Numbers} array @param {string[]} letters @param {string} name */
export function question(step, array, letters, name) {
  const n = array.sampled ? 0 : count(array.shape),
    whole = state.asks === "array" && n > 1 && n <= 30,
    words = asksFormula() && n > 0 ? wordsOf(step) : [],
    inLetters = words.length > 0,
    own = flatOf(letters, shown(array));
  const places = whole ? Array.from({ length: n }, (_, k) => k) : [own],
    columns = array.shape.length ? array.shape[array.shape.length - 1] : 1;
  const place = placeIn(letters, shown(array)),
    where = place.length
      ? `[${place.map((k, axis) => (letters[axis] ? `${letters[axis]} = ${numbered(letters[axis], k)}` : k)).join(", ")}]`
      : "";
  // The adjoint of the node that it is; the bar is for who reads the rule.
  const to = step.edge ? `the adjoint of ${nodes[step.edge.to].name}` : name,
    free = letters.filter((l) => l !== ""),
    spot = inLetters ? (free.length ? `[${free.join(",")}]` : "") : whole ? "" : where,
    bar = step.edge && !inLetters ? `, ${name}` : "";
  const what =
    step.term !== undefined && step.edge
      ? `What does this term add to ${to}${spot}${bar}`
      : step.part === "unsummed"
        ? `What comes to the copy${spot}`
        : step.edge
          ? `What does this add to ${to}${spot}${bar}`
          : `What is ${to}${spot}`;
  const asked = inLetters ? `${what}, as a formula` : what;
  const fields = (inLetters ? [own] : places).map(
    (k, n) =>
      /** @type {HTMLInputElement} */ (
        h("input", {
          type: "text",
          inputmode: "text",
          autocomplete: "off",
          spellcheck: "false",
          class: whole || inLetters ? "" : "single",
          "aria-label": whole && !inLetters ? `entry ${k + 1} of ${places.length}` : `${asked}?`,
          "data-answer": n,
        })
      ),
  );
  const verdict = h(
    "p",
    { class: `verdict ${state.verdict?.right ? "right" : "wrong"}`, role: "status" },
    state.verdict?.text ?? "",
  );
  const reveal = () => {
    state.revealed.add(state.step);
    render();
    $("next").focus({ preventScroll: true });
  };
  const form = h(
    "form",
    {
      class: "predict",
      submit: (/** @type {Event} */ e) => {
        e.preventDefault();
        state.verdict = inLetters
          ? judgedFormula(step, array, letters, fields[0].value)
          : judged(
              step,
              array,
              letters,
              fields.map((f) => f.value),
              places,
            );
        if (state.verdict.right) reveal();
        else {
          verdict.textContent = state.verdict.text;
          fields[0].focus();
        }
      },
    },
    h("p", {}, h("strong", {}, "Predict first. "), `${asked}?`),
  );
  if (inLetters)
    form.append(
      fields[0],
      h(
        "p",
        { class: "words" },
        "Made of ",
        ...words.flatMap(({ word, shown, part }) => {
          const index = part.letters.filter((l) => l !== ""),
            at = index.length ? `[${index.join(",")}]` : "";
          return [
            h(
              "button",
              {
                type: "button",
                "data-word": word,
                title: part.of,
                click: () => {
                  const field = fields[0],
                    [from, to] = [field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length];
                  field.setRangeText(shown + at, from, to, "end");
                  field.focus();
                },
              },
              shown + at,
            ),
            " ",
          ];
        }),
        "with + − * / ^, functions such as exp(x), and sum(k, …).",
      ),
    );
  else if (whole)
    form.append(
      h("div", { class: "grid", style: `grid-template-columns: repeat(${columns}, minmax(4.2rem, 1fr))` }, ...fields),
    );
  else form.append(fields[0]);
  form.append(
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "main" }, "Check"),
      h(
        "button",
        {
          type: "button",
          click: () => {
            state.verdict = null;
            reveal();
          },
        },
        "Show me",
      ),
      ...ways(n, inLetters ? "formula" : whole ? "array" : "number"),
    ),
    verdict,
  );
  return form;
}
