// @ts-check
// The points of a batch, as they stand in the text: `given X[n,i] = [[0.5, 1], ...]` and the class of each.

/** @typedef {{x: number, y: number, cls: number}} Point */

/** As many as a range of the language may have. */
export const mostPoints = 64;
/** With 12 classes of 64 points the text is checked and trained in seconds; with twice as many its lines stay undecided. */
export const mostClasses = 12;

/** What follows in a line. */
const comment = /(#|%|\/\/).*/g;

/** Where the numbers of something given stand. @param {string} text @param {string} name */
function listOf(text, name) {
  if (!/^[\p{L}\d_]+$/u.test(name)) return null;
  const found = new RegExp(`^[ \\t]*given[ \\t]+${name}\\[([^\\]]*)\\][^=\\n]*=\\s*\\[`, "mu").exec(text);
  if (!found) return null;
  const begin = found.index + found[0].length - 1;
  let depth = 0;
  const bare = text.slice(begin).replace(comment, (all) => " ".repeat(all.length));
  for (let end = begin; end < text.length; end++) {
    if (bare[end - begin] === "[") depth++;
    if (bare[end - begin] === "]" && --depth === 0)
      return {
        begin,
        end: end + 1,
        letters: found[1].split(",").map((l) => l.trim()),
        nested: /^\[\s*\[/.test(text.slice(begin)),
      };
  }
  return null;
}
/** The text with another size for the range of a letter. @param {string} text @param {string} letter @param {number} size */
const resized = (text, letter, size) =>
  text.replace(/^([ \t]*index[ \t]+)([^:=\n]+)([^=\n]*=[ \t]*)(\d+)/gmu, (all, index, letters, between) =>
    letters.split(",").some((/** @type {string} */ l) => l.trim() === letter)
      ? `${index}${letters}${between}${size}`
      : all,
  );
/** @param {string[]} rows in lines of some 100 letters */
function listed(rows) {
  let text = "[",
    length = 1;
  rows.forEach((row, k) => {
    const part = row + (k + 1 < rows.length ? "," : "");
    if (length + part.length > 100) {
      text += "\n    ";
      length = 4;
    } else if (k > 0) text += " ";
    text += part;
    length += part.length + 1;
  });
  return `${text}]`;
}
/**
 * The text with these points in the place of its own; null where its points do not stand in it as numbers.
 * @param {string} text @param {string} input @param {string} targets @param {Point[]} points
 */
export function withPoints(text, input, targets, points) {
  const classes = Math.max(2, ...points.map((p) => p.cls + 1));
  /** @param {string} name @param {(point: Point, nested: boolean) => string} row */
  const put = (name, row) => {
    const list = listOf(text, name);
    if (!list) return null;
    text = text.slice(0, list.begin) + listed(points.map((p) => row(p, list.nested))) + text.slice(list.end);
    return list;
  };
  const rows = put(input, ({ x, y }) => `[${x}, ${y}]`),
    told =
      rows &&
      put(targets, ({ cls }, nested) =>
        nested ? `[${Array.from({ length: classes }, (_, k) => Number(k === cls)).join(", ")}]` : String(cls),
      );
  if (!rows || !told || (!told.nested && classes > 2)) return null;
  text = resized(text, rows.letters[0], points.length);
  return told.nested ? resized(text, told.letters[1], classes) : text;
}
/** The rows of a list in brackets. @param {string} list */
function partsIn(list) {
  const rows = [""];
  let depth = 0;
  for (const letter of list.slice(1, -1)) {
    depth += letter === "[" ? 1 : letter === "]" ? -1 : 0;
    if (letter === "," && depth === 0) rows.push("");
    else rows[rows.length - 1] += letter;
  }
  return rows.map((row) => row.trim());
}
/**
 * The text with some of its points, in as many lines, and what has fewer numbers there; null where they don't stand in it as numbers.
 * @param {string} text @param {string} input @param {number[]} which
 */
export function withRows(text, input, which) {
  const letter = listOf(text, input)?.letters[0],
    names = /** @type {string[]} */ ([]);
  if (!letter) return null;
  for (const [, name] of [...text.matchAll(/^[ \t]*given[ \t]+([\p{L}\d_]+)\[/gmu)]) {
    const list = listOf(text, name);
    if (!list || list.letters[0] !== letter || names.includes(name)) continue;
    const numbers = text.slice(list.begin, list.end),
      rows = partsIn(numbers.replace(comment, ""));
    if (which.some((n) => n >= rows.length)) return null;
    const lines = "\n".repeat(numbers.split("\n").length - 1);
    text = `${text.slice(0, list.begin)}[${which.map((n) => rows[n]).join(", ")}${lines}]${text.slice(list.end)}`;
    names.push(name);
  }
  return { text: resized(text, letter, which.length), names };
}
/** A number from letters, each as likely. @param {string} text */
function hashOf(text) {
  let hash = 2166136261;
  for (const letter of text) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
/**
 * The points that are held out: always the same of these, and a point that is added leaves most as they were.
 * @param {Point[]} points @param {number} share @returns {Set<number>}
 */
export function heldOut(points, share) {
  const times = /** @type {Map<string, number>} */ (new Map());
  const drawn = points.map(({ x, y, cls }, n) => {
    const own = `${x},${y},${cls}`,
      before = times.get(own) ?? 0;
    times.set(own, before + 1);
    return { n, at: hashOf(`${own},${before}`) };
  });
  const count = Math.min(points.length - 1, Math.max(1, Math.round(share * points.length)));
  return new Set(
    drawn
      .sort((a, b) => a.at - b.at || a.n - b.n)
      .slice(0, count)
      .map(({ n }) => n),
  );
}
/**
 * Points of a table: two numbers and a class in each line, a heading or none. Throws a sentence.
 * @param {string} text @returns {Point[]}
 */
export function pointsOf(text) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/),
    names = /** @type {string[]} */ ([]),
    points = /** @type {Point[]} */ ([]);
  lines.forEach((line, k) => {
    const cells = line.split(/[,;\t]/).map((c) => c.trim().replace(/^"(.*)"$/, "$1"));
    if (line.trim() === "") return;
    const [x, y] = cells.map(Number),
      good = cells.length === 3 && cells.every((c) => c !== "") && Number.isFinite(x) && Number.isFinite(y);
    if (k === 0 && !cells.slice(0, 2).some((c) => /^[-+.\d]|^(nan|inf)/i.test(c))) return; // the heading
    if (!good) throw new Error(`Line ${k + 1} should be two numbers and a class.`);
    if (!names.includes(cells[2])) names.push(cells[2]);
    points.push({ x, y, cls: names.indexOf(cells[2]) });
  });
  if (points.length < 2) throw new Error("There should be at least two points: two numbers and a class in each line.");
  if (points.length > mostPoints)
    throw new Error(`There are ${points.length} points, and this page trains with up to ${mostPoints}.`);
  if (names.length > mostClasses)
    throw new Error(`There are ${names.length} classes, and this page trains with up to ${mostClasses}.`);
  // Classes that are numbers from 0 on keep them.
  if (names.every((n) => /^\d$/.test(n))) for (const p of points) p.cls = Number(names[p.cls]);
  return points;
}
