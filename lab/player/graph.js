// @ts-check
// The graph, laid out by layers, folded where it is large.
import { count } from "./numbers.js";
import { contributions, lettersAt, nodes, recording } from "./recording.js";
import { backwardSum, termsOf } from "./sums.js";
import { adjointAt, arriving, complete, seed, steps, when } from "./steps.js";
import { go, render, state, embedded } from "./state.js";
import { $, fill, svg } from "./dom.js";
import { thumb } from "./arrays.js";
import { tip } from "./tip.js";
import { saidOfEdge, saidOfNode } from "./said.js";

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
/** Folds that the reader opened. @type {Set<string>} */
const opened = new Set();
/** @typedef {{key: string, from: number, to: number, node: number | null}} Item a node, or nodes from..to - 1 folded */
/** @param {number} from @param {number} to @param {Set<number>} wanted @returns {Item[]} */
function itemsOf(from, to, wanted) {
  /** @param {number} id @returns {Item} */
  const single = (id) => ({ key: String(id), from: id, to: id + 1, node: id });
  const n = to - from,
    most = from === 0 && to === nodes.length ? 120 : 60;
  if (n <= most) return Array.from({ length: n }, (_, k) => single(from + k));
  /** @type {[number, number][]} */
  let runs = [];
  for (let id = from; id < to; id++) {
    const last = runs[runs.length - 1];
    if (last && nodes[id].group === nodes[last[0]].group) last[1] = id + 1;
    else runs.push([id, id + 1]);
  }
  if (runs.length < 2 || runs.length > 60) {
    const size = Math.ceil(n / 40);
    runs = Array.from({ length: Math.ceil(n / size) }, (_, k) => [
      from + k * size,
      Math.min(to, from + (k + 1) * size),
    ]);
  }
  return runs.flatMap(([a, b]) => {
    const key = `${a}-${b}`;
    if (b - a <= 2) return Array.from({ length: b - a }, (_, k) => single(a + k));
    if (opened.has(key) || [...wanted].some((id) => id >= a && id < b)) return itemsOf(a, b, wanted);
    return [{ key, from: a, to: b, node: null }];
  });
}

const box = { width: 136, height: 76 };
/** @typedef {{item: Item, x: number, y: number, g: SVGElement, state: string}} Drawn */
let graph = {
  key: "",
  drawn: /** @type {Drawn[]} */ ([]),
  width: 0,
  height: 0,
  root: /** @type {SVGElement | null} */ (null),
  edges:
    /** @type {{a: number, b: number, pairs: [number, number][], g: SVGElement, front: SVGElement, middle: [number, number], card: string}[]} */ ([]),
};

