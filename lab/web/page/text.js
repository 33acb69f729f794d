// @ts-check
// The text of a derivation, as far as the page must know it: which lines are statements, where a line of the report
// stands in it, and which of its numbers may be dragged. What it means is the engine's alone.

/**
 * @typedef {{kind: "prose" | "fence" | "code", head: number, keyword: string}} Row a line: head is where its statement
 *   begins, -1 where there is none
 * @typedef {{row: number, begin: number, end: number}} Part of a line
 * @typedef {{line: number, kind: string, label: string | null, text: string, verdict: string, member: number | null,
 *   index: Record<string, number> | null, expected: number | string | null, got: number | string | null,
 *   reason: string | null, mistake: string | null, repair: string | null, condition: string | null,
 *   because_of: number | null, caret?: number[], members_mathml?: string[], repair_mathml?: string, notes?: string[]}} Line
 * @typedef {{file: string, counts: Record<string, number>, lines: Line[],
 *   error?: {line: number, column: number, sentence: string}}} Report
 */

const keywords = /^\s*(index|given|constant|function|let|claim|update|at)(?![\p{L}\d_])/u;
/** @param {string} text */
export const isMarkdown = (text) => /(^|\n)\uFEFF?```deriv/.test(text);
/** What each line is. @param {string[]} lines @returns {Row[]} */
export function rowsOf(lines) {
  const markdown = isMarkdown(lines.join("\n"));
  let inside = !markdown,
    other = false,
    head = -1;
  return lines.map((line, k) => {
    const fence = markdown && line.trim().startsWith("```");
    if (fence) {
      const opens = !inside && !other && line.trim().startsWith("```deriv");
      other = !inside && !opens && !other;
      inside = opens;
      return { kind: "fence", head: -1, keyword: "" };
    }
    if (!inside) return { kind: other ? "fence" : "prose", head: -1, keyword: "" };
    const keyword = line.match(keywords)?.[1] ?? "";
    if (keyword) head = k;
    return { kind: "code", head: withoutComment(line).trim() ? head : -1, keyword };
  });
}
/** @param {string} line */
export function withoutComment(line) {
  const at = line.search(/(?<!\\)[#%]|\/\//);
  return at < 0 || /\\(re)?newcommand|\\def/.test(line) ? line : line.slice(0, at);
}
/** The last line of the statement that begins in a line. @param {Row[]} rows @param {number} head */
export function lastRow(rows, head) {
  let last = head;
  for (let k = head + 1; k < rows.length && !(rows[k].kind === "code" && rows[k].keyword); k++)
    if (rows[k].head === head) last = k;
  return last;
}

/** The place in a string of the byte with a number in its UTF-8. @param {string} text @param {number} byte */
export function placeOfByte(text, byte) {
  let bytes = 0,
    at = 0;
  for (const c of text) {
    if (bytes >= byte) break;
    const code = /** @type {number} */ (c.codePointAt(0));
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += c.length;
  }
  return at;
}
/**
 * Where each character of a statement stands: its pieces were joined by blanks, and comments left out. Null where it is
 * not found.
 * @param {string[]} lines @param {number} head @param {string} text @returns {{row: number, column: number}[] | null}
 */
export function placesOf(lines, head, text) {
  for (let row = head; row < lines.length && row < head + 200; row++)
    for (
      let column = lines[row].indexOf(text[0] ?? "");
      column >= 0;
      column = lines[row].indexOf(text[0], column + 1)
    ) {
      const places = walk(lines, row, column, text);
      if (places) return places;
    }
  return null;
}
/** @param {string[]} lines @param {number} row @param {number} column @param {string} text */
function walk(lines, row, column, text) {
  const places = [];
  for (const c of text.split("")) {
    const rest = lines[row].slice(column);
    if (c === " " && withoutComment(rest).trim() === "") {
      places.push({ row, column });
      do {
        row++;
        if (row >= lines.length) return null;
      } while (withoutComment(lines[row]).trim() === "");
      column = lines[row].search(/\S/);
    } else if (lines[row][column] === c) places.push({ row, column: column++ });
    else return null;
  }
  return places;
}
/** The parts of lines from one character of a statement to another. @param {{row: number, column: number}[]} places @param {number} begin @param {number} end @returns {Part[]} */
export function partsOf(places, begin, end) {
  /** @type {Part[]} */
  const parts = [];
  for (const { row, column } of places.slice(begin, end)) {
    const last = parts.at(-1);
    if (last?.row === row && last.end === column) last.end++;
    else parts.push({ row, begin: column, end: column + 1 });
  }
  return parts;
}
/**
 * The members of a line, split where an equals sign stands outside of all brackets. @param {string} text
 * @returns {{begin: number, end: number}[]}
 */
export function membersOf(text) {
  /** @type {{begin: number, end: number}[]} */
  const members = [];
  let depth = 0,
    begin = 0;
  const sign = /:=|≔|\\coloneqq\b|\\approx\b|[<>!=]=|[=~≈]/y;
  /** @param {number} to */
  const add = (to) => {
    const own = text.slice(begin, to),
      before = own.match(/^[\s&$]*/)?.[0].length ?? 0,
      behind = own.match(/[\s&$]*(\\\\)?[\s$]*$/)?.[0].length ?? 0;
    members.push({ begin: begin + before, end: Math.max(begin + before, to - behind) });
  };
  for (let k = 0; k < text.length; k++) {
    if ("([{".includes(text[k])) depth++;
    else if (")]}".includes(text[k])) depth--;
    sign.lastIndex = k;
    const found = depth === 0 ? sign.exec(text)?.[0] : undefined;
    if (!found) continue;
    if (!/^[<>!=]=$/.test(found)) {
      add(k);
      begin = k + found.length;
    }
    k += found.length - 1;
  }
  const tail = text.slice(begin).match(/\s(on\s+[\p{L}\d_\\{}]+)?(\s*ascent)?(\s*on\s+[\p{L}\d_\\{}]+)?\s*$/u);
  add(tail ? begin + /** @type {number} */ (tail.index) : text.length);
  return members;
}
/**
 * The repair of a line as an edit: what it replaces, and by what. Null where the member at fault is not found.
 * @param {string[]} lines @param {Line} line @returns {{from: {row: number, column: number}, to: {row: number, column: number}, text: string} | null}
 */
export function repairOf(lines, line) {
  if (!line.repair || line.member === null) return null;
  const places = placesOf(lines, line.line - 1, line.text),
    members = membersOf(line.text),
    wanted = line.members_mathml?.length ?? 0,
    member = members[line.member];
  // A number behind ~ is no formula.
  const printed = line.mistake === "wrong-number" || /[~≈]|\\approx/.test(line.text) ? 1 : 0,
    found = wanted === 0 || wanted === members.length || wanted === members.length - printed;
  if (!places || !member || !found || member.end <= member.begin) return null;
  const last = places[member.end - 1];
  return { from: places[member.begin], to: { row: last.row, column: last.column + 1 }, text: line.repair };
}

const dragged = /(?:(?<=[=,([{]\s*)[-−])?(?<![\p{L}\d_.]|[\p{L}\d_]\[)(?:\d+(?:\.\d+)?|\.\d+)(?![\p{L}\d_.])/gu;
/** The numbers of a line that may be dragged: those that are given. @param {string} line @param {string} statement its statement's line @returns {Part[]} */
export function numbersIn(line, statement) {
  if (!/^\s*(given|constant|at)\b/.test(statement) || /\b(onehot|probabilities)\b/.test(statement)) return [];
  const own = withoutComment(line),
    from = line === statement ? (/^\s*at\b/.test(statement) ? 0 : own.indexOf("=")) : 0;
  if (from < 0) return [];
  return [...own.matchAll(dragged)]
    .filter((m) => m.index > from)
    .map((m) => ({ row: 0, begin: m.index, end: m.index + m[0].length }));
}
/** A link to a step of a player's page, `[What is z?](lesson.html#step=3&predict)`, which may begin in the line above. */
const toStep = /(?:\[[^[\]]*|^[^[\]]*)\]\(([^()\s#]*)\.html(#step=[^()\s]*)\)/g;
/** The links of a line to steps of this file's own page. @param {string} line @param {string} file @returns {{begin: number, end: number, state: string}[]} */
export const stepsIn = (line, file) =>
  [...line.matchAll(toStep)]
    .filter((m) => m[1] === file.replace(/\.[^.]*$/, ""))
    .map((m) => ({ begin: m.index + m[0].search(/\S/), end: m.index + m[0].length, state: m[2] }));
/** A number after some steps, written as it was. @param {string} text @param {number} steps */
export function stepped(text, steps) {
  const value = Number(text.replace("−", "-")),
    digits = text.split(".")[1]?.length ?? 0,
    places = Math.max(digits, 1 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.1)))),
    next = (value + steps / 10 ** places).toFixed(places);
  return /^-0\.?0*$/.test(next) ? next.slice(1) : next;
}
