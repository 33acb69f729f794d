// @ts-check
// A step: its sentence, its rule with numbers, its arrays.
import { count, short, times, values } from "./numbers.js";
import { axes, example, lettersAt, namesOf, nodes, numbered, recording } from "./recording.js";
import {
  backwardSum,
  barred,
  factorsOf,
  leadsTo,
  each,
  entry,
  forwardSum,
  from,
  indexed,
  inOwnNames,
  ownResult,
  adjointPart,
  inputPart,
  listed,
  termsOf,
  totalAt,
} from "./sums.js";
import { addedAt, adjointAt, arriving, complete, seed, steps } from "./steps.js";
import { bounded, flatOf, here, pictures, placeIn, render, state } from "./state.js";
import { $, fill, h, svg } from "./dom.js";
import { shownFormula, written } from "./elements.js";
import { picture } from "./arrays.js";
import { asksFormula, question } from "./predict.js";
import { wordsOf } from "./typed.js";
import { plain, tokens, withNumbers } from "./formulas.js";

/** @import { Node2, Numbers, Node, Contribution, Cursor, Piece, Sum, Part, Step } from "./types.js" */

const infix = new Set(["add", "sub", "mul", "div", "neg", "pow"]);
/** Its formula with the names of what it is made of, o − t, where it is arithmetic. @param {Node} node @param {Sum | null} sum */
function arithmeticOf(node, sum) {
  const list = infix.has(node.operation) ? tokens(plain(node.formula?.text ?? "").replace(/^\s*z\s*=/, "")) : null;
  if (!list || list.length === 0) return "";
  const names = namesOf(node);
  let known = true;
  const pieces = withNumbers(list, (name) => {
    if (!/^\p{L}/u.test(name)) return null;
    const k = names.indexOf(name),
      part = sum?.parts.find((p) => p.name === name && p.node < 0);
    known &&= k >= 0 || part !== undefined;
    return { text: k >= 0 ? nodes[node.inputs[k]].name : part ? short(values(part.array)[0]) : name };
  });
  const text = pieces.map((p) => p.text).join("");
  return known ? text.replace(/\^2$/, "²").replace(/\^3$/, "³") : "";
}
/** @param {Node} node @param {Sum | null} sum */
function madeOf(node, sum) {
  const input = node.inputs.map((i) => nodes[i].name),
    of = axes[node.id];
  if (of?.kind === "product" && sum) {
    return `${node.name}: for each entry, numbers of ${input[0]} times numbers of ${input[1]} are summed over ${listed(sum.over)}${input[2] ? `, and ${input[2]} is added${nodes[node.inputs[2]].shape.length < node.shape.length ? " to every row" : ""}` : ""}.`;
  }
  if (node.operation === "mean" && sum) return `${node.name} is the mean of ${input[0]}.`;
  if (node.operation === "sum" && sum) return `${node.name} is the sum of ${input[0]} over ${listed(sum.over)}.`;
  if (node.operation === "softmax" && sum)
    return `${node.name}: each row of ${input[0]} becomes positive shares that sum to 1, larger ones for larger scores.`;
  if (node.operation === "softmax_cross_entropy" && sum)
    return `${node.name}: how little the softmax gives to the right class, −log p${count(node.shape) > 1 ? ", for each row" : (sum.share ?? 1) > 1 ? ", the mean over the rows" : sum.sizes.get(sum.over[0]) === 1 ? "" : ", summed over the rows"}.`;
  if (node.operation === "broadcast_to") return `${node.name} repeats ${input[0]}: a broadcast.`;
  const arithmetic = arithmeticOf(node, sum);
  if (of?.kind === "entries" && sum && input.length === 1 && !arithmetic)
    return `${node.name}: ${node.operation} is taken of each number of ${input[0]} by itself.`;
  const repeated = node.inputs.filter(
    (i, k) => of?.kind === "entries" && count(nodes[i].shape) < count(node.shape) && of.inputs[k],
  );
  const made = arithmetic
    ? `${node.name} is ${arithmetic}`
    : `${node.name}: ${node.operation} of ${input.join(" and ")}`;
  return `${made}${of?.kind === "entries" && sum && count(node.shape) > 1 ? ", entry by entry" : ""}.${repeated.length ? ` ${repeated.map((i) => nodes[i].name).join(" and ")} is repeated to fit: a broadcast.` : ""}`;
}
/** @param {Step} step @param {boolean} hidden */
export function sentenceOf(step, hidden) {
  const node = nodes[step.node],
    again =
      node.group === "backward" ? " The way back of an earlier derivative recorded this node: a tape on the tape." : "";
  if (step.kind === "leaf") {
    const what =
      node.kind === "constant"
        ? "is given and does not change"
        : node.kind === "parameter"
          ? "is learned"
          : "is a variable: its gradient is wanted";
    return `${node.name} ${what}: ${times(node.shape)}.${again}`;
  }
  if (hidden && asksFormula() && step.edge)
    return `${node.name} sends something back to ${nodes[step.edge.to].name}${step.term !== undefined ? `, here its term ${step.term + 1} of ${step.terms}` : ""}: by which rule?`;
  if (hidden && asksFormula())
    return `${node.name} is made of ${node.inputs.map((i) => nodes[i].name).join(" and ")}: by which rule?`;
  if (step.kind === "value") return madeOf(node, forwardSum(node)) + again;
  if (step.kind === "seed")
    return `Now back. When ${node.name} grows by 1, ${node.name} grows by 1: its adjoint begins as 1.`;
  const edge = /** @type {Contribution} */ (step.edge),
    target = nodes[edge.to],
    sum = backwardSum(edge),
    of = axes[node.id],
    all = arriving[edge.to],
    nth = all.indexOf(edge) + 1;
  let text;
  const letter = sum?.over[0] ?? "";
  if (step.term !== undefined && sum) {
    const ordinal = `${letter} = ${numbered(letter, step.term)}`,
      way = leadsTo(edge, sum);
    if (step.term > 0)
      text = `${ordinal} ${way === "input" ? "sends its adjoint back along its own edges, times their weights" : way === "weights" ? "adds its adjoint times what came in with it" : "adds the adjoint of its copy"}: ${step.term + 1} of ${step.terms} terms are in the sum now.`;
    else if (way === "input")
      text = `${target.name} reaches every ${letter} of ${node.name}, so what comes back is summed over ${letter}, edge by edge. First ${ordinal}.`;
    else if (way === "weights")
      text = `${target.name} was used for every ${letter}, so its gradient is a sum over ${letter}: ${letter === example ? "over the batch" : "over the rows"}. First ${ordinal}.`;
    else
      text = `${target.name} was repeated for every ${letter}, a broadcast. Back, what comes to its copies is summed over ${letter}. First ${ordinal}.`;
    if (step.term + 1 === step.terms) text += " That was the last: the sum is complete.";
  } else if (step.part === "unsummed")
    text = `${target.name} was repeated to fit ${node.name}, a broadcast. Each of its copies gets an adjoint of its own.`;
  else if (step.part === "summed" && sum)
    text = `The copies were one number: their adjoints are summed over ${listed(sum.over)} to ${target.name}.`;
  else if (sum && sum.over.length > 0 && sum.over.every((l) => sum.sizes.get(l) === 1))
    text =
      leadsTo(edge, sum) === "weights"
        ? `Each weight of ${target.name} gets the adjoint behind it times the number that it multiplied; there is one row, so nothing is summed.`
        : leadsTo(edge, sum) === "input"
          ? `${node.name} has one ${letter}: what comes back is its adjoint times the weight.`
          : `${node.name} passes its adjoint on to ${target.name}; there is one of each copy, so nothing is summed.`;
  else if (sum && of?.kind === "product" && leadsTo(edge, sum) === "weights" && sum.over.length === 0)
    text = `Each weight of ${target.name} gets the adjoint behind it times the number that it multiplied.`;
  else if (sum && sum.over.length > 0)
    text = `${target.name} reaches ${node.name} at every ${listed(sum.over)}: what comes back is summed over ${listed(sum.over)}.`;
  else if (node.operation === "sum" && sum)
    text = `${node.name} was a sum. Back, each number that was summed gets the sum's adjoint, a copy.`;
  else if (node.operation === "mean" && sum)
    text = `${node.name} was a mean of n numbers. Back, each gets one n-th of the mean's adjoint.`;
  else if (node.operation === "softmax_cross_entropy" && sum)
    text = "The exponentials and the logarithm cancel: what is left is the softmax less the target, p − t.";
  else if (sum?.entrywise && sum.parts.length === 1 && sum.parts[0].adjoint)
    text = `${node.name} passes its adjoint on to ${target.name}.`;
  else if (of?.kind === "entries" && sum)
    text = `${node.name} hands its adjoint to ${target.name}, each number times the slope at its own place.`;
  else text = `${node.name} hands its adjoint to ${target.name} by its rule.`;
  const last = step.term === undefined ? step.part !== "unsummed" : step.term + 1 === step.terms;
  if (all.length > 1)
    text += ` ${target.name} is used ${all.length} times: this is contribution ${nth} of ${all.length}.`;
  if (last && !hidden && nth === all.length && (all.length > 1 || step.terms))
    text += ` The adjoint of ${target.name} is complete.`;
  return text + again;
}

