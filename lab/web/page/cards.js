// @ts-check
// What the engine says of a line, in a card below it.
import { h, mathml } from "../../player/dom.js";
import { lastRow, partsOf, placeOfByte, placesOf, repairOf } from "./text.js";

/** @import { Line, Report } from "./text.js" */
/** @import { Editor } from "./editor.js" */
/**
 * @typedef {{head: number, last: number, line: Line, stale: boolean, card: HTMLElement, key: string, decided: string}} Said
 *   decided: what the reader said of it, "holds" or "wrong", or "shown"; "" where nothing yet
 */

const known = ["holds", "conditional", "wrong", "follows", "ill-formed", "undecided"];
/** @param {string} verdict */
export const verdictWord = (verdict) => (known.includes(verdict) ? verdict : "undecided");
/** @param {number | string} v */
const digits = (v) => (typeof v === "number" ? String(Number(v.toPrecision(6))).replace("-", "−") : v);

export class Cards {
  /** @type {Said[]} */
  said = [];
  /** Where the file cannot be read. @type {{row: number, card: HTMLElement} | null} */
  error = null;
  /** Verdicts wait until the reader has said what a line is. */
  deciding = false;
  /** @type {() => void} */
  ondecided = () => {};
  /** @type {(said: Said) => void} */
  onrepair = () => {};
  /** @type {(said: Said) => void} */
  onover = () => {};
  /** Whether the tape has numbers of a claim. @type {(line: Line) => boolean} */
  comparable = () => false;

