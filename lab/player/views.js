// @ts-check
// The views beside: nodes, memory, digits, a derivation's claims.
import { count, largest, short, times, values } from "./numbers.js";
import { nodes, lettersOfClaim, recording } from "./recording.js";
import { adjointAt, complete, seed, steps } from "./steps.js";
import { embedded, go, hiding, render, state } from "./state.js";
import { $, fill, h, svg } from "./dom.js";
import { shownFormula } from "./elements.js";
import { greatest, least, picture, thumb } from "./arrays.js";
import { stepOf } from "./graph.js";
import { asksFormula } from "./predict.js";
import { saidOfClaim, saidOfNode } from "./said.js";
import { tip } from "./tip.js";

/** @import { Claim, Numbers } from "./types.js" */

export const views = /** @type {[string, string, boolean][]} */ ([
  ["nodes", "Nodes", true],
  ["memory", "Memory", (recording?.memory?.length ?? 0) > 0],
  ["digits", "Digits", nodes.some((n) => n.digits !== null && n.digits !== undefined)],
  ["claims", "Derivation", (recording?.claims?.length ?? 0) > 0 || Boolean(recording?.source)],
]).filter((v) => v[2]);
let shownClaim = -1,
  tableKey = "",
  scrolledTo = /** @type {HTMLElement | null} */ (null);
/** @type {Map<number, {row: HTMLElement, value: HTMLElement, adjoint: HTMLElement, state: string}>} */
const rows = new Map();

/** @param {Numbers} a @param {string} kind */
function inCell(a, kind) {
  if (count(a.shape) === 1) return h("span", {}, short(values(a)[0]));
  return svg(
    "svg",
    {
      width: 70,
      height: 30,
      role: "img",
      "aria-label": `${times(a.shape)}, from ${short(least(a))} to ${short(greatest(a))}`,
    },
    thumb(a, 68, 28, kind),
  );
}
/** @param {number} at */
function renderNodes(at) {
  const view = $("view"),
    step = steps[state.step],
    current = step.node,
    many = nodes.length > 120;
  const word = state.filter.toLowerCase(),
    found = word ? nodes.filter((n) => `${n.name} ${n.operation} ${n.group}`.toLowerCase().includes(word)) : nodes;
  let first = 0,
    last = Math.min(found.length, 120);
  if (many && !word) {
    first = Math.max(0, Math.floor(current / 20) * 20 - 20);
    last = Math.min(found.length, first + 60);
  }
  const key = `nodes ${first} ${last} ${word}`;
  if (tableKey !== key) {
    tableKey = key;
    rows.clear();
    const body = h("tbody");
    for (const node of found.slice(first, last)) {
      const value = h("td", { class: "number value-cell" }),
        adjoint = h("td", { class: "number adjoint-cell" }),
        said = () => saidOfNode(node.id);
      const row = h(
        "tr",
        {},
        h("td", { class: "number soft" }, String(node.id)),
        h(
          "td",
          {},
          tip(h("button", { type: "button", click: () => go(stepOf(node.id, state.step >= seed)) }, node.name), said),
        ),
        value,
        adjoint,
        h("td", { class: "number soft" }, node.shape.length ? node.shape.join(" × ") : "1"),
        tip(h("td", {}, shownFormula(node.formula) ?? h("span", { class: "soft" }, node.kind)), said),
      );
      rows.set(node.id, { row, value, adjoint, state: "" });
      body.append(row);
    }
    const search = many
      ? h(
          "p",
          {},
          h(
            "label",
            {},
            "Find ",
            h("input", {
              type: "search",
              value: state.filter,
              input: (/** @type {Event} */ e) => {
                state.filter = /** @type {HTMLInputElement} */ (e.target).value;
                renderNodes(at);
              },
            }),
          ),
        )
      : null;
    const table = h(
      "table",
      { class: "nodes" },
      h(
        "thead",
        {},
        h("tr", {}, ...["#", "name", "value", "adjoint", "shape", "rule"].map((t) => h("th", { scope: "col" }, t))),
      ),
      body,
    );
    const rest =
      last - first < found.length ? h("p", { class: "soft" }, `${last - first} of ${found.length} nodes`) : null;
    const old = view.querySelector("input[type=search]");
    if (old && search && document.activeElement === old) {
      view.querySelector("table")?.replaceWith(table);
      view.querySelector("p.soft")?.remove();
      if (rest) view.append(rest);
    } else fill(view, search, table, rest);
  }
  for (const [id, cells] of rows) {
    const seen = at >= id,
      adjoint = at >= seed ? adjointAt(id, at) : null,
      now = id === step.node || id === step.edge?.to,
      key = `${state.training} ${seen}${adjoint ? (complete(id, at) ? "done" : at) : ""}`;
    cells.row.classList.toggle("now", now);
    cells.row.classList.toggle("unruled", step.kind === "value" && id === step.node && hiding() && asksFormula());
    if (now) cells.row.setAttribute("aria-current", "step");
    else cells.row.removeAttribute("aria-current");
    if (cells.state === key) continue;
    cells.state = key;
    fill(cells.value, seen ? inCell(nodes[id].value, "value") : "·");
    fill(cells.adjoint, adjoint ? inCell(adjoint, "adjoint") : "·");
  }
  const row = rows.get(current)?.row;
  if (!row || row === scrolledTo) return;
  scrolledTo = row;
  const top = row.offsetTop - 40,
    bottom = row.offsetTop + row.offsetHeight + 40 - view.clientHeight;
  view.scrollTop = Math.max(0, Math.min(top, Math.max(view.scrollTop, bottom)));
}
/** @param {number} bytes */
const inBytes = (bytes) =>
  bytes < 1000 ? `${bytes} bytes` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