/** The sum at the cursor with its numbers, a term for each place. @param {Sum} sum @param {number} now @param {boolean} hidden @returns {Node2[]} */
function numbersOfSum(sum, now, hidden) {
  const all = sum.over.reduce((n, l) => n * (sum.sizes.get(l) ?? 1), 1),
    most = 8;
  /** @type {Node2[]} */
  const out = [];
  let k = 0;
  const at = bounded(sum);
  each(sum.over, sum.sizes, at, (place) => {
    if (k < most)
      out.push(
        ...(k > 0 ? [" + "] : []),
        all > 1
          ? h(
              "span",
              { class: `term${k === now ? " now" : now >= 0 && k > now ? " later" : ""}` },
              ...written(sum.pieces(place)),
            )
          : h("span", {}, ...written(sum.pieces(place))),
      );
    k++;
  });
  if (all > most) out.push(` + … ${all - most} more`);
  out.push(...written(sum.more?.(at) ?? []));
  if (hidden) out.push(" = ?");
  return out;
}

/** Small enough for a unit's circle. @param {string} text */
const fitting = (text) => `font-size: ${Math.min(11.5, 72 / text.length).toFixed(1)}px`;
/** The layer as units with its edges: what a sum over k runs over. @param {Sum} sum @param {boolean} back @param {number} now @param {boolean} hidden */
function units(sum, back, now, hidden) {
  const [source, weight] = factorsOf(sum),
    over = sum.over[0],
    other = weight.letters.find((l) => l !== over && sum.out.includes(l));
  if (!other || sum.over.length !== 1) return null;
  const n = sum.sizes.get(over) ?? 0,
    m = sum.sizes.get(other) ?? 0;
  if (n > 8 || m > 8 || n < 2) return null;
  const at = bounded(sum),
    rows = Math.max(n, m),
    height = Math.max(3, rows) * 54 + 26,
    width = 310,
    x = [42, width - 42];
  // Backward the sum stands at the left and its terms come from the right; forward the other way.
  const sumX = back ? x[0] : x[1],
    termX = back ? x[1] : x[0];
  /** @param {number} k @param {number} of */
  const y = (k, of) => 26 + (height - 26) * ((k + 0.5) / of);
  const lines = svg("g"),
    labels = svg("g"),
    circles = svg("g");
  let running = sum.extra?.(at) ?? 0;
  for (let j = 0; j < m; j++) {
    for (let k = 0; k < n; k++) {
      const own = j === at[other],
        term = sum.term({ ...at, [other]: j, [over]: k }),
        done = now < 0 || k <= now;
      if (own && done) running += term;
      const d = `M${termX},${y(k, n)}L${sumX},${y(j, m)}`;
      if (!own) {
        lines.prepend(svg("path", { d }));
        continue;
      }
      lines.append(svg("path", { d, class: `own${k === now ? " now" : ""}` }));
      const share = n > 1 ? 0.3 + 0.12 * (k % 3) : 0.4;
      if (done && !(hidden && (k === now || now < 0)))
        labels.append(
          svg(
            "text",
            {
              x: termX + (sumX - termX) * share,
              y: y(k, n) + (y(j, m) - y(k, n)) * share + 4,
              class: `on${k === now ? " now" : ""}`,
            },
            short(term),
          ),
        );
    }
    const own = j === at[other];
    circles.append(
      svg("circle", {
        cx: sumX,
        cy: y(j, m),
        r: own ? 25 : 13,
        class: own ? "own" : "",
        click: () => {
          state.cursor[other] = j;
          render();
        },
      }),
    );
    if (!own) circles.append(svg("text", { x: sumX, y: y(j, m) + 4, class: "soft" }, String(numbered(other, j))));
    else {
      const text = hidden ? "?" : short(running);
      circles.append(svg("text", { x: sumX, y: y(j, m) + 4, class: "sum", style: fitting(text) }, text));
    }
  }
  for (let k = 0; k < n; k++) {
    const text = short(entry(source, { ...at, [over]: k }));
    circles.append(
      svg("circle", { cx: termX, cy: y(k, n), r: 24, class: k === now ? "own" : "" }),
      svg("text", { x: termX, y: y(k, n) + 4, style: fitting(text) }, text),
    );
  }
  circles.append(
    svg(
      "text",
      { x: back ? 4 : width - 4, y: 14, class: back ? "first" : "last" },
      `${back ? "the sum" : "z"} at ${other} = ${numbered(other, at[other])}`,
    ),
    svg("text", { x: back ? width - 4 : 4, y: 14, class: back ? "last" : "first" }, `${source.name}, each ${over}`),
  );
  return svg(
    "svg",
    {
      class: `units${back ? "" : " ahead"}`,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `The edges of the sum over ${over} for ${other} = ${numbered(other, at[other])}: ${Array.from({ length: n }, (_, k) => (hidden ? "" : short(sum.term({ ...at, [over]: k })))).join(", ")}`,
    },
    lines,
    circles,
    labels,
  );
}