  /** @param {HTMLElement} list @param {Editor} editor */
  constructor(list, editor) {
    this.list = list;
    this.editor = editor;
    editor.verdictOf = (row) => {
      if (this.error?.row === row) return "ill-formed";
      const one = this.said.find((s) => s.head === row);
      return !one ? "" : this.waits(one) ? "asked" : one.stale ? "pending" : verdictWord(one.line.verdict);
    };
  }
  /** Whether the reader is to say first whether a line holds. @param {Said} one */
  waits(one) {
    return this.deciding && one.decided === "";
  }
  /** Verdicts are kept back from now on, or not any more. @param {boolean} on */
  decide(on) {
    this.deciding = on;
    for (const one of this.said) {
      one.decided = "";
      this.#again(one);
    }
    this.#mark();
  }
  /** @param {Said} one */
  #again(one) {
    const card = this.#card(one);
    one.card.replaceWith(card);
    one.card = card;
  }
  /** @param {Said} one @param {string} as */
  #decided(one, as) {
    one.decided = as;
    this.#again(one);
    this.#mark();
    this.ondecided();
  }
  /** Lines have changed: what was said of others moves with them. @param {{row: number, rows: number, made: number}} change */
  moved({ row, rows, made }) {
    const end = row + rows - 1;
    this.said = this.said.filter((one) => {
      if (one.head > end) {
        one.head += made - rows;
        one.last += made - rows;
      } else if (one.last >= row) {
        // A line that lost its first word is no claim any more.
        const is = this.editor.rows[one.head];
        if (
          !is ||
          !/^(claim|update)?$/.test(is.keyword) ||
          one.head >= this.editor.lines.length ||
          (rows > made && one.head > row)
        ) {
          one.card.remove();
          return false;
        }
        one.stale = true;
        one.decided ||= "shown"; // who changes a line wants to know
        one.last = Math.max(one.head, one.last + made - rows);
        one.card.classList.add("stale");
      }
      return true;
    });
    if (this.error) {
      this.error.card.remove();
      this.error = null;
    }
  }
  /** @param {Report} report @param {number} [only] this line alone was judged */
  show(report, only) {
    const { editor } = this;
    this.error?.card.remove();
    this.error = null;
    if (report.error) {
      // What was said before stays, and is dimmed until the file can be read.
      const { line, column, sentence } = report.error,
        row = Math.min(line, editor.lines.length) - 1;
      const begin = placeOfCharacter(editor.lines[row], column - 1);
      editor.marks = new Map([[row, [{ row, begin, end: Math.max(begin + 1, begin) }]]]);
      const card = h(
        "li",
        { class: "card ill-formed", "data-line": row + 1 },
        h(
          "p",
          {},
          pill("ill-formed", "cannot be read"),
          ` ${upper(sentence)}. Nothing below is judged until it can be.`,
        ),
      );
      this.error = { row, card };
      this.list.append(card);
      for (const one of this.said) {
        one.stale = true;
        one.card.classList.add("stale");
      }
      this.#order();
      return;
    }
    const old = new Map(this.said.map((one) => [`${one.head}`, one]));
    /** @type {Said[]} */
    const now = only === undefined ? [] : this.said.filter((one) => one.head !== only - 1);
    for (const line of report.lines) {
      const head = line.line - 1,
        before = old.get(`${head}`),
        key = JSON.stringify([line, line.expected !== null && this.comparable(line)]);
      const same = before && before.key === key ? before : null;
      const one = same ?? { head, last: head, line, stale: false, card: h("li"), key, decided: before?.decided ?? "" };
      one.line = line;
      one.last = lastRow(editor.rows, head);
      one.stale = false;
      if (!same) {
        const card = this.#card(one);
        if (before) before.card.replaceWith(card);
        one.card = card;
      }
      one.card.classList.remove("stale");
      now.push(one);
    }
    for (const one of this.said) if (!now.some((s) => s.card === one.card)) one.card.remove();
    this.said = now.sort((a, b) => a.head - b.head);
    this.#mark();
    this.#order();
  }
  /** The part at fault, in the text. */
  #mark() {
    const { editor } = this;
    editor.marks = new Map();
    for (const one of this.said) {
      const { line, stale } = one;
      if (stale || this.waits(one) || line.verdict === "holds" || !line.caret || line.caret[1] <= line.caret[0])
        continue;
      const places = placesOf(editor.lines, line.line - 1, line.text);
      if (!places) continue;
      const [begin, end] = line.caret.map((byte) => placeOfByte(line.text, byte));
      for (const part of partsOf(places, begin, end))
        editor.marks.set(part.row, [...(editor.marks.get(part.row) ?? []), part]);
    }
  }
  #order() {
    const wanted = [...this.said.map((one) => ({ row: one.head, card: one.card })), ...(this.error ? [this.error] : [])]
      .sort((a, b) => a.row - b.row)
      .map((one) => one.card);
    wanted.forEach((card, k) => {
      if (this.list.children[k] !== card) this.list.insertBefore(card, this.list.children[k] ?? null);
    });
  }
  /** @param {Said} one */
  #card(one) {
    const { line } = one,
      word = verdictWord(line.verdict),
      name = `line ${line.line}${line.label ? ` (${line.label})` : ""}`;
    if (this.waits(one)) {
      /** @param {string} text @param {string} whole @param {string} as */
      const choice = (text, whole, as) =>
        h("button", { type: "button", "aria-label": whole, click: () => this.#decided(one, as) }, text);
      return h(
        "li",
        { class: "card asked", "data-line": line.line },
        "Does it hold? ",
        choice("Yes", `Yes, ${name} holds`, "holds"),
        choice("No", `No, ${name} does not hold`, "wrong"),
        choice("Show", `Show ${name}`, "shown"),
      );
    }
    const told =
      !["holds", "wrong"].includes(one.decided) || !/^(holds|wrong|ill-formed)$/.test(line.verdict)
        ? ""
        : (one.decided === "holds") === (line.verdict === "holds")
          ? "You were right."
          : one.decided === "holds"
            ? "You said that it holds."
            : "You said that it does not.";
    const quiet = !told && line.verdict === "holds" && !line.condition && !line.notes?.length;
    const card = h("li", {
      class: `card ${word}${quiet ? " quiet" : ""}`,
      "data-line": line.line,
      "data-verdict": line.verdict,
    });
    if (quiet) {
      card.append(`${name} holds`);
      return card;
    }
    const says = [
      told,
      line.reason ?? "",
      line.verdict === "holds" && line.condition ? `Local factors: ${line.condition}.` : "",
    ].filter(Boolean);
    card.append(
      h(
        "p",
        {},
        pill(word, line.verdict),
        h("span", { class: "hidden" }, ` ${name}: `),
        says.length ? ` ${says.join(" ")}` : "",
      ),
    );
    const repair = line.repair;
    if (repair) {
      const sign = line.kind === "update" ? "≔" : "=";
      const inside =
        line.members_mathml?.[0] && line.repair_mathml
          ? `${line.members_mathml[0]}<mo>${sign}</mo>${line.repair_mathml}`
          : "";
      const formula =
        inside && !inside.includes("departs")
          ? mathml(`<math displaystyle="true"><mrow>${inside}</mrow></math>`)
          : null;
      const can = repairOf(this.editor.lines, line) !== null;
      card.append(
        h(
          "div",
          { class: "repair" },
          can
            ? h(
                "button",
                {
                  type: "button",
                  class: "take",
                  "aria-label": `Mend it: ${name}, ${repair}`,
                  click: () => this.onrepair(one),
                },
                "Mend it",
              )
            : h("span", {}, "It would hold as "),
          formula ?? h("code", {}, repair),
          formula ? h("code", { class: "hidden" }, repair) : null,
        ),
      );
    }
    if (line.expected !== null && line.got !== null) {
      const at = Object.entries(line.index ?? {}).map(([letter, k]) => `${letter} = ${k}`);
      card.append(
        h(
          "p",
          { class: "evidence" },
          // At other numbers than those of the tape beside it, where the text gives none.
          "Where it was tried, the tape said ",
          h("b", {}, digits(line.expected)),
          at.length ? ` at ${at.join(", ")}` : "",
          ", this line ",
          h("b", {}, digits(line.got)),
          ".",
          this.comparable(line)
            ? h(
                "button",
                {
                  type: "button",
                  class: "over",
                  "aria-label": `${name} on the graph`,
                  click: () => this.onover(one),
                },
                "on the graph",
              )
            : null,
        ),
      );
    }
    for (const note of line.notes ?? []) card.append(h("p", { class: "evidence" }, note));
    return card;
  }
  /** Each card stands below the last line of its statement, which leaves room for it. */
  place() {
    const { editor, list } = this,
      all = [
        ...this.said.map((one) => ({ row: one.last, card: one.card })),
        ...(this.error ? [this.error] : []),
      ].filter(({ card }) => !card.classList.contains("quiet"));
    const gaps = new Map();
    for (const { row, card } of all) gaps.set(row, (gaps.get(row) ?? 0) + card.offsetHeight + 10);
    editor.lines.forEach((_, row) => {
      const line = editor.element(row),
        gap = gaps.has(row) ? `${gaps.get(row)}px` : "";
      if (line && line.style.marginBottom !== gap) line.style.marginBottom = gap;
    });
    const tops = all.map(({ row }) => {
      const line = editor.element(row);
      return line ? line.offsetTop + line.offsetHeight : 0;
    });
    const used = new Map();
    all.forEach(({ row, card }, k) => {
      const top = `${tops[k] + (used.get(row) ?? 2)}px`;
      used.set(row, (used.get(row) ?? 2) + card.offsetHeight + 4);
      if (card.style.top !== top) card.style.top = top;
    });
    list.classList.add("placed");
  }
  /** The edit that mends a line. @param {Said} one */
  repair(one) {
    const { editor } = this,
      edit = one.stale ? null : repairOf(editor.lines, { ...one.line, line: one.head + 1 });
    if (!edit) return false;
    const begin = editor.startOf(edit.from.row) + edit.from.column,
      end = editor.startOf(edit.to.row) + edit.to.column;
    editor.replace(begin, end, edit.text);
    return true;
  }
}
/** @param {string} word @param {string} text */
const pill = (word, text) => h("strong", { class: `pill ${word}` }, text);
/** @param {string} text */
const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
/** The place of a character, of which some are two units long. @param {string} text @param {number} count */
const placeOfCharacter = (text, count) => [...text].slice(0, count).join("").length;
