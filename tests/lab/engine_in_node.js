// engine_in_node.js WORKER ROOT DELTARULE: asks the worker of the live page about every example, and compares what it says with
// the native program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Worker } from "node:worker_threads";

const [workerFile, root, deltarule] = process.argv.slice(2);
if (!existsSync(workerFile)) {
  console.error(`SKIPPED: the engine of the live page, as ${workerFile} is not here (scripts/lab.sh builds it).`);
  process.exit(77);
}
if (!process.env.DELTARULE_BROWSER) {
  console.error(
    "SKIPPED: the engine of the live page, which may be older than the sources (scripts/test.sh --lab builds it).",
  );
  process.exit(77);
}
const scratch = mkdtempSync(join(tmpdir(), "deltarule-engine-"));

// A worker of Node, which is spoken to as one of a browser.
const prelude = `const { parentPort } = require("node:worker_threads");
globalThis.postMessage = (message) => parentPort.postMessage(message);
globalThis.addEventListener = (name, f) => name === "message" && parentPort.on(name, (data) => f({ data }));\n`;
const begun = performance.now();
const worker = new Worker(prelude + readFileSync(workerFile, "utf8"), { eval: true });
const waiting = new Map();
let id = 0;
const ready = new Promise((resolve, reject) => {
  worker.on("error", reject);
  worker.on("message", (message) => {
    if (message.ready) resolve(message);
    else waiting.get(message.id)(message);
  });
});
const ask = (question) =>
  new Promise((resolve) => {
    waiting.set(++id, resolve);
    worker.postMessage({ id, ...question });
  });

