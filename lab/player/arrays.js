// @ts-check
// Arrays as heat maps, with their numbers.
import { count, full, largest, near, number, short, shown, times, values } from "./numbers.js";
import { numbered } from "./recording.js";
import { pictures, render, state } from "./state.js";
import { fill, h, svg } from "./dom.js";
import { letterButton } from "./elements.js";

/** @import { Node2, Numbers } from "./types.js" */

/** @param {number} v @param {number} most */
const tone = (v, most) =>
  Number.isFinite(v) && most > 0 ? Math.pow(Math.abs(v) / most, 0.75) : Number.isFinite(v) ? 0 : 1;

/**
 * An array with its numbers, or as a picture where it is large.
 * @param {{title: Node2, note?: string, array: Numbers, letters: string[], key: string, result?: boolean, over?: string[],
 *   term?: number, hidden?: boolean, quiet?: boolean, differs?: Numbers, least?: number, id?: string}} of
 *   least: the size from which on numbers have the full colour
 */
export function picture(of) {
  const { array, letters } = of,
    shape = shown(array),
    v = values(array),
    most = Math.max(largest(array), of.least ?? 0),
    d = shape.length,
    lettered = d === 0 || letters.some((l) => l !== "");
  const rows = d >= 2 ? shape[d - 2] : 1,
    columns = d >= 1 ? shape[d - 1] : 1;
  /** @param {number} axis */
  const place = (axis) => (letters[axis] === "" ? 0 : Math.min(state.cursor[letters[axis]] ?? 0, shape[axis] - 1));
  const lead = shape.slice(0, Math.max(0, d - 2)).map((_, axis) => place(axis));
  const offset = lead.reduce((flat, k, axis) => flat * shape[axis] + k, 0) * rows * columns;
  /** @param {number} axis @param {number} k */
  const real = (axis, k) => numbered(letters[axis] ?? "", array.sampled ? array.sampled[axis][k] : k);
  /** @param {number} r @param {number} c */
  const indexOf = (r, c) => [...lead, ...(d >= 2 ? [r] : []), ...(d >= 1 ? [c] : [])];
  const entries = { cells: /** @type {{td: HTMLElement, at: number[]}[]} */ ([]), letters, shape };
  const figure = h("figure", { class: `array${of.result ? " result" : ""}`, "data-array": of.id });
  figure.append(h("figcaption", {}, of.title, of.note ? h("span", { class: "soft" }, ` ${of.note}`) : null));
  const here = of.over ?? [];
  if (v.length === 0) figure.append(h("p", { class: "soft" }, `no numbers: the shape is (${array.shape.join(", ")})`));
  else if (of.hidden) figure.append(h("p", { class: "soft" }, `${times(array.shape)}: your turn`));
  else if ((rows * columns <= 64 && columns <= 12) || state.wide.has(of.key)) {
    const body = h("tbody");
    const header = h("tr", {}, h("td", { style: "all: unset" }));
    if (columns > 1) {
      for (let c = 0; c < columns; c++) header.append(h("th", { scope: "col" }, String(real(d - 1, c))));
      body.append(header);
    }
    for (let r = 0; r < rows; r++) {
      const row = h(
        "tr",
        {},
        d >= 2 || columns > 1 ? h("th", { scope: "row" }, d >= 2 ? String(real(d - 2, r)) : "") : null,
      );
      for (let c = 0; c < columns; c++) {
        const at = indexOf(r, c),
          value = v[offset + r * columns + c];
        const reached =
          !of.quiet &&
          lettered &&
          letters.every((l, k) =>
            l === "" || here.includes(l)
              ? !(here.includes(l) && of.term !== undefined) || at[k] === of.term
              : at[k] === place(k),
          );
        const summed = letters.some((l) => here.includes(l));
        const td = h("td", {
          class: `${value > 0 ? "above" : "below"}${reached ? (summed ? " used" : " cursor") : ""}${of.differs && !near(value, values(of.differs)[offset + r * columns + c], largest(of.differs) / 1e3) ? " differs" : ""}`,
          style: `--t:${tone(value, most).toFixed(3)}`,
          "data-value": String(value),
          title: full(value),
        });
        td.append(
          h(
            "button",
            {
              type: "button",
              tabindex: reached && !summed ? 0 : -1,
              "data-cell": `${of.key}:${at.join(",")}`,
              "aria-label": `${letters.some((l) => l) ? at.map((k, a) => `${letters[a] || "axis"} ${real(a, k)}`).join(", ") + ": " : ""}${short(value)}`,
              click: () => choose(letters, at, `${of.key}:${at.join(",")}`),
              keydown: (/** @type {KeyboardEvent} */ e) => {
                if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
                e.preventDefault();
                const k = Math.max(0, Math.min(rows * columns - 1, r * columns + c + (e.key === "ArrowDown" ? 1 : -1)));
                const next = indexOf(Math.floor(k / columns), k % columns);
                choose(letters, next, `${of.key}:${next.join(",")}`);
              },
            },
            short(value),
          ),
        );
        row.append(td);
        entries.cells.push({ td, at });
      }
      body.append(row);
    }
    figure.append(
      h(
        "div",
        {
          class: "scroll",
          tabindex: columns > 5 || rows > 8 ? 0 : null,
          role: columns > 5 || rows > 8 ? "group" : null,
          "aria-label": columns > 5 || rows > 8 ? "numbers, which scroll" : null,
        },
        h("table", { class: "heat" }, body),
      ),
    );
  } else {
    const canvas = /** @type {HTMLCanvasElement} */ (
      h("canvas", {
        role: "img",
        "aria-label": `${array.shape.join(" by ")} numbers, from ${short(least(array))} to ${short(greatest(array))}`,
      })
    );
    const grain = Math.max(1, Math.min(12, Math.floor(Math.min(300 / columns, 260 / rows))));
    canvas.width = columns;
    canvas.height = rows;
    canvas.style.width = `${columns * grain}px`;
    canvas.style.height = `${Math.max(rows * grain, 10)}px`;
    paint(canvas, v.subarray(offset, offset + rows * columns), most);
    const read_out = h("span", {}, "point at a cell for its number");
    canvas.addEventListener("pointermove", (e) => {
      const box = canvas.getBoundingClientRect();
      const c = Math.min(columns - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * columns))),
        r = Math.min(rows - 1, Math.max(0, Math.floor(((e.clientY - box.top) / box.height) * rows)));
      fill(
        read_out,
        `[${indexOf(r, c)
          .map((k, a) => real(a, k))
          .join(", ")}] = ${full(v[offset + r * columns + c])}`,
      );
    });
    canvas.addEventListener("click", (e) => {
      const box = canvas.getBoundingClientRect();
      choose(
        letters,
        indexOf(
          Math.min(rows - 1, Math.floor(((e.clientY - box.top) / box.height) * rows)),
          Math.min(columns - 1, Math.floor(((e.clientX - box.left) / box.width) * columns)),
        ),
        "",
      );
    });
    figure.append(canvas, h("div", { class: "axes" }, read_out));
  }
  const tools = h("div", { class: "axes" });
  letters.forEach((l, axis) => {
    if (l === "") return;
    tools.append(h("span", {}, letterButton(l), d === 1 ? "" : axis === d - 1 ? " →" : axis === d - 2 ? " ↓" : ""));
    if (axis < d - 2) {
      tools.append(
        h(
          "select",
          {
            "aria-label": `which ${l}`,
            change: (/** @type {Event} */ e) => {
              state.cursor[l] = Number(/** @type {HTMLSelectElement} */ (e.target).value);
              render();
            },
          },
          ...Array.from({ length: shape[axis] }, (_, k) =>
            h("option", { value: k, selected: k === lead[axis] }, String(real(axis, k))),
          ),
        ),
      );
    }
  });
  if (rows * columns > 64 || columns > 12) {
    if (!of.hidden)
      tools.append(
        h(
          "button",
          {
            type: "button",
            class: "more",
            click: () => {
              if (!state.wide.delete(of.key)) state.wide.add(of.key);
              render();
            },
          },
          state.wide.has(of.key) ? "picture" : "numbers",
        ),
      );
  }
  if (array.sampled && !of.hidden)
    tools.append(
      h(
        "span",
        {},
        `${shape.join(" × ")} of ${array.shape.join(" × ")} are shown; least ${short(least(array))}, largest ${short(greatest(array))}`,
      ),
    );
  if (tools.childNodes.length > 0) figure.append(tools);
  pictures.push(entries);
  return figure;
}
/** @param {Numbers} a */
export const least = (a) =>
  a.least !== undefined ? number(a.least) : values(a).reduce((m, v) => Math.min(m, v), Infinity);