/** Layers from the longest way, leaves beside who takes them; within a layer the order that crosses least. @param {Item[]} items @param {boolean} down */
function layout(items, down) {
  const at = new Map();
  items.forEach((item, k) => {
    for (let id = item.from; id < item.to; id++) at.set(id, k);
  });
  /** @type {Map<string, {a: number, b: number, pairs: [number, number][]}>} */
  const edges = new Map();
  items.forEach((item, b) => {
    for (let id = item.from; id < item.to; id++) {
      nodes[id].inputs.forEach((input, k) => {
        const a = at.get(input);
        if (a === undefined || a === b) return;
        const key = `${a}>${b}`,
          edge = edges.get(key) ?? { a, b, pairs: /** @type {[number, number][]} */ ([]) };
        edge.pairs.push([id, k]);
        edges.set(key, edge);
      });
    }
  });
  const list = [...edges.values()],
    depth = /** @type {number[]} */ (items.map(() => 0)),
    after = items.map(() => Infinity),
    has = new Set(list.map((e) => e.b));
  list.sort((e, f) => e.b - f.b);
  for (const e of list) depth[e.b] = Math.max(depth[e.b], depth[e.a] + 1);
  for (const e of list) after[e.a] = Math.min(after[e.a], depth[e.b]);
  items.forEach((_, k) => {
    if (!has.has(k) && Number.isFinite(after[k])) depth[k] = Math.max(0, after[k] - 1);
  });
  // A place in each layer that an edge passes, so that it runs around the boxes.
  /** @typedef {{real: number, layer: number, pos: number, near: number[]}} Spot */
  /** @type {Spot[]} */
  const spots = items.map((_, k) => ({ real: k, layer: depth[k], pos: 0, near: [] }));
  /** @type {number[][]} */
  const ways = list.map((e) => {
    const way = [e.a];
    if (depth[e.b] - depth[e.a] < 12)
      for (let l = depth[e.a] + 1; l < depth[e.b]; l++) {
        way.push(spots.length);
        spots.push({ real: -1, layer: l, pos: 0, near: [] });
      }
    way.push(e.b);
    for (let k = 1; k < way.length; k++) {
      spots[way[k]].near.push(way[k - 1]);
      spots[way[k - 1]].near.push(way[k]);
    }
    return way;
  });
  /** @type {number[][]} */
  const layers = Array.from({ length: Math.max(0, ...spots.map((s) => s.layer)) + 1 }, () => []);
  spots.forEach((s, k) => layers[s.layer].push(k));
  const pitch = down ? box.width + 18 : box.height + 20;
  /** @param {number} k */
  const room = (k) => (spots[k].real >= 0 ? pitch : 26);
  const settle = (/** @type {number[]} */ layer) => {
    // In order, as near to where each wants to be as the others let it.
    const want = layer.map((k) => spots[k].pos);
    const left = [...want],
      right = [...want];
    for (let k = 1; k < layer.length; k++)
      left[k] = Math.max(left[k], left[k - 1] + (room(layer[k - 1]) + room(layer[k])) / 2);
    for (let k = layer.length - 2; k >= 0; k--)
      right[k] = Math.min(right[k], right[k + 1] - (room(layer[k + 1]) + room(layer[k])) / 2);
    layer.forEach((s, k) => {
      spots[s].pos = (left[k] + right[k]) / 2;
    });
  };
  for (const layer of layers) {
    layer.forEach((k, i) => {
      spots[k].pos = i * pitch;
    });
    const mid = ((layer.length - 1) * pitch) / 2;
    layer.forEach((k) => {
      spots[k].pos -= mid;
    });
  }
  for (let sweep = 0; sweep < 10; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      for (const k of layer)
        if (spots[k].near.length > 0)
          spots[k].pos = spots[k].near.reduce((t, o) => t + spots[o].pos, 0) / spots[k].near.length;
      if (sweep < 8) layer.sort((a, b) => spots[a].pos - spots[b].pos || a - b);
      settle(layer);
    }
  }
  const low = Math.min(...spots.map((s) => s.pos)),
    step = down ? box.height + 54 : box.width + 76,
    pad = 28;
  const places = spots.map((s) => {
    const main = pad + s.layer * step,
      cross = pad + s.pos - low;
    return down ? { x: cross, y: main } : { x: main, y: cross };
  });
  return {
    list,
    ways,
    places,
    spots,
    width: Math.max(...places.map((p) => p.x)) + box.width + pad,
    height: Math.max(...places.map((p) => p.y)) + box.height + pad,
  };
}
/** @param {string} text @param {number} most */
const clipped = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** @param {Item} item */
function labelOf(item) {
  if (item.node === null)
    return `${item.to - item.from} nodes, from ${nodes[item.from].name} to ${nodes[item.to - 1].name}: open`;
  const node = nodes[item.node];
  return `${node.name}: ${node.operation || node.kind} of shape (${node.shape.join(", ")})${node.group === "backward" ? ", recorded by the way back" : ""}`;
}