/** The delta rule, where an activation's adjoint was a sum: slope times sum. @param {Step} step @param {boolean} hidden */
function together(step, hidden) {
  const edge = step.edge,
    node = nodes[step.node],
    sum = edge && backwardSum(edge);
  if (
    !edge ||
    hidden ||
    !sum?.entrywise ||
    node.inputs.length !== 1 ||
    sum.over.length > 0 ||
    !sum.parts[0]?.adjoint ||
    sum.parts.length < 2
  )
    return null;
  const terms = /** @type {Piece[]} */ ([]),
    rule = /** @type {Piece[]} */ ([]);
  const place = placeIn(sum.out, edge.value.shape),
    zbar = entry(sum.parts[0], bounded(sum)),
    value = here(edge.value, sum.out);
  if (!(Math.abs(zbar) > 0) || !Number.isFinite(value / zbar)) return null;
  let known = 0;
  for (const before of arriving[step.node]) {
    const inner = backwardSum(before),
      letters = lettersAt(nodes[/** @type {number} */ (from.get(before))]).inputs[before.input];
    if (!inner) {
      terms.push(
        { text: terms.length ? " + " : "" },
        {
          text: short(values(before.value)[place.reduce((f, k, a) => f * before.value.shape[a] + k, 0)]),
          from: "adjoint",
        },
      );
      continue;
    }
    const at = /** @type {Cursor} */ (Object.fromEntries(letters.map((l, k) => [l, place[k]])));
    known += inner.over.length;
    each(inner.over, inner.sizes, at, (spot) => {
      if (terms.length < 60) terms.push({ text: terms.length ? " + " : "" }, ...inner.pieces(spot));
    });
    rule.push({ text: rule.length ? " + " : "" }, ...inOwnNames(inner.rule));
  }
  if (known === 0 && arriving[step.node].length < 2) return null;
  return h(
    "div",
    { class: "together rule" },
    h("div", { class: "line soft" }, "Together, the delta rule: the slope times the sum of what came back."),
    h(
      "div",
      { class: "line index" },
      ...written([
        ...indexed("δ", sum.out),
        { text: " = " },
        ...ownResult(node, edge, sum.out),
        { text: " = f′ · (" },
        ...rule,
        { text: ")" },
      ]),
    ),
    h(
      "div",
      { class: "line" },
      ...written([
        { text: short(value / zbar), from: "value" },
        { text: " · (" },
        ...terms,
        { text: ") = " },
        { text: short(value), from: "adjoint" },
      ]),
    ),
  );
}