/** @param {Numbers} a */
export const greatest = (a) =>
  a.largest !== undefined ? number(a.largest) : values(a).reduce((m, v) => Math.max(m, v), -Infinity);
/** @param {string} name a colour of the style */
function colour(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}
/** @param {HTMLCanvasElement} canvas @param {Float64Array} v @param {number} most */
function paint(canvas, v, most) {
  const context = canvas.getContext("2d");
  if (!context || v.length === 0) return;
  const image = context.createImageData(canvas.width, canvas.height),
    zero = colour("--zero"),
    above = colour("--above"),
    below = colour("--below");
  for (let k = 0; k < v.length; k++) {
    const t = tone(v[k], most),
      side = v[k] > 0 ? above : below;
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = zero[c] + (side[c] - zero[c]) * t;
    image.data[4 * k + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
/** A small picture, or the number itself. @param {Numbers} a @param {number} width @param {number} height @param {string} kind */
export function thumb(a, width, height, kind) {
  const v = values(a),
    shape = shown(a),
    d = shape.length,
    most = largest(a);
  if (count(a.shape) === 1) return svg("text", { x: 0, y: height / 2 + 4, class: kind }, short(v[0]));
  const rows = d >= 2 ? shape[d - 2] : 1,
    columns = shape[d - 1],
    r = Math.min(rows, 5),
    c = Math.min(columns, 8);
  const size = Math.min(width / Math.max(c, 3), height / Math.max(r, 2)),
    g = svg("g", { class: "thumb" });
  for (let y = 0; y < r; y++) {
    for (let x = 0; x < c; x++) {
      const value = v[Math.floor((y * rows) / r) * columns + Math.floor((x * columns) / c)];
      g.append(
        svg("rect", {
          x: (x * size).toFixed(1),
          y: ((height - r * size) / 2 + y * size).toFixed(1),
          width: size.toFixed(1),
          height: size.toFixed(1),
          class: value > 0 ? "above" : "below",
          style: `--t:${tone(value, most).toFixed(2)}`,
        }),
      );
    }
  }
  return g;
}
/** @param {string[]} letters @param {number[]} at @param {string} key */
function choose(letters, at, key) {
  letters.forEach((l, k) => {
    if (l) state.cursor[l] = at[k];
  });
  render();
  if (key)
    /** @type {HTMLElement | null} */ (document.querySelector(`[data-cell="${CSS.escape(key)}"]`))?.focus({
      preventScroll: true,
    });
}