/** @param {Set<number>} wanted */
export function drawGraph(wanted) {
  const pane = $("graph"),
    down = pane.clientWidth < 560,
    items = itemsOf(0, nodes.length, wanted),
    key = `${down}:${items.map((i) => i.key).join(" ")}`;
  if (graph.key === key) return;
  const { list, ways, places, width, height } = layout(items, down);
  const under = svg("g"),
    over = svg("g"),
    cards = svg("g", { class: "cards" }), // before the boxes, which an edge may run behind
    groups = svg("g");
  const edges = list.map((e, n) => {
    const way = ways[n],
      half = [box.width / 2, box.height / 2];
    const points = way.map((k, i) => {
      const p = places[k],
        first = i === 0,
        last = i === way.length - 1;
      return down
        ? [p.x + half[0], first ? p.y + box.height : last ? p.y : p.y + half[1]]
        : [first ? p.x + box.width : last ? p.x : p.x + half[0], p.y + half[1]];
    });
    let d = `M${points[0]}`;
    for (let k = 1; k < points.length; k++) {
      const [p, q] = [points[k - 1], points[k]],
        m = down ? (p[1] + q[1]) / 2 : (p[0] + q[0]) / 2;
      d += down ? `C${p[0]},${m} ${q[0]},${m} ${q}` : `C${m},${p[1]} ${m},${q[1]} ${q}`;
    }
    const a = points[Math.floor((points.length - 1) / 2)],
      b = points[Math.floor((points.length - 1) / 2) + 1];
    const g = svg("g", { class: "edge" }, svg("path", { d })),
      front = svg("g");
    under.append(g);
    cards.append(front);
    return {
      a: e.a,
      b: e.b,
      pairs: e.pairs,
      g,
      front,
      middle: /** @type {[number, number]} */ ([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]),
      card: "",
    };
  });
  const drawn = items.map((item, k) => {
    const g = svg("g", {
      transform: `translate(${places[k].x},${places[k].y})`,
      role: "button",
      tabindex: -1,
      click: () => pressed(item),
      keydown: (/** @type {KeyboardEvent} */ e) => {
        if (e.key !== "Enter") return;
        e.preventDefault();
        pressed(item);
      },
      "data-item": item.key,
    });
    g.append(svg("rect", { class: "frame", width: box.width, height: box.height, rx: 10 }));
    if (item.node === null) {
      g.append(
        svg("text", { x: 10, y: 22, class: "name" }, clipped(nodes[item.from].group || nodes[item.from].name, 19)),
        svg("text", { x: 10, y: 40, class: "soft" }, `to ${clipped(nodes[item.to - 1].name, 18)}`),
        svg("text", { x: 10, y: 60, class: "soft" }, `${item.to - item.from} nodes: open`),
      );
    } else {
      const node = nodes[item.node];
      g.append(
        svg("text", { x: 10, y: 18, class: "name" }, clipped(node.name, 19)),
        svg(
          "text",
          { x: 10, y: 32, class: "soft" },
          clipped(
            [node.name.startsWith(node.operation || " ") ? "" : node.operation || node.kind, node.shape.join(" × ")]
              .filter(Boolean)
              .join("  "),
            23,
          ),
        ),
        svg("g", { class: "pictures" }),
      );
    }
    const { node } = item;
    tip(g, () => (node === null ? [labelOf(item)] : saidOfNode(node)));
    over.append(g);
    return { item, x: places[k].x, y: places[k].y, g, state: "" };
  });
  // A frame around a layer where no other node stands within it.
  const names = new Set(items.map((i) => (i.node !== null ? nodes[i.node].group : "")));
  for (const name of names) {
    if (name === "") continue;
    const own = drawn.filter((b) => b.item.node !== null && nodes[b.item.node].group === name);
    if (own.length < 2) continue;
    const x = Math.min(...own.map((b) => b.x)) - 9,
      y = Math.min(...own.map((b) => b.y)) - 9,
      X = Math.max(...own.map((b) => b.x)) + box.width + 9,
      Y = Math.max(...own.map((b) => b.y)) + box.height + 9;
    if (drawn.some((b) => !own.includes(b) && b.x < X && b.x + box.width > x && b.y < Y && b.y + box.height > y))
      continue;
    groups.append(
      svg(
        "g",
        { class: "group" },
        svg("rect", { x, y, width: X - x, height: Y - y, rx: 16 }),
        svg("text", { x: x + 14, y: Y + 4, class: "soft" }, clipped(/^\d+$/.test(name) ? `layer ${name}` : name, 40)),
      ),
    );
  }
  /** @param {string} way */
  const arrow = (way) =>
    svg(
      "marker",
      { id: `arrow-${way}`, class: way, viewBox: "0 0 10 10", refX: 9, refY: 5, orient: "auto-start-reverse" },
      svg("path", { d: "M0,0L10,5L0,10z" }),
    );
  const root = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "group" },
    svg("defs", {}, arrow("forward"), arrow("backward")),
    groups,
    under,
    over,
    cards,
  );
  graph = { key, drawn, edges, width, height, root };
  fill(pane, root);
  zoom();
}
export function zoom() {
  const pane = $("graph");
  if (!graph.root) return;
  const high = innerHeight * 0.38,
    wide = (pane.clientWidth - 2) / graph.width;
  const fit = Math.max(embedded ? 0.85 : 0.55, Math.min(1.1, wide, Math.max(0.8, high / graph.height))),
    scale = fit * 1.25 ** state.zoom;
  graph.root.setAttribute("width", String(Math.floor(graph.width * scale)));
  graph.root.setAttribute("height", String(Math.floor(graph.height * scale)));
}
/** @param {Item} item */
function pressed(item) {
  if (item.node === null) {
    opened.add(item.key);
    render();
  } else if (nodes[item.node].kind === "parameter" || nodes[item.node].kind === "variable") {
    state.path = state.path === item.node ? -1 : item.node;
    render();
  } else go(stepOf(item.node, state.step >= seed));
}
/** Where a node is seen: its value, or the last that comes to its adjoint. @param {number} id @param {boolean} backward */
export function stepOf(id, backward) {
  const last = backward ? Math.max(...arriving[id].map((edge) => /** @type {number[]} */ (when.get(edge))[1])) : -1;
  return last > 0 ? last : id === recording?.result && backward && seed < Infinity ? seed : id;
}
/** The nodes through which a gradient comes. @param {number} id @returns {Set<number>} */
export function wayOf(id) {
  const way = new Set([id]);
  for (let k = id + 1; k <= (recording?.result ?? 0); k++)
    if (contributions.get(k)?.some((edge) => way.has(edge.to))) way.add(k);
  return way;
}