/** @param {boolean} hidden */
export function renderStep(hidden) {
  const step = steps[state.step],
    node = nodes[step.node],
    pane = $("step"),
    back = state.step >= seed,
    letters = lettersAt(node);
  pictures.length = 0;
  const parts = /** @type {Node2[]} */ ([]),
    top = /** @type {Node2[]} */ ([]),
    arrays = /** @type {Node2[]} */ ([]),
    notes = /** @type {Node2[]} */ ([]);
  const sum = step.kind === "value" ? forwardSum(node) : step.edge ? backwardSum(step.edge) : null;
  const target = step.edge ? nodes[step.edge.to] : null,
    out = step.edge ? letters.inputs[step.edge.input] : letters.z;
  const f = step.kind === "value" ? node.formula : step.edge ? node.derivatives[step.edge.input] : null;
  const names = namesOf(node),
    result = step.edge ? barred(names[step.edge.input]) : "z",
    shape = step.edge ? step.edge.value.shape : node.shape;
  const term = step.term ?? -1,
    added = addedAt(step);
  const ruleHidden = hidden && asksFormula();
  if ((f || sum) && !ruleHidden) {
    const rule = h("div", { class: "rule", tabindex: 0, role: "group", "aria-label": "the rule" }),
      math = shownFormula(f);
    if (math) rule.append(math);
    if (sum) {
      rule.append(
        h(
          "div",
          { class: "line index" },
          ...written([...indexed(result, out), { text: step.edge ? " += " : " = " }, ...sum.rule]),
        ),
        // The rule's x, y and z are other numbers than the network's: here it is with the network's names.
        h(
          "div",
          { class: "line index own" },
          ...written([
            ...ownResult(node, step.edge, out),
            { text: step.edge ? " += " : " = " },
            ...inOwnNames(sum.rule),
          ]),
        ),
      );
      const at = bounded(sum),
        place = out.filter((l) => l).map((l) => ({ text: String(numbered(l, at[l] ?? 0)) }));
      const whole =
        term >= 0 ? values(termsOf(sum, shapeLike(shape), out, 0, term))[flatOf(out, shape)] : totalAt(sum, at);
      rule.append(
        h(
          "div",
          { class: "line numbers" },
          `${result}${place.length ? `[${place.map((p) => p.text).join(",")}]` : ""}${step.edge ? " += " : " = "}`,
          ...numbersOfSum(sum, term, hidden),
          ...(hidden
            ? []
            : [
                term >= 0 && step.terms && term + 1 < step.terms ? ", so far " : " = ",
                h(
                  "strong",
                  { class: step.edge ? "from-adjoint" : "from-value" },
                  short(term >= 0 || step.part ? whole : here(step.edge ? step.edge.value : node.value, out)),
                ),
              ]),
        ),
      );
    }
    top.push(rule);
  }
  if (sum && !ruleHidden && axes[node.id]?.kind === "product" && (!step.edge || leadsTo(step.edge, sum) === "input")) {
    const drawing = units(sum, back, term, hidden);
    if (drawing) top.push(drawing);
  }
  const both = together(step, hidden);
  if (both) parts.push(both);
  const over = ruleHidden ? [] : (sum?.over ?? []);
  /** @param {Part} p */
  const given = (p) =>
    picture({
      title: h("strong", {}, p.name),
      note: p.of === p.name ? "" : p.of,
      array: p.array,
      letters: p.letters,
      key: p.name,
      over,
      term: step.term,
      quiet: step.kind === "value" && node.operation === "softmax_cross_entropy",
    });
  if (step.kind === "value" || step.edge) {
    if (ruleHidden) {
      for (const { shown, part } of wordsOf(step)) arrays.push(given({ ...part, name: shown }));
    } else if (sum) {
      for (const p of sum.parts) if (p.node >= 0 || p.letters.length > 0) arrays.push(given(p));
    } else if (step.kind === "value")
      node.inputs.forEach((i, k) => arrays.push(given({ ...inputPart(node, k, letters.inputs[k]) })));
    else {
      if (node.adjoint) arrays.push(given(adjointPart(node, node.adjoint, letters.z)));
      node.inputs.forEach((_, k) => {
        if (k !== step.edge?.input || node.inputs.length === 1)
          arrays.push(given(inputPart(node, k, letters.inputs[k])));
      });
    }
  }
  if (step.kind === "leaf" || step.kind === "value") {
    arrays.push(
      picture({
        title: h("strong", {}, step.kind === "leaf" ? node.name : "z"),
        note: step.kind === "leaf" ? node.kind : node.name,
        array: node.value,
        letters: letters.z,
        key: "result",
        id: "value",
        result: true,
        hidden,
      }),
    );
  } else if (step.kind === "seed") {
    const adjoint = adjointAt(step.node, state.step);
    if (adjoint)
      arrays.push(
        picture({
          title: h("strong", {}, "adjoint"),
          note: node.name,
          array: adjoint,
          letters: letters.z,
          key: "result",
          id: "adjoint",
          result: true,
        }),
      );
  } else if (step.edge && target && added) {
    const split = step.term !== undefined,
      many = arriving[step.edge.to].length > 1,
      so_far = adjointAt(step.edge.to, state.step);
    if (split || many || step.part === "unsummed") {
      arrays.push(
        picture({
          title: h(
            "strong",
            {},
            split
              ? `${ruleHidden ? "this term" : `${over[0]} = ${numbered(over[0], step.term ?? 0)}`} adds`
              : step.part === "unsummed"
                ? "of each copy"
                : "this adds",
          ),
          note: split || step.part === "unsummed" ? "" : `to ${target.name}`,
          array: added.array,
          letters: added.letters,
          key: "added",
          id: "contribution",
          result: true,
          hidden,
        }),
      );
    }
    if (so_far && step.part !== "unsummed") {
      const done = complete(step.edge.to, state.step);
      arrays.push(
        picture({
          title: h("strong", {}, result),
          note: done ? `adjoint of ${target.name}` : `adjoint of ${target.name}, the sum so far`,
          array: so_far,
          letters: out,
          key: "result",
          id: "adjoint",
          result: true,
          hidden,
        }),
      );
    }
  }
  if (hidden && added) parts.push(question(step, added.array, added.letters, result));
  else if (hidden) parts.push(question(step, node.value, letters.z, node.name));
  if (!hidden && state.verdict)
    parts.push(
      h("p", { class: `verdict ${state.verdict.right ? "right" : "wrong"}`, role: "status" }, state.verdict.text),
    );
  if ((node.kind === "parameter" || node.kind === "variable") && step.kind === "leaf" && seed < Infinity)
    notes.push(wayButton(node.id));
  if (
    step.edge &&
    target &&
    complete(step.edge.to, state.step) &&
    (target.kind === "parameter" || target.kind === "variable")
  )
    notes.push(
      h(
        "p",
        {},
        `${target.name} is a leaf: this adjoint is its gradient, the slope of ${nodes[recording?.result ?? 0].name} by each of its numbers.`,
        wayButton(target.id),
      ),
    );
  if (sum && out.some((l) => l) && arrays.length > 0)
    notes.push(h("p", {}, "Click a cell to put its own numbers into the rule."));
  if (state.step === 0)
    notes.push(
      h("p", {}, "The arrow keys step forward, to see the result computed, and then back, to see each gradient."),
    );
  if (node.line !== null && node.line !== undefined) notes.push(h("p", {}, `Line ${node.line} of the derivation.`));
  // Tests find the step's node, and where its edge leads, here.
  for (const [name, value] of /** @type {[string, number | undefined][]} */ ([
    ["node", step.node],
    ["to", step.edge?.to],
    ["input", step.edge?.input],
    ["term", step.term],
  ])) {
    if (value === undefined) delete pane.dataset[name];
    else pane.dataset[name] = String(value);
  }
  fill(
    pane,
    top.length ? h("div", { class: "step-top" }, ...top) : null,
    ...parts,
    arrays.length ? h("div", { class: "arrays" }, ...arrays) : null,
    notes.length ? h("div", { class: "notes" }, ...notes) : null,
  );
}
/** @param {number[]} shape @returns {Numbers} */
const shapeLike = (shape) => ({ shape, values: [] });

/** @param {number} id */
const wayButton = (id) =>
  h(
    "button",
    {
      type: "button",
      click: () => {
        state.path = state.path === id ? -1 : id;
        render();
      },
    },
    state.path === id ? "hide the way" : "the way of its gradient",
  );