const seed = 1;
/** The native program's output; it ends with 1 where a line does not hold. */
function native(...args) {
  try {
    return execFileSync(deltarule, args, {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    if (error.stdout === undefined) throw error;
    return error.stdout;
  }
}
/** The same, but for the last bits of numbers, which may be large beside others of their array. */
function assertSame(got, expected, where, size = 0) {
  if (typeof expected === "number" && typeof got === "number") {
    const most = Math.max(1e-9 * Math.max(Math.abs(expected), size), 1e-13);
    assert.ok(Math.abs(got - expected) <= most, `${where}: ${got}, natively ${expected}`);
  } else if (Array.isArray(expected)) {
    assert.equal(got?.length, expected.length, where);
    const sizes = expected.filter((x) => typeof x === "number").map(Math.abs);
    expected.forEach((one, i) => assertSame(got[i], one, `${where}[${i}]`, Math.max(0, ...sizes)));
  } else if (expected !== null && typeof expected === "object") {
    assert.deepEqual(Object.keys(got ?? {}).sort(), Object.keys(expected).sort(), where);
    // Of entries that are wrong by the same, as w[0,1] and w[1,0] may be, the last bits say which is the worst.
    if (expected.index && !isDeepStrictEqual(got.index, expected.index)) {
      assertSame(
        Math.abs(got.got - got.expected),
        Math.abs(expected.got - expected.expected),
        `${where}, the difference`,
      );
      expected = { ...expected, index: got.index, got: got.got, expected: got.expected };
    }
    for (const key of Object.keys(expected)) assertSame(got[key], expected[key], `${where}.${key}`);
  } else assert.equal(got, expected, where);
}

/** A derivative that is recorded: compilers differ in which factor of a product they record first. */
const isRecordedBackward = (recording) => recording.nodes.some((node) => node.group === "backward");
const inAnyOrder = (recording) =>
  recording.nodes
    .map((node) =>
      JSON.stringify([node.operation, node.group, node.shape, node.value.values.map((x) => Number(x).toPrecision(8))]),
    )
    .sort();

async function main() {
  const { version } = await ready;
  assert.ok(native("--version").includes(version), version);
  console.log(`      warm after ${Math.round(performance.now() - begun)} ms`);

  const folders = ["examples/derivations", "examples/derivations/errata", "examples/lessons", "docs"];
  const files = folders.flatMap((folder) => {
    try {
      return readdirSync(join(root, folder))
        .filter((f) => /\.(deriv|md)$/.test(f))
        .map((f) => `${folder}/${f}`);
    } catch {
      return [];
    }
  });
  assert.ok(files.length > 50);
  const failures = [];
  let lines = 0,
    recordings = 0;
  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    try {
      const before = performance.now();
      const { report, error } = await ask({ ask: "check", text, file, seed, line: 0 });
      const took = performance.now() - before;
      assert.equal(error, undefined);
      const expected = JSON.parse(native("check", "--json", "--seed", `${seed}`, file));
      assertSame(report, expected, "report");
      lines += report.lines.length;
      if (took > 300 || /coursework/.test(file))
        console.log(`      ${file}: ${report.lines.length} lines in ${Math.round(took)} ms`);
      if (report.error) continue;
      const page = await ask({ ask: "report", text, file, seed });
      assert.ok(page.html.startsWith("<!DOCTYPE html>"));
      for (const notation of ["latex", "text"])
        assert.equal(
          (await ask({ ask: "rewrite", text, notation })).text,
          native("check", `--${notation}`, file),
          notation,
        );
      const said = await ask({ ask: "explain", text, file, seed });
      const output = join(scratch, "recording.json");
      rmSync(output, { force: true });
      native("explain", file, "-o", output, "--seed", `${seed}`);
      let recording;
      try {
        recording = JSON.parse(readFileSync(output, "utf8"));
      } catch {
        assert.ok(said.error.startsWith("[explain]"), said.error);
        continue;
      }
      try {
        assertSame(said.recording, recording, "recording");
      } catch (difference) {
        if (!isRecordedBackward(recording)) throw difference;
        assert.deepEqual(inAnyOrder(said.recording), inAnyOrder(recording));
      }
      recordings++;
    } catch (error) {
      failures.push(`${file}: ${error.message.slice(0, 500)}`);
    }
  }
  for (const failure of failures) console.log(`FAILS ${failure}`);
  assert.ok(lines > 300 && recordings > 30, `${lines} lines, ${recordings} recordings`);

  // One line alone, and what is no question.
  const mistakes = readFileSync(join(root, "examples/derivations/coursework_mistakes.deriv"), "utf8");
  const whole = (await ask({ ask: "check", text: mistakes, file: "-", seed, line: 0 })).report;
  const third = whole.lines[2];
  assert.deepEqual((await ask({ ask: "check", text: mistakes, file: "-", seed, line: third.line })).report.lines, [
    third,
  ]);
  assert.match((await ask({ ask: "dance", text: "given x\n" })).error, /dance/);
  assert.match((await ask({ ask: "check" })).error, /text/);
  assert.match((await ask({ ask: "rewrite", text: "nonsense", notation: "text" })).error, /nonsense|begin|line/);

  // The deepest formulas, the widest ones, and too large ones: an answer, and the engine lives on.
  const deep = (n, open, close) =>
    `given x\nlet y = ${open.repeat(n)}x${close.repeat(n)}\nclaim dy/dx = 1\nclaim y = ${open.repeat(n)}x${close.repeat(n)}\n`;
  const hard = [];
  for (const n of [50, 100, 118, 119, 5000])
    for (const [open, close] of [
      ["(", ")"],
      ["tanh(", ")"],
      ["-", ""],
      ["exp(-", ")"],
      ["{", "}"],
      ["1/(1+", ")"],
      ["\\frac{1}{", "}"],
    ])
      hard.push(deep(n, open, close));
  hard.push(`given x\nlet y = ${Array(20000).fill("x").join(" + ")}\nclaim dy/dx = 20000\n`);
  hard.push(`given x\nlet y = ${Array(3000).fill("x").join(" * ")}\nclaim dy/dx = 3000\n`);
  hard.push(`given x\nlet y = ${Array(3000).fill("x").join(" ^ ")}\nclaim dy/dx = 3000\n`);
  hard.push(
    "given x\n" +
      Array.from({ length: 400 }, (_, i) => `let y${i} = tanh(${i ? `y${i - 1}` : "x"})\n`).join("") +
      "claim dy399/dx = 1\n",
  );
  hard.push(
    "index i, j, k = 100000\ngiven a[i,j,k]\nlet y = sum(i, sum(j, sum(k, a[i,j,k]^2)))\nclaim dy/da[i,j,k] = 2 a[i,j,k]\n",
  );
  hard.push("x".repeat(2 << 20), "\0", "\ud800", "claim \u{1d6ff} = \u{1d6ff}\n");
  const readLike = (one) => (one.error ? one.error.sentence : one.lines.map((line) => line.verdict).join(" "));
  for (const text of hard) {
    const here = await ask({ ask: "check", text, file: "-", seed, line: 0 });
    const shown = `${text.slice(0, 60)}... of ${text.length}`;
    const there = JSON.parse(
      (() => {
        try {
          return execFileSync(deltarule, ["check", "--json", "-"], {
            input: text,
            encoding: "utf8",
            stdio: "pipe",
            maxBuffer: 1 << 28,
          });
        } catch (error) {
          return error.stdout;
        }
      })(),
    );
    try {
      if (here.error) assert.fail(here.error);
      assert.equal(readLike(here.report), readLike(there));
    } catch (error) {
      failures.push(`${shown}: ${error.message.slice(0, 500)}`);
      console.log(`FAILS ${failures.at(-1)}`);
    }
  }
  assert.deepEqual((await ask({ ask: "check", text: mistakes, file: "-", seed, line: 0 })).report, whole);
  console.log(`      ${files.length} files, ${lines} lines, ${recordings} recordings, ${hard.length} hard texts`);
  assert.equal(failures.length, 0, `${failures.length} differences`);
}

main().then(
  () => finish(0),
  (error) => {
    console.error(error.stack);
    finish(1);
  },
);
function finish(code) {
  rmSync(scratch, { recursive: true, force: true });
  worker.terminate();
  process.exitCode = code;
}