/** @param {number} at the step whose numbers may be seen */
export function updateGraph(at) {
  const step = steps[state.step],
    target = step.edge?.to ?? -1,
    way = state.path >= 0 ? wayOf(state.path) : new Set();
  const claimed =
    state.claim >= 0 && (embedded || state.tab === "claims") ? (recording?.claims?.[state.claim]?.node ?? -1) : -1;
  /** @type {Drawn | null} */
  let current = null;
  // Tab comes to the box of the step, and the focus goes with the steps.
  const focused = graph.drawn.some(({ g }) => g === document.activeElement);
  for (const one of graph.drawn) {
    const { item, g } = one,
      id = item.node;
    const holds = (/** @type {number} */ k) => k >= item.from && k < item.to;
    const node = id === null ? null : nodes[id],
      seen = at >= item.from;
    if (holds(step.node)) current = one;
    g.setAttribute(
      "class",
      [
        "box",
        node ? (node.operation ? "" : "leaf") : "fold",
        node?.kind === "parameter" ? "parameter" : "",
        node?.group === "backward" ? "again" : "",
        seen ? "" : "unseen",
        holds(step.node) ? "now" : "",
        holds(target) ? "target" : "",
        claimed >= 0 && holds(claimed) ? "claimed" : "",
        [...way].some(holds) ? "onpath" : "",
      ]
        .filter(Boolean)
        .join(" "),
    );
    if (!node || id === null) continue;
    const adjoint = at >= seed ? adjointAt(id, at) : null,
      key = `${state.training} ${seen}${adjoint ? (complete(id, at) ? "done" : at) : ""}`;
    if (key === one.state) continue;
    one.state = key;
    const place = /** @type {SVGElement} */ (g.querySelector(".pictures"));
    fill(place);
    if (seen) place.append(svg("g", { transform: "translate(10,38)" }, thumb(node.value, 54, 32, "value")));
    if (adjoint)
      place.append(
        svg(
          "g",
          { transform: "translate(72,38)" },
          svg("path", { d: "M-5,0V32", stroke: "var(--backward)", "stroke-width": 2 }),
          thumb(adjoint, 54, 32, "adjoint"),
        ),
      );
  }
  const sharing =
    target >= 0
      ? new Set(arriving[target].filter((edge) => /** @type {number[]} */ (when.get(edge))[0] <= at))
      : new Set();
  for (const edge of graph.edges) {
    const now =
      step.kind === "edge" && edge.pairs.some(([id, k]) => id === step.node && nodes[id].inputs[k] === step.edge?.to);
    const flowed = edge.pairs.some(([id, k]) =>
      contributions
        .get(id)
        ?.some((c) => c.to === nodes[id].inputs[k] && /** @type {number[]} */ (when.get(c))[1] <= at),
    );
    const given = step.kind === "value" && edge.pairs.some(([id]) => id === step.node);
    edge.g.setAttribute(
      "class",
      [
        "edge",
        at >= Math.min(...edge.pairs.map((p) => p[0])) ? "seen" : "",
        flowed ? "flowed" : "",
        now ? "flowing" : "",
        given ? "given" : "",
        edge.pairs.some(
          ([id, k]) => way.has(id) && contributions.get(id)?.some((c) => c.to === nodes[id].inputs[k] && way.has(c.to)),
        )
          ? "onpath"
          : "",
      ]
        .filter(Boolean)
        .join(" "),
    );
    const cards =
      edge.pairs.length === 1
        ? (contributions.get(edge.pairs[0][0])?.filter((c) => c.input === edge.pairs[0][1] && sharing.has(c)) ?? [])
        : [];
    const key =
      cards.length > 0
        ? `${state.training} ${when.get(cards[0])}:${Math.min(at, /** @type {number[]} */ (when.get(cards[0]))[1])}`
        : "";
    if (key === edge.card) continue;
    edge.card = key;
    fill(edge.front);
    if (cards.length === 0) continue;
    const [first, last] = /** @type {[number, number]} */ (when.get(cards[0])),
      sum = at < last ? backwardSum(cards[0]) : null;
    const array =
      sum && steps[first].term !== undefined
        ? termsOf(sum, cards[0].value, lettersAt(nodes[edge.pairs[0][0]]).inputs[cards[0].input], 0, at - first)
        : cards[0].value;
    const picture = thumb(array, 46, 26, "adjoint"),
      single = count(array.shape) === 1;
    edge.front.append(
      tip(
        svg(
          "g",
          { class: "card", transform: `translate(${edge.middle[0] - 28},${edge.middle[1] - 17})` },
          svg("rect", { class: "back", width: 56, height: 34, rx: 8 }),
          svg("g", { transform: single ? "translate(28,4)" : "translate(5,4)" }, picture),
        ),
        () => saidOfEdge(cards[0]),
      ),
    );
  }
  graph.root?.setAttribute(
    "aria-label",
    `${nodes.length} nodes; now ${nodes[step.node].name}${target >= 0 ? `, whose adjoint flows to ${nodes[target].name}` : ""}. The list of nodes says the same in words.`,
  );
  for (const { g } of graph.drawn) g.setAttribute("tabindex", g === current?.g ? "0" : "-1");
  if (current && focused) /** @type {SVGElement} */ (current.g).focus({ preventScroll: true });
  if (current) follow(current);
}
/** @param {Drawn} one */
function follow(one) {
  const pane = $("graph"),
    scale = Number(graph.root?.getAttribute("width")) / graph.width;
  const x = (one.x + box.width / 2) * scale,
    y = (one.y + box.height / 2) * scale,
    mx = pane.clientWidth * 0.3,
    my = pane.clientHeight * 0.3;
  const left = Math.abs(x - pane.scrollLeft - pane.clientWidth / 2) > mx ? x - pane.clientWidth / 2 : pane.scrollLeft;
  const top = Math.abs(y - pane.scrollTop - pane.clientHeight / 2) > my ? y - pane.clientHeight / 2 : pane.scrollTop;
  pane.scrollTo({ left, top, behavior: reduced.matches ? "auto" : "smooth" });
}