/** What changed since before. @param {number} now @param {number} before */
const since = (now, before) =>
  now === before ? "" : `, ${inBytes(Math.abs(now - before))} ${now > before ? "more" : "less"} than before it`;
function renderMemory() {
  const memory = recording?.memory ?? [],
    rules = recording?.backward ?? [],
    step = steps[state.step],
    kept = memory[memory.length - 1].bytes,
    rule = step.kind === "edge" ? rules.findIndex((r) => r.node === step.node) : -1,
    node = Math.min(step.node, memory.length - 1),
    at = rule < 0 ? node : memory.length + rule;
  const values = memory.map((m) => m.bytes),
    all = [...values, ...rules.map((r) => kept + r.bytes)],
    most = Math.max(1, ...all);
  const x = (/** @type {number} */ k) => ((k + 1) / all.length) * 1000,
    area = (/** @type {number[]} */ list) =>
      `M0,200${list.map((bytes, k) => `L${x(k - 1)},${200 - (190 * bytes) / most}L${x(k)},${200 - (190 * bytes) / most}`).join("")}L1000,200Z`;
  const first = recording && nodes[recording.result],
    seeded = first ? count(first.shape) * (recording?.precision === "float" ? 4 : 8) : 0;
  const text =
    rule < 0
      ? `After ${nodes[memory[node].after]?.name ?? ""} was recorded, the tape's values take ${inBytes(values[node])}${since(values[node], values[node - 1] ?? 0)}. At most they take ${inBytes(Math.max(...values))}.`
      : `The tape's values stay: ${inBytes(kept)}. Once the rule of ${nodes[step.node].name} was run, adjoints take ${inBytes(rules[rule].bytes)} beside them${since(rules[rule].bytes, rules[rule - 1]?.bytes ?? seeded)}. At most it is ${inBytes(most)} together.`;
  fill(
    $("view"),
    h("p", {}, text),
    svg(
      "svg",
      {
        class: "chart",
        viewBox: "0 0 1000 200",
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": "bytes after each node, and after each rule on the way back",
      },
      svg("path", { class: "area adjoints", d: area(all) }),
      svg("path", { class: "area", d: area([...values, ...rules.map(() => kept)]) }),
      svg("line", { x1: x(at) - 500 / all.length, x2: x(at) - 500 / all.length, y1: 0, y2: 200 }),
    ),
    h(
      "p",
      { class: "soft" },
      "The tape keeps each value, as the way back needs it: that is why training takes more memory than predicting. An adjoint is given back once its node's rule was run; those of the leaves stay: they are the gradient.",
    ),
  );
}
function renderDigits() {
  const all = nodes.filter((n) => typeof n.digits === "number"),
    most = recording?.precision === "float" ? 7.2 : 15.9,
    now = steps[state.step].node;
  const sorted = [...all]
    .sort((a, b) => /** @type {number} */ (a.digits) - /** @type {number} */ (b.digits))
    .slice(0, 40);
  const top = Math.max(7.2, ...sorted.map((n) => /** @type {number} */ (n.digits)), sorted.length ? 0 : most);
  fill(
    $("view"),
    h(
      "p",
      {},
      `Decimal digits that are right in each value, fewest first; float has 7 at best. ${all.length > 40 ? `40 of ${all.length} nodes.` : ""}`,
    ),
    ...sorted.map((n) =>
      h(
        "div",
        { class: `bar${/** @type {number} */ (n.digits) < 3 ? " few" : ""}${n.id === now ? " now" : ""}` },
        h("span", {}, n.name),
        h(
          "span",
          { class: "rail", "aria-hidden": "true" },
          h("span", {
            class: "fill",
            style: `display:block;width:${(100 * Math.max(0, /** @type {number} */ (n.digits))) / top}%`,
          }),
        ),
        h("span", {}, `${/** @type {number} */ (n.digits).toFixed(1)} digits`),
      ),
    ),
  );
}
/** A claim's numbers beside the tape's. @param {Claim} claim */
function figuresOf(claim) {
  if (!claim.value || !claim.tape) return [];
  const node = typeof claim.node === "number" ? nodes[claim.node] : null,
    letters = lettersOfClaim(claim);
  const same =
    String(claim.value.shape) === String(claim.tape.shape) &&
    String(claim.value.sampled) === String(claim.tape.sampled);
  const tape = values(claim.tape),
    difference = same
      ? {
          ...claim.value,
          values: Array.from(values(claim.value), (v, i) => v - tape[i]),
          least: undefined,
          largest: undefined,
        }
      : null;
  const figures = [
    picture({
      title: h("strong", {}, "the tape"),
      note: node ? `∂${nodes[recording?.result ?? 0].name}/∂${node.name}` : "the left side",
      array: claim.tape,
      letters,
      key: "tape",
      id: "claim-tape",
    }),
    picture({
      title: h("strong", {}, "this line"),
      array: claim.value,
      letters: letters.slice(0, claim.value.shape.length),
      key: "line",
      id: "claim-line",
      differs: same ? claim.tape : undefined,
    }),
  ];
  if (difference)
    figures.push(
      picture({
        title: h("strong", {}, "the difference"),
        note: "line − tape",
        array: difference,
        letters,
        key: "difference",
        id: "claim-difference",
        least: largest(claim.tape) / 1e3, // rounding has no colour
      }),
    );
  return [h("div", { class: "arrays" }, ...figures)];
}
/** In a page that holds the text: the numbers of a line stand below the graph that they are about. */
export function renderOver() {
  const claim = embedded ? recording?.claims?.[state.claim] : undefined,
    over = $("over");
  over.hidden = !claim;
  if (!claim) return;
  const figures = figuresOf(claim);
  fill(
    over,
    h(
      "p",
      { class: "claim-head" },
      h("strong", {}, `Line ${claim.line}`),
      figures.length > 0 ? " beside the tape " : " has no numbers beside the tape's. ",
      tip(h("code", figures.length > 0 ? { tabindex: 0 } : {}, claim.text), () => saidOfClaim(claim)),
      h(
        "button",
        {
          type: "button",
          click: () => {
            state.claim = -1;
            render();
          },
        },
        "hide",
      ),
    ),
    ...figures,
  );
}
function renderClaims() {
  const claims = recording?.claims ?? [];
  const list = claims.map((claim, k) => {
    const open = state.claim === k,
      comparable = claim.value && claim.tape;
    const word = ["holds", "wrong", "conditional", "follows", "undecided", "ill-formed"].includes(claim.verdict)
      ? claim.verdict
      : "other";
    const item = h(
      "div",
      { class: `claim ${word}` },
      h(
        "div",
        {},
        h("span", { class: "word" }, claim.verdict),
        ` line ${claim.line} `,
        comparable
          ? h(
              "button",
              {
                type: "button",
                "aria-expanded": String(open),
                click: () => {
                  state.claim = open ? -1 : k;
                  render();
                },
              },
              open ? "hide the numbers" : "its numbers beside the tape's",
            )
          : null,
      ),
      tip(h("code", comparable ? { tabindex: 0 } : {}, claim.text), () => saidOfClaim(claim)),
    );
    if (claim.reason) item.append(h("p", {}, claim.reason));
    if (claim.repair) item.append(h("p", {}, "It would hold as ", h("code", {}, claim.repair)));
    if (open && !embedded) item.append(...figuresOf(claim));
    return item;
  });
  const line = nodes[steps[state.step].node].line;
  const source = recording?.source
    ? h(
        "div",
        { class: "source", tabindex: 0, role: "group", "aria-label": "the derivation" },
        ...recording.source
          .split("\n")
          .map((text, k) =>
            h(
              "div",
              { class: line === k + 1 ? "now" : "" },
              h("span", { class: "n", "aria-hidden": "true" }, String(k + 1)),
              text,
            ),
          ),
      )
    : null;
  const notes = (recording?.notes ?? []).map((note) => h("p", {}, note));
  const view = $("view");
  fill(view, ...notes, ...list, source);
  if (state.claim !== shownClaim && list[state.claim])
    view.scrollTop = list[state.claim].offsetTop - view.offsetTop - 12;
  shownClaim = state.claim;
}
/** @param {number} at the step whose numbers may be seen */
export function renderView(at) {
  if (state.tab === "nodes") return renderNodes(at);
  tableKey = "";
  if (state.tab === "memory") renderMemory();
  else if (state.tab === "digits") renderDigits();
  else renderClaims();
}
