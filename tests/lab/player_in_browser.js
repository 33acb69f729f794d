// player_in_browser.js FOLDER BROWSER [WORD]: steps through the pages in FOLDER/pages and compares what they show with their
// JSON. WORD: only the tests whose names hold it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, browserPath, only = ""] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-gpu"] });
const problems = [];
let failed = 0,
  passed = 0;

/** A page that asks nobody for anything and has no error. */
async function open(name, hash = "", options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`${name}: ${error.stack}`));
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) problems.push(`${name} asks for ${request.url()}`);
  });
  await page.goto(`file://${folder}/pages/${name}.html${hash}`);
  return page;
}
async function test(name, body) {
  if (!name.includes(only)) return;
  try {
    problems.length = 0;
    await body();
    assert.deepEqual(problems, []);
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILS ${name}\n${error.stack}`);
  }
}
const recordingOf = (page) => page.evaluate(() => JSON.parse(document.getElementById("recording").textContent));
const number = (v) => ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[v] ?? v;
const numbers = (array) => array.values.map(number);
const close = (a, b, scale) => Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-5 * Math.max(scale, Math.abs(b));
function assertClose(got, right, what, terms = []) {
  assert.equal(got.length, right.length, `${what}: ${got.length} numbers instead of ${right.length}`);
  const scale = Math.max(...[...right, ...terms].map(Math.abs).filter(Number.isFinite), 0);
  right.forEach((v, k) => assert.ok(close(got[k], v, scale), `${what}: entry ${k} is ${got[k]} instead of ${v}`));
}
/** What the page shows of a step: the nodes it is about, and its arrays, as data and as they can be read. */
async function shown(page) {
  const step = await page.evaluate(() => {
    const pane = document.getElementById("step"),
      arrays = {};
    for (const figure of pane.querySelectorAll("[data-array]"))
      arrays[figure.dataset.array] = {
        values: [...figure.querySelectorAll("[data-value]")].map((td) => Number(td.dataset.value)),
        read: [...figure.querySelectorAll("[data-value]")].map((td) => td.textContent),
      };
    const { node, to, input, term } = pane.dataset;
    return {
      kicker: document.getElementById("kicker").textContent,
      sentence: document.getElementById("sentence").textContent,
      node: Number(node),
      to: to === undefined ? null : Number(to),
      input: Number(input),
      term: term === undefined ? null : Number(term),
      arrays,
      result: pane.querySelector(".numbers strong")?.textContent ?? null,
      text: pane.textContent,
    };
  });
  assert.ok(!/undefined/.test(step.text), step.text);
  return step;
}
/** A number as it is read on the page. */
const readNumber = (text) =>
  Number(text.replace("−∞", "-Infinity").replace("∞", "Infinity").replace("nan", "NaN").replace(/−/g, "-"));
function assertReads(array, what) {
  array.read.forEach((text, k) => {
    const v = array.values[k];
    assert.ok(
      Object.is(readNumber(text), v) || Math.abs(readNumber(text) - v) <= 6e-3 * Math.abs(v),
      `${what}: ${text} is read for ${v}`,
    );
  });
}

const derivations = ["coursework_mistakes", "two_hidden_layers_batch", "layer_normalisation"];
for (const name of ["coursework", "float", "fan_out", "neuron", "second", "edges", ...derivations]) {
  await test(`${name}: every step forward and backward shows the recording's numbers, clicked through`, async () => {
    const page = await open(name),
      recording = await recordingOf(page),
      { nodes } = recording;
    const seen = [];
    for (let id = 0; id < nodes.length; id++) {
      const step = await shown(page);
      assert.equal(step.node, id);
      assert.match(step.kicker, new RegExp(`^Step ${id + 1} of \\d+ · forward$`));
      assert.ok(step.sentence.length > 10);
      assertClose(step.arrays.value.values, numbers(nodes[id].value), `${name}, value of ${nodes[id].name}`);
      assertReads(step.arrays.value, nodes[id].name);
      if (step.result !== null) assert.equal(step.result, step.arrays.value.read[0]);
      seen.push(step);
      await page.click("#next");
    }
    let step = await shown(page);
    assert.equal(step.node, recording.result);
    assertClose(step.arrays.adjoint.values, [1], "the seed");
    seen.push(step);
    const sums = new Map();
    for (const { node, contributions } of recording.backward) {
      for (const contribution of contributions) {
        const right = numbers(contribution.value),
          before = sums.get(contribution.to) ?? right.map(() => 0),
          after = before.map((v, k) => v + right[k]),
          terms = right.map(() => 0);
        sums.set(contribution.to, after);
        const added = []; // what cancels leaves the rounding of its terms
        let taken = 0;
        for (;;) {
          await page.click("#next");
          step = await shown(page);
          seen.push(step);
          const what = `${name}, ${step.kicker}`;
          assert.equal(step.node, node, what);
          assert.equal(step.to, contribution.to, what);
          assert.equal(step.input, contribution.input, what);
          for (const array of Object.values(step.arrays)) assertReads(array, what);
          if (step.term !== null) {
            // Edge by edge: what each term adds, and the sum that grows.
            assert.equal(step.term, taken++, what);
            step.arrays.contribution.values.forEach((v, k) => (terms[k] += v));
            added.push(...step.arrays.contribution.values);
            const now = terms.map((v, k) => before[k] + v);
            const scale = Math.max(...right.map(Math.abs), ...now.map(Math.abs));
            step.arrays.adjoint.values.forEach((v, k) =>
              assert.ok(close(v, now[k], scale), `${what}: the running sum ${v}, ${now[k]}`),
            );
          } else if (step.arrays.contribution && step.arrays.adjoint) {
            assertClose(step.arrays.contribution.values, right, what);
          }
          const last = !step.arrays.adjoint
            ? false
            : step.term === null || (step.text.includes(" = ") && step.sentence.includes("That was the last"));
          if (last) break;
          assert.ok(seen.length < 500);
        }
        if (taken > 0) assertClose(terms, right, `${name}: the sum of the terms`, added);
        assertClose(step.arrays.adjoint.values, after, `${name}: the adjoint of ${nodes[contribution.to].name} so far`);
      }
    }
    assert.ok(await page.isDisabled("#next"), `${name}: steps are left`);
    for (const [id, sum] of sums)
      assertClose(sum, numbers(nodes[id].adjoint), `${name}: the adjoint of ${nodes[id].name}`);
    // The list below has all of them now.
    const adjoints = await page.$$eval("table.nodes tbody tr", (rows) =>
      rows.map((row) => row.querySelector(".adjoint-cell").textContent.trim()),
    );
    nodes.forEach((node, id) =>
      assert.equal(adjoints[id] === "·", node.adjoint === null, `${name}: the list's adjoint of ${node.name}`),
    );
    // And back, by the other button: the same steps.
    for (let k = seen.length - 1; k > 0; k--) {
      await page.click("#previous");
      assert.deepEqual(await shown(page), seen[k - 1]);
    }
    assert.ok(await page.isDisabled("#previous"));
    await page.context().close();
  });
}

await test("the coursework: the delta rule is drawn on the edges that it sums over", async () => {
  const page = await open("coursework"),
    { nodes } = await recordingOf(page),
    sigmoid = nodes.find((n) => n.operation === "sigmoid"),
    [hidden, output] = nodes.filter((n) => n.operation === "linear"),
    weight = nodes[output.inputs[1]];
  await page.keyboard.press("End");
  for (let on = true; on;) {
    const step = await shown(page);
    on = !(step.node === output.id && step.to === sigmoid.id);
    if (on) await page.keyboard.press("ArrowLeft");
  }
  // At the last term all five edges of the unit j = 0 are there, and the sum.
  const [rows, units, classes] = [3, 4, 5],
    delta = numbers(output.adjoint),
    w = numbers(weight.value);
  const labels = await page.$$eval(".units text.on", (list) => list.map((t) => t.textContent));
  assert.equal(labels.length, classes);
  for (let k = 0; k < classes; k++)
    assert.ok(
      Math.abs(readNumber(labels[k]) - delta[k] * w[k * units]) <= 5e-3 * Math.abs(delta[k] * w[k * units]),
      labels[k],
    );
  const sum = readNumber(await page.textContent(".units text.sum"));
  assert.ok(Math.abs(sum - numbers(sigmoid.adjoint)[0]) < 1e-3);
  // Each unit is whole, and beside the others.
  const [height, circles] = await page.$eval(".units", (drawing) => [
    drawing.viewBox.baseVal.height,
    [...drawing.querySelectorAll("circle")].map((c) => ({
      x: c.cx.baseVal.value,
      y: c.cy.baseVal.value,
      r: c.r.baseVal.value + parseFloat(getComputedStyle(c).strokeWidth) / 2,
    })),
  ]);
  assert.equal(circles.length, units + classes);
  for (const a of circles) {
    assert.ok(a.y - a.r >= 0 && a.y + a.r <= height, `${a.y} ± ${a.r} of ${height}`);
    for (const b of circles) assert.ok(a === b || Math.hypot(a.x - b.x, a.y - b.y) >= a.r + b.r, "units overlap");
  }
  // A unit's number stands within its circle, and no line of a rule ends within an entry's brackets.
  const wide = await page.$$eval(".units", ([drawing]) => {
    const circles = [...drawing.querySelectorAll("circle")];
    return [...drawing.querySelectorAll("text:not(.on, .first, .last)")]
      .filter((text) => {
        const box = text.getBBox(),
          x = box.x + box.width / 2,
          own = circles.find(
            (c) =>
              Math.abs(c.cx.baseVal.value - x) < 2 && Math.abs(c.cy.baseVal.value + 4 - text.y.baseVal[0].value) < 1,
          );
        return box.width > 2 * own.r.baseVal.value - 2;
      })
      .map((text) => text.textContent);
  });
  assert.deepEqual(wide, []);
  assert.ok((await page.$$(".rule .entry")).length >= 6);
  for (const width of [300, 340, 380, 420]) {
    await page.$eval(".rule", (rule, w) => (rule.style.width = `${w}px`), width);
    const broken = await page.$$eval(
      ".rule .entry",
      (list) => list.filter((one) => one.getClientRects().length > 1).length,
    );
    assert.equal(broken, 0, `${width} wide`);
  }
  await page.$eval(".rule", (rule) => (rule.style.width = ""));
  // Another cell: its own numbers.
  await page.click('[data-array="adjoint"] [data-cell="result:1,2"]');
  assert.match(page.url(), /at=n1\.j2|at=j2\.n1/);
  const there = readNumber(await page.textContent(".units text.sum"));
  assert.ok(Math.abs(there - numbers(sigmoid.adjoint)[units + 2]) < 1e-3);
  // The sigmoid's step: slope times that sum.
  while ((await shown(page)).node !== sigmoid.id) await page.keyboard.press("ArrowRight");
  assert.match(await page.textContent(".together"), /delta rule/);
  assert.match(
    await page.textContent(".together"),
    /dloss\/dlinear#1\[n,j\] = f′ · \(∑k dloss\/dlinear#2\[n,k\] · 2\.weight\[k,j\]\)/,
  );
  const last = (await page.textContent(".together")).split("=").at(-1);
  assert.ok(Math.abs(readNumber(last.trim()) - numbers(hidden.adjoint)[units + 2]) < 1e-3, last);
  assert.equal(rows * units, numbers(hidden.adjoint).length);
  await page.context().close();
});

await test("a derivation: its letters, its claims and the delta rule of vectors", async () => {
  const page = await open("coursework_mistakes", "#view=claims"),
    { nodes, backward, claims } = await recordingOf(page),
    hidden = nodes.find((n) => n.name === "a"),
    edge = backward.find((b) => b.contributions.some((c) => c.to === hidden.id)),
    weight = nodes[nodes[edge.node].inputs.find((id) => nodes[id].shape.length === 2)],
    delta = numbers(nodes[edge.node].adjoint);
  assert.equal(await page.$$eval(".claim", (list) => list.length), claims.length);
  for (let on = true; on;) {
    await page.keyboard.press("ArrowRight");
    const step = await shown(page);
    on = !(step.node === edge.node && step.to === hidden.id && step.term === 4);
  }
  const labels = await page.$$eval(".units text.on", (list) => list.map((t) => t.textContent));
  for (let k = 0; k < 5; k++) {
    const right = delta[k] * numbers(weight.value)[k * 4];
    assert.ok(Math.abs(readNumber(labels[k]) - right) <= 5e-3 * Math.abs(right), labels[k]);
  }
  const letters = await page.$$eval(".rule .letter", (list) => list.map((l) => l.textContent));
  assert.deepEqual([...new Set(letters)].sort(), ["j", "k"]);
  // The rule's x, y and z are other numbers than the network's: it stands in the network's names, too.
  assert.equal(await page.textContent(".rule .own"), "dC/da[j] += ∑k dC/dz[k] · w[k,j]");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.textContent(".rule .own"), "dC/dz[j] += dC/da[j] · (1 − a[j]²)");
  assert.equal(await page.textContent(".together .index"), "δ[j] = dC/dz[j] = f′ · (∑k dC/dz[k] · w[k,j])");
  await page.evaluate((id) => (location.hash = `#step=${id + 1}`), edge.node);
  await page.waitForFunction((id) => document.getElementById("step").dataset.node === String(id), edge.node);
  assert.equal(await page.textContent(".rule .own"), "z[k] = ∑j w[k,j] · a[j]");
  await page.context().close();
});

await test("a letter that counts from 1 has these numbers in cells, sentences, tooltips and answers", async () => {
  const page = await open("from_one"),
    { nodes, first } = await recordingOf(page),
    node = (name) => nodes.find((n) => n.name === name);
  assert.deepEqual(first, { j: 1 });
  const goTo = async (hash, there) => {
    await page.evaluate((to) => (location.hash = to), hash);
    await page.waitForSelector(there);
  };
  // What is read of an array: the numbers of its columns and rows, and each cell's label.
  const cells = (array) =>
    page.$eval(`[data-array="${array}"]`, (figure) => ({
      columns: [...figure.querySelectorAll("th[scope=col]")].map((th) => th.textContent),
      rows: [...figure.querySelectorAll("th[scope=row]")].map((th) => th.textContent),
      labels: [...figure.querySelectorAll("[data-cell]")].map((b) => b.getAttribute("aria-label")),
    }));
  await goTo(`#step=${node("w").id + 1}`, `#step[data-node="${node("w").id}"]`);
  const w = await cells("value");
  assert.deepEqual(
    [w.columns, w.rows],
    [
      ["1", "2", "3"],
      ["0", "1"],
    ],
  );
  assert.equal(w.labels[2], "k 0, j 3: 2");
  // The cell w[1,3] is looked at: its numbers, and its gradient z[1] x[3] = 8 * 3.
  await page.click('[data-array="value"] [data-cell="result:1,2"]');
  await page.keyboard.press("End");
  const seen = [];
  for (let on = true; on; on = !(await page.isDisabled("#previous"))) {
    const step = await shown(page);
    const numbers = await page.$$eval(".rule .numbers", (list) => list.map((line) => line.textContent));
    seen.push(step.sentence, ...numbers);
    await page.keyboard.press("ArrowLeft");
  }
  assert.ok(
    seen.some((text) => /\[1,3\] \+= 8 · 3 = 24$/.test(text)),
    seen.join("\n"),
  );
  await page.hover(`table.nodes tbody tr:nth-child(${node("w").id + 1}) button`);
  assert.match(await page.textContent("#tip"), /w\[1,3\]/);
  await page.mouse.move(0, 0);
  // A claim's cells, and where it is looked at.
  await goTo("#view=claims&claim=1&at=k1.j2", "[data-array=claim-tape]");
  assert.deepEqual((await cells("claim-tape")).columns, ["1", "2", "3"]);
  await page.hover(".claim code");
  assert.match(await page.textContent("#tip"), /At \[1,3\] the tape says 24, this line 24\./);
  await page.mouse.move(0, 0);
  // Predict first asks about the entry that the answer is judged by, and a formula means the same one.
  await goTo("#step=3&predict=formula", ".predict .words");
  const answer = async (text) => {
    await page.fill(".predict input", text);
    await page.keyboard.press("Enter");
    return page.textContent("#step .verdict");
  };
  assert.equal(await answer("w[k,1] * x[0]"), "x has no 0 there: j goes from 1 to 3.");
  assert.equal(await answer("w[k,1] * x[4]"), "x has no 4 there: j goes from 1 to 3.");
  assert.match(await answer("w[k,1] * x[1]"), /^Not quite\. It is the term j = 1 alone/);
  assert.equal(await answer("w[k,1] * x[1] + w[k,2] * x[2] + w[k,3] * x[3]"), "Right.");
  await goTo("#step=4&predict", ".predict input.single");
  assert.match(await page.textContent(".predict"), /What is pow#1\[k = 0\]\?/);
  await page.keyboard.press("End");
  while ((await shown(page)).to !== node("x").id) await page.keyboard.press("ArrowLeft");
  assert.match(await page.textContent(".predict"), /x\[j = 1\]/);
  await page.context().close();
});

await test("what an edge brings stands before the boxes that the edge runs behind", async () => {
  const page = await open("training"),
    { nodes, backward } = await recordingOf(page);
  for (let k = nodes.length + 2; k < nodes.length + 2 + backward.length; k++) {
    await page.evaluate((step) => (location.hash = `#step=${step}`), k);
    await page.waitForFunction((step) => document.getElementById("kicker").textContent.startsWith(`Step ${step} `), k);
    const covered = await page.$$eval(".card rect.back", (cards) =>
      cards.map((card) => {
        const { x, y, width, height } = card.getBoundingClientRect();
        return [0.1, 0.5, 0.9]
          .flatMap((a) => [0.1, 0.5, 0.9].map((b) => [x + a * width, y + b * height]))
          .filter((at) => !card.parentElement.contains(document.elementFromPoint(...at)));
      }),
    );
    assert.ok(covered.length > 0);
    assert.deepEqual(covered.flat(), [], `step ${k}`);
  }
  await page.context().close();
});

await test("letters light the cells that they run over", async () => {
  const page = await open("coursework"),
    { nodes } = await recordingOf(page),
    linear = nodes.find((n) => n.operation === "linear");
  await page.evaluate((id) => (location.hash = `#step=${id + 1}`), linear.id);
  await page.waitForFunction((id) => document.getElementById("step").dataset.node === String(id), linear.id);
  await page.hover('.rule .letter[data-letter="i"]');
  // One row of x, one row of w, nothing of b and of z.
  assert.equal(await page.$$eval(".heat td.lit", (cells) => cells.length), 6);
  await page.mouse.move(0, 0);
  assert.equal(await page.$$eval(".heat td.lit", (cells) => cells.length), 0);
  await page.context().close();
});

await test("predict first: right, the usual mistakes, and how far off", async () => {
  const page = await open("coursework", "#predict"),
    { nodes } = await recordingOf(page),
    sigmoid = nodes.find((n) => n.operation === "sigmoid"),
    hidden = nodes[sigmoid.inputs[0]],
    bias = nodes[hidden.inputs[2]];
  const answer = async (text) => {
    await page.fill(".predict input", String(text));
    await page.keyboard.press("Enter");
    return (await page.textContent("#step .verdict")) ?? "";
  };
  const find = async (condition) => {
    while (!condition(await shown(page))) await page.keyboard.press("ArrowRight");
  };
  await find((s) => s.node === hidden.id);
  const z = numbers(hidden.value)[0];
  assert.ok(!(await page.textContent("#step")).includes(z.toFixed(3)), "the hidden number can be read");
  assert.match(await answer(-z), /wrong sign/);
  assert.match(await answer(z - numbers(bias.value)[0]), /bias is missing/);
  assert.match(await answer("sum"), /no number/);
  assert.equal(await answer("1/0"), "Not yet. It should be a finite number.");
  assert.equal(await answer("nan"), "Not yet. It should be a finite number.");
  assert.match(await answer(z + 1), /too large/);
  assert.match(await answer(z.toFixed(3)), /^Right\.$/);
  assert.ok((await shown(page)).arrays.value.values.length === 12, "the array is there once it is right");
  await page.evaluate(() => document.activeElement.blur());
  await find((s) => s.node === sigmoid.id && s.to === hidden.id);
  const arrives = numbers(sigmoid.adjoint)[0],
    right = numbers(hidden.adjoint)[0];
  assert.match(await answer(arrives), /slope f′ is missing/);
  assert.match(await answer(right / arrives), /slope f′ alone/);
  assert.match(await answer(`${arrives} * ${right / arrives}`), /^Right\.$/);
  await page.evaluate(() => document.activeElement.blur());
  // The bias's gradient, term by term: the whole array at once.
  await find((s) => s.node === hidden.id && s.to === bias.id);
  await page.click("text=the whole array");
  const delta = numbers(hidden.adjoint).slice(0, 4);
  for (let k = 0; k < 4; k++) await page.fill(`[data-answer="${k}"]`, String(k === 2 ? delta[k] * 1.5 : delta[k]));
  await page.click(".predict .main");
  assert.match(await page.textContent(".predict .verdict"), /3 of 4 are right/);
  await page.fill('[data-answer="2"]', String(delta[2]));
  await page.click(".predict .main");
  assert.equal(await page.textContent("#step .verdict"), "Right.");
  await page.context().close();
});

await test("predict first: a batch that is not summed, a mean for a sum", async () => {
  const page = await open("fan_out", "#predict"),
    { nodes } = await recordingOf(page),
    total = nodes.find((n) => n.operation === "sum"),
    squares = numbers(nodes[total.inputs[0]].value);
  await page.evaluate((id) => (location.hash = `#step=${id + 1}&predict`), total.id);
  const answer = async (v) => {
    await page.fill(".predict input", String(v));
    await page.keyboard.press("Enter");
    return page.textContent("#step .verdict");
  };
  const right = numbers(total.value)[0];
  assert.match(await answer(right / squares.length), /mean over .* where the sum belongs/);
  assert.match(await answer(right), /^Right/);
  await page.context().close();
});

await test("predict first: the formula, which is hidden until the learner has given it", async () => {
  const page = await open("coursework", "#predict=formula"),
    { nodes } = await recordingOf(page),
    sigmoid = nodes.find((n) => n.operation === "sigmoid"),
    hidden = nodes[sigmoid.inputs[0]];
  const answer = async (text) => {
    await page.fill(".predict input", text);
    await page.keyboard.press("Enter");
    return page.textContent("#step .verdict");
  };
  const find = async (condition) => {
    while (!condition(await shown(page))) await page.keyboard.press("ArrowRight");
  };
  await find((s) => s.node === hidden.id);
  assert.equal(await page.$$eval("#step .rule, #step .units", (list) => list.length), 0);
  assert.equal(await page.$$eval("tr.unruled", (list) => list.length), 1);
  assert.ok(!(await shown(page)).sentence.includes("summed"));
  assert.match(await page.textContent(".predict"), /What is linear#1\[n,j\], as a formula\?/);
  assert.deepEqual(await page.$$eval("[data-word]", (list) => list.map((b) => b.textContent)), [
    "x[n,i]",
    "w[j,i]",
    "b[j]",
  ]);
  assert.match(await answer("sum(i, w[j,i] * x[n,i])"), /bias is missing/);
  assert.match(await answer("w[j,i] * x[n,i] + b[j]"), /^i is left: sum over it/);
  assert.match(await answer("sum(i, w[i,j] * x[n,i]) + b[j]"), /^Not yet/);
  assert.match(await answer("sum(q, w[j,i] * x[n,i]) + b[j]"), /no letter q/);
  assert.match(await answer("w[j] * x"), /w has 2 indices/);
  assert.match(await answer("0.5"), /This is a number/);
  assert.match(await answer("constructor + x[n,i]"), /no formula/);
  assert.match(await answer("-(sum(i, w[j,i] * x[n,i]) + b[j])"), /wrong sign/);
  assert.match(await answer("z[n,j] = ∑(i, x[n,i] w) + b"), /^Right\.$/);
  assert.equal(await page.$$eval("#step .rule", (list) => list.length), 1);
  await page.evaluate(() => document.activeElement.blur());
  await find((s) => s.node === sigmoid.id && s.to === hidden.id);
  assert.match(await page.textContent(".predict"), /to the adjoint of linear#1\[n,j\], as a formula/);
  // What may be used is put in by a click.
  await page.click('[data-word="sigmoid1bar"]');
  await page.keyboard.press("Enter");
  assert.match(await page.textContent("#step .verdict"), /slope f′ is missing/);
  assert.match(page.url(), /predict=formula/);
  assert.match(await answer("sigmoid1bar * sigmoid1 * (1 - sigmoid1)"), /^Right/);
  // A letter of one's own, for a sum along an axis.
  await page.evaluate(() => (location.hash = "#step=9&predict=formula"));
  await page.waitForFunction(() => document.getElementById("kicker").textContent.startsWith("Step 9 "));
  assert.match(await answer("exp(linear2[n,k]) / sum(m, exp(linear2[n,k]))"), /^Not yet|no letter m/);
  assert.match(await answer("exp(linear2[n,k]) / sum(m, exp(linear2[n,m]))"), /^Right/);
  await page.evaluate(() => document.activeElement.blur());
  await find((s) => s.node === sigmoid.id && s.to === hidden.id);
  // A number is asked for by name, too.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("ArrowRight");
  await page.click("text=one number");
  assert.match(await page.textContent(".predict"), /to the adjoint of .*[\]a-z0-9], .̄\?/);
  await page.context().close();
});

await test("arithmetic is written as mathematics", async () => {
  const page = await open("fan_out"),
    { nodes } = await recordingOf(page),
    said = new Map();
  for (const node of nodes) {
    said.set(node.name, (await shown(page)).sentence);
    await page.keyboard.press("ArrowRight");
  }
  assert.match(said.get("sub#1"), /^sub#1 is matmul#1 − c, entry by entry\. c is repeated to fit: a broadcast\./);
  assert.match(said.get("mul#3"), /^mul#3 is sub#1 · sub#1, entry by entry\./);
  await page.context().close();
});

await test("a click on a weight shows the way of its gradient", async () => {
  const page = await open("coursework"),
    { nodes, result, backward } = await recordingOf(page),
    weight = nodes.find((n) => n.kind === "parameter");
  await page.click(`[data-item="${weight.id}"]`);
  const text = await page.textContent("#path");
  assert.ok(text.indexOf(nodes[result].name) < text.indexOf("sigmoid#1") && text.includes(weight.name), text);
  let edges = 0; // one way only
  for (let id = weight.id; id !== result; edges++)
    id = backward.find((b) => b.contributions.some((c) => c.to === id)).node;
  assert.equal(await page.$$eval(".edge.onpath", (list) => list.length), edges);
  assert.match(page.url(), new RegExp(`path=${weight.id}`));
  await page.context().close();
});

await test("a derivation has its notes, and numbers of claims about no node", async () => {
  const page = await open("derivation", "#view=claims&claim=2"),
    { claims, notes, nodes } = await recordingOf(page);
  const text = await page.$eval("#view", (view) => view.textContent);
  assert.equal(notes.length, 2);
  for (const part of [...notes, ...claims.map((claim) => claim.text), "# <b>"]) assert.ok(text.includes(part), part);
  assert.deepEqual(
    claims.map((claim) => claim.verdict),
    ["wrong", "conditional", "wrong"],
  );
  assert.equal(nodes[claims[0].node].name, "a");
  for (const k of [0, 1, 2]) {
    await page.evaluate((one) => (location.hash = `#view=claims&claim=${one}`), k + 1);
    await page.waitForFunction(
      (n) => document.querySelectorAll("[data-array='claim-line'] [data-value]").length === n,
      [3, 9, 1][k],
    );
    for (const side of ["value", "tape"])
      assertClose(
        await page.$$eval(`[data-array="claim-${side === "value" ? "line" : "tape"}"] [data-value]`, (cells) =>
          cells.map((c) => Number(c.dataset.value)),
        ),
        numbers(claims[k][side]),
        `${side} of claim ${k}`,
      );
    assert.deepEqual(
      await page.$$eval("[data-array='claim-tape'] .letter", (list) => list.map((l) => l.textContent)),
      [["j"], ["j", "m"], []][k],
    );
    assert.equal(await page.$$eval("[data-array='claim-tape'] td.cursor", (cells) => cells.length), 1);
  }
  // A cell of a claim about no node may be looked at.
  await page.evaluate(() => (location.hash = "#view=claims&claim=2"));
  await page.click("[data-array='claim-tape'] [data-cell$=':2,1']");
  await page.hover(".claim >> nth=1 >> code >> nth=0");
  const [, cell, tape] = /At (\S+) the tape says (\S+), this line/.exec(await page.textContent("#tip"));
  assert.equal(cell, "[2,1]");
  assert.ok(Math.abs(readNumber(tape) - numbers(claims[1].tape)[7]) < 1e-3);
  await page.context().close();
});

await test("a wrong claim stands beside the tape", async () => {
  const page = await open("coursework", "#view=claims&claim=1"),
    { claims } = await recordingOf(page);
  const read = (id) =>
    page.$$eval(`[data-array="${id}"] [data-value]`, (cells) => cells.map((c) => Number(c.dataset.value)));
  assertClose(await read("claim-line"), numbers(claims[0].value), "the line");
  assertClose(await read("claim-tape"), numbers(claims[0].tape), "the tape");
  assertClose(
    await read("claim-difference"),
    numbers(claims[0].value).map((v, k) => v - numbers(claims[0].tape)[k]),
    "the difference",
  );
  assert.equal(await page.$$eval(".box.claimed", (list) => list.length), 1);
  assert.equal(await page.$$eval("td.differs", (list) => list.length), 12);
  await page.context().close();
});

await test("a claim that holds: what rounding leaves has no colour", async () => {
  const page = await open("coursework_mistakes"),
    { claims } = await recordingOf(page);
  let rounded = 0;
  for (const [k, claim] of claims.entries()) {
    if (claim.verdict !== "holds" || !claim.value) continue;
    await page.evaluate((one) => (location.hash = `#view=claims&claim=${one}`), k + 1);
    await page.waitForSelector(".claim [aria-expanded=true]");
    const cells = await page.$$eval("[data-array='claim-difference'] [data-value]", (list) =>
      list.map((c) => [Number(c.dataset.value), Number(c.style.getPropertyValue("--t"))]),
    );
    rounded += cells.filter(([v]) => v !== 0).length;
    for (const [v, tone] of cells) assert.equal(tone, 0, `${claim.text}: ${v}`);
  }
  assert.ok(rounded > 0);
  await page.context().close();
});

await test("memory: the values on the way forward, adjoints beside them on the way back", async () => {
  const page = await open("float", "#view=memory"),
    { nodes, memory, backward } = await recordingOf(page),
    kept = memory.at(-1).bytes,
    text = () => page.textContent("#view p");
  const bytesIn = (said) => [...said.matchAll(/(\d+) bytes/g)].map((m) => Number(m[1]));
  for (const [k, { bytes }] of memory.entries()) {
    assert.ok((await text()).startsWith(`After ${nodes[k].name} was recorded`), await text());
    assert.equal(bytesIn(await text())[0], bytes);
    await page.keyboard.press("ArrowRight");
  }
  let before = 4; // the result's adjoint, a float
  for (const { node, bytes, contributions } of backward) {
    for (let to = -1; to !== contributions.at(-1).to; to = (await shown(page)).to)
      await page.keyboard.press("ArrowRight");
    const said = bytesIn(await text());
    assert.match(await text(), new RegExp(`Once the rule of ${nodes[node].name} was run`));
    assert.deepEqual(said.slice(0, 2), [kept, bytes]);
    if (bytes !== before) assert.equal(said[2], Math.abs(bytes - before));
    before = bytes;
    while (!(await page.isDisabled("#next")) && (await shown(page)).node === node)
      await page.keyboard.press("ArrowRight");
    if ((await shown(page)).node !== node) await page.keyboard.press("ArrowLeft");
  }
  // What is left are the gradients of the leaves.
  const leaves = nodes.filter((n) => n.kind !== "operation" && n.adjoint);
  assert.equal(before, 4 * leaves.reduce((sum, n) => sum + numbers(n.adjoint).length, 0));
  await page.context().close();
});

await test("whoever wants no motion sees none", async () => {
  for (const [reducedMotion, moves] of [
    ["reduce", false],
    ["no-preference", true],
  ]) {
    const page = await open("coursework", "#step=12", { reducedMotion });
    const moving = await page.$$eval("*", (all) =>
      all.some((e) => {
        const { animationName, transitionDuration } = getComputedStyle(e);
        return animationName !== "none" || /[1-9]/.test(transitionDuration);
      }),
    );
    assert.equal(moving, moves, reducedMotion);
    await page.context().close();
  }
});

await test("the address: a step, nonsense, and the button back", async () => {
  const page = await open("coursework", "#step=12");
  assert.match((await shown(page)).kicker, /^Step 12 of/);
  for (const hash of [
    "#step=-3",
    "#step=1.5",
    "#step=abc",
    "#%E0%A4%A",
    "#step=1&at=__proto__9&view=constructor&path=999&claim=99",
  ]) {
    await page.evaluate((h) => (location.hash = h), hash);
    assert.match((await shown(page)).kicker, /^Step \d+ of/, hash);
  }
  await page.evaluate(() => (location.hash = "#step=100000"));
  await page.waitForFunction(() => document.getElementById("next").disabled);
  await page.context().close();
});

await test("the keyboard alone", async () => {
  const page = await open("coursework"),
    steps = async () => Number((await shown(page)).kicker.match(/\d+/)[0]),
    { nodes } = await recordingOf(page);
  const press = async (key, right) => {
    await page.keyboard.press(key);
    assert.equal(await steps(), right, key);
  };
  await press("ArrowRight", 2);
  await press("ArrowRight", 3);
  await press("ArrowLeft", 2);
  await press("b", nodes.length + 1);
  await press("PageDown", nodes.length + 2);
  await press("PageUp", nodes.length + 1);
  await press("Home", 1);
  const all = Number((await shown(page)).kicker.match(/of (\d+)/)[1]);
  await press("End", all);
  await press("Home", 1);
  await page.keyboard.press(" ");
  await page.waitForFunction(() => document.getElementById("kicker").textContent.startsWith("Step 2"));
  assert.equal(await page.textContent("#play"), "Pause");
  await page.keyboard.press(" ");
  assert.equal(await page.textContent("#play"), "Play");
  await page.keyboard.press("p");
  assert.ok(await page.isChecked("#predict"));
  await page.keyboard.press("p");
  // Tab reaches everything, and each is seen to have the focus.
  const reached = new Set();
  for (let k = 0; k < 80; k++) {
    await page.keyboard.press("Tab");
    const { id, seen } = await page.evaluate(() => {
      const at = document.activeElement;
      return { id: at?.id || at?.className || at?.textContent, seen: getComputedStyle(at).outlineStyle !== "none" };
    });
    reached.add(id);
    assert.ok(seen || id.startsWith("forwards"), `the focus on ${id} is not seen`);
  }
  for (const id of ["predict", "help-button", "graph", "next", "play", "slider", "speed", "tab-nodes", "view"])
    assert.ok(reached.has(id), `Tab does not reach ${id}`);
  await page.focus("#tab-nodes");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab-memory");
  assert.equal(await steps(), 2);
  // A cell's neighbours.
  await page.evaluate(() => document.activeElement.blur());
  await press("Home", 1);
  await page.focus('[data-cell="result:0,0"]');
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.cell), "result:0,1");
  await page.context().close();
});

await test("a recording of another format is a sentence", async () => {
  const page = readFileSync(`${folder}/pages/neuron.html`, "utf8");
  assert.equal(page.split('"format":1').length, 2);
  writeFileSync(`${folder}/pages/format.html`, page.replace('"format":1', '"format":2'));
  const later = await open("format");
  assert.match(await later.textContent("body"), /This recording has the format 2; this page reads the format 1\./);
  await later.context().close();
});

await test("a browser that cannot read the page's script is told so", async () => {
  const whole = readFileSync(`${folder}/pages/neuron.html`, "utf8");
  writeFileSync(`${folder}/pages/old.html`, whole.replace('<script type="module">', '<script type="module">@'));
  const page = await browser.newPage();
  await page.goto(`file://${folder}/pages/old.html`);
  assert.equal(await page.textContent("main"), "This page needs a browser of the last three years.");
  assert.ok(await page.isHidden("#transport"));
  await page.close();
});

await test("markup in names and formulas stays text", async () => {
  const page = await open("markup"),
    { nodes, claims } = await recordingOf(page);
  for (const view of ["nodes", "memory", "digits", "claims"]) {
    await page.evaluate((v) => (location.hash = `#step=1&view=${v}&claim=1&path=2`), view);
    await page.waitForTimeout(50);
    for (let k = 0; k < 12; k++) await page.keyboard.press("ArrowRight");
  }
  await page.keyboard.press("Home");
  const left = await page.evaluate(() => ({
    hacked: window.hacked,
    scripts: document.scripts.length,
    pictures: document.images.length,
    handlers: [...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on")))
      .length,
  }));
  assert.deepEqual(left, { hacked: undefined, scripts: 3, pictures: 0, handlers: 0 });
  assert.ok((await page.textContent("#sentence")).includes(nodes[0].name));
  await page.evaluate(() => (location.hash = "#view=claims"));
  await page.waitForFunction((text) => document.getElementById("view").textContent.includes(text), claims[0].text);
  await page.context().close();
});

await test("second derivatives: a tape on the tape", async () => {
  const page = await open("second"),
    { nodes } = await recordingOf(page),
    again = nodes.find((n) => n.group === "backward");
  await page.evaluate((id) => (location.hash = `#step=${id + 1}`), again.id);
  await page.waitForFunction(() => document.getElementById("sentence").textContent.includes("a tape on the tape"));
  assert.ok((await page.$$eval(".box.again", (list) => list.length)) > 2);
  await page.context().close();
});

/** The recording of each step of a training. */
function trainedSteps(whole) {
  const { training, ...first } = whole,
    all = [first];
  for (const later of training) {
    const step = structuredClone(all.at(-1));
    later.nodes.forEach((changed, k) => Object.assign(step.nodes[k], changed));
    later.backward.forEach(({ contributions }, k) =>
      contributions.forEach((changed, l) => Object.assign(step.backward[k].contributions[l], changed)),
    );
    all.push(step);
  }
  return all;
}

await test("a training: curves, and a slider that puts the numbers of each step into the player", async () => {
  const page = await open("training"),
    all = trainedSteps(await recordingOf(page)),
    last = all.length - 1,
    { nodes, result } = all[0],
    learned = nodes.filter((n) => n.kind === "parameter").map((n) => n.id);
  const lossOf = (k) => numbers(all[k].nodes[result].value)[0];
  assert.equal(last, 40);
  assert.ok(lossOf(last) < lossOf(0) / 5);
  const assertAt = async (k) => {
    const text = await page.textContent("#train-at");
    assert.match(text, new RegExp(`^Step ${k} of 40: loss = `));
    assert.ok(Math.abs(readNumber(text.split(" = ")[1]) - lossOf(k)) <= 1e-3 * lossOf(k), text);
    const summary = readNumber((await page.textContent("#summary")).split(" = ")[1]);
    assert.ok(Math.abs(summary - lossOf(k)) <= 6e-3 * lossOf(k), `${summary}, ${lossOf(k)}`);
  };
  await assertAt(last);
  const count = learned.reduce((n, id) => n + numbers(nodes[id].value).length, 0);
  assert.deepEqual(await page.$$eval(".curve", (list) => list.map((c) => c.querySelectorAll("polyline").length)), [
    1,
    count,
    count,
  ]);
  await page.focus("#train-step");
  await page.keyboard.press("Home");
  for (const k of [0, 1, 2]) {
    await assertAt(k);
    // The numbers that it says the next step takes are those that it took.
    const rule = await page.textContent("#train-rule"),
      [, name, place, from, slope, to] =
        /by (\S+)\[([\d,]+)\] = (\S+) is (\S+), the steepest: the next step takes it to (\S+)\.$/.exec(rule);
    const node = nodes.find((n) => n.name === name),
      at = place.split(",").reduce((flat, i, axis) => flat * node.shape[axis] + Number(i), 0);
    for (const [said, right] of [
      [from, numbers(all[k].nodes[node.id].value)[at]],
      [slope, numbers(all[k].nodes[node.id].adjoint)[at]],
      [to, numbers(all[k + 1].nodes[node.id].value)[at]],
    ])
      assert.ok(Math.abs(readNumber(said) - right) <= 1e-3 * Math.abs(right), `${rule}: ${right}`);
    await page.keyboard.press("ArrowRight");
  }
  // Each step of the player, forward and backward, at three steps of the training, and the place stays.
  await page.evaluate(() => document.activeElement.blur());
  for (const k of [3, 40, 17]) {
    await page.evaluate((step) => (location.hash = `#training=${step}&step=1`), k);
    await page.waitForFunction(
      (step) => document.getElementById("train-at").textContent.startsWith(`Step ${step} `),
      k,
    );
    await assertAt(k);
    for (const node of all[k].nodes) {
      const step = await shown(page);
      assert.equal(step.node, node.id);
      assertClose(step.arrays.value.values, numbers(node.value), `step ${k}: ${node.name}`);
      await page.keyboard.press("ArrowRight");
    }
    await page.keyboard.press("End");
    const cells = await page.$$eval("table.nodes tbody tr", (rows) =>
      rows.map((row) => [...row.querySelectorAll(".adjoint-cell span, .value-cell span")].map((s) => s.textContent)),
    );
    assert.ok(Math.abs(readNumber(cells[result][0]) - lossOf(k)) <= 6e-3 * lossOf(k));
    const sums = new Map();
    for (let on = true; on;) {
      const step = await shown(page);
      if (step.arrays.adjoint && !sums.has(step.to ?? step.node))
        sums.set(step.to ?? step.node, step.arrays.adjoint.values);
      on = step.kicker.includes("backward");
      await page.keyboard.press("ArrowLeft");
    }
    for (const [id, values] of sums)
      assertClose(values, numbers(all[k].nodes[id].adjoint), `step ${k}: the adjoint of ${nodes[id].name}`);
    assert.equal(sums.size, nodes.filter((n) => n.adjoint).length);
  }
  await page.evaluate(() => (location.hash = "#training=5&step=16"));
  await page.waitForFunction(() => document.getElementById("kicker").textContent.startsWith("Step 16 "));
  const before = await shown(page);
  await page.focus("#train-step");
  await page.keyboard.press("ArrowRight");
  const after = await shown(page);
  assert.deepEqual([after.node, after.to, after.term], [before.node, before.to, before.term]);
  assert.notDeepEqual(after.arrays, before.arrays);
  assert.match(page.url(), /training=6/);
  // A curve says its formula with its numbers.
  await page.focus(".curve >> nth=2");
  assert.match(
    await page.textContent("#tip"),
    /^dloss\/dw, of length √\(∑ \(dloss\/dw\)²\) = [\d.]+ over 22 numbers of .*0\.weight/,
  );
  const length = Math.sqrt(
    learned.flatMap((id) => numbers(all[6].nodes[id].adjoint)).reduce((sum, v) => sum + v * v, 0),
  );
  assert.ok(Math.abs(readNumber(/ = (\S+) over/.exec(await page.textContent("#tip"))[1]) - length) <= 1e-3 * length);
  await page.context().close();
});

await test("a training of large arrays is sampled, and its gradient's length is that of all numbers", async () => {
  const begin = performance.now(),
    page = await open("training_large"),
    took = Math.round(performance.now() - begin),
    all = trainedSteps(await recordingOf(page)),
    learned = all[0].nodes.filter((n) => n.kind === "parameter");
  console.log(`      11 steps of 12,000 weights open in ${took} ms`);
  const large = learned.filter((n) => n.value.sampled);
  assert.ok(large.length > 0);
  let squares = 0;
  for (const { id } of learned) {
    const { adjoint } = all[10].nodes[id];
    squares += adjoint.sampled ? adjoint.length ** 2 : numbers(adjoint).reduce((sum, v) => sum + v * v, 0);
  }
  await page.hover(".curve >> nth=2");
  const said = readNumber(/ = (\S+) over/.exec(await page.textContent("#tip"))[1]);
  assert.ok(Math.abs(said - Math.sqrt(squares)) <= 1e-3 * said, `${said}, ${Math.sqrt(squares)}`);
  assert.match(await page.textContent(".curve >> nth=1"), /^the first 40 of \d+ weights/);
  assert.match(await page.textContent("#train-rule"), /, the steepest of those that are here\.$/);
  await page.context().close();
});

await test("each formula is said with the numbers of the cell: by pointer, focus and touch", async () => {
  let page = await open("coursework");
  const { nodes } = await recordingOf(page),
    hidden = nodes.find((n) => n.operation === "linear"),
    sigmoid = nodes.find((n) => n.operation === "sigmoid");
  const tip = async () => ((await page.isVisible("#tip")) ? page.textContent("#tip") : "");
  // What is not computed yet is not told.
  await page.hover(`[data-item="${hidden.id}"]`);
  assert.match(await tip(), /is not computed yet\.$/);
  assert.ok(!(await tip()).includes(numbers(hidden.value)[0].toFixed(3)));
  await page.evaluate((id) => (location.hash = `#step=${id + 2}&at=n1.j2`), hidden.id);
  await page.waitForFunction((id) => document.getElementById("step").dataset.node === String(id + 1), hidden.id);
  await page.mouse.move(0, 0);
  await page.hover(`[data-item="${hidden.id}"]`);
  const [x, w, b] = hidden.inputs.map((id) => numbers(nodes[id].value)),
    z = numbers(hidden.value)[4 + 2];
  const text = (await tip()).replace(/−/g, "-");
  assert.match(text, /linear#1\[1,2\] = /);
  const terms = text
    .split("linear#1[1,2] = ")[1]
    .split(" = ")[0]
    .split(" + ")
    .map((part) =>
      part
        .replace(/[()]/g, "")
        .split(" · ")
        .map(Number)
        .reduce((a, c) => a * c, 1),
    );
  assert.equal(terms.length, 4, text);
  terms.forEach((term, i) => assert.ok(Math.abs(term - (i < 3 ? x[3 + i] * w[6 + i] : b[2])) < 2e-3, text));
  assert.ok(Math.abs(Number(text.split(" = ").at(-1)) - z) < 1e-3, text);
  await page.keyboard.press("Escape");
  assert.equal(await tip(), "");
  // By the keyboard: the list's names, and the box of the step, which the focus follows.
  await page.focus(`table.nodes tr:nth-child(${hidden.id + 1}) button`);
  assert.equal((await tip()).replace(/−/g, "-"), text);
  await page.evaluate(() => document.activeElement.blur());
  assert.equal(await tip(), "");
  await page.focus(".box.now");
  assert.match(await tip(), /^sigmoid#1/);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.item), String(hidden.id));
  assert.equal((await tip()).replace(/−/g, "-"), text);
  // On the way back the adjoint, and what an edge brought.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("End");
  await page.hover(`[data-item="${sigmoid.id}"]`);
  const adjoint = numbers(sigmoid.adjoint)[4 + 2];
  assert.ok(Math.abs(readNumber((await tip()).split(" = ").at(-1)) - adjoint) < 1e-3, await tip());
  await page.hover(".card >> nth=0");
  assert.match(await tip(), / to .* \+= /);
  // Predict first keeps its number.
  await page.evaluate((id) => (location.hash = `#step=${id + 1}&predict=formula`), hidden.id);
  await page.waitForFunction(() => document.querySelector(".predict"));
  await page.mouse.move(0, 0);
  await page.hover(`[data-item="${hidden.id}"]`);
  assert.match(await tip(), /^linear#1 linear of shape \(3, 4\)linear#1\[0,0\] is not computed yet\.$/);
  await page.context().close();
  page = await open("coursework", "#step=1000&view=claims", { hasTouch: true, viewport: { width: 390, height: 844 } });
  const { claims } = await recordingOf(page);
  await page.tap(".claim code");
  const [tape, line] = ["tape", "value"].map((side) => numbers(claims[0][side])[0]);
  const [, saidTape, saidLine] = /the tape says (\S+), this line (\S+)\.$/.exec(await tip());
  assert.ok(Math.abs(readNumber(saidTape) - tape) < 1e-3 && Math.abs(readNumber(saidLine) - line) < 1e-3);
  await page.tap("#tab-nodes");
  assert.equal(await tip(), "");
  // A phone shows the adjoints as well.
  assert.ok(await page.isVisible("table.nodes tbody tr:nth-child(5) .adjoint-cell"));
  await page.tap("table.nodes tbody tr:nth-child(5) td:last-child");
  assert.match(await tip(), /d.* = /);
  await page.context().close();
});

await test("ten thousand nodes fold, a million numbers are sampled", async () => {
  let begin = performance.now();
  let page = await open("chain", "#step=15000");
  console.log(`      ten thousand nodes open in ${Math.round(performance.now() - begin)} ms`);
  assert.match((await shown(page)).kicker, /^Step 15000 of/);
  assert.ok((await page.$$eval(".box", (list) => list.length)) < 250);
  assert.equal(await page.$$eval(".box.now", (list) => list.length), 1);
  begin = performance.now();
  for (let k = 0; k < 50; k++) await page.keyboard.press("ArrowRight");
  console.log(`      ${Math.round(50000 / (performance.now() - begin))} steps a second`);
  assert.match((await shown(page)).kicker, /^Step 15050 of/);
  await page.click(".box.fold >> nth=0");
  assert.ok((await page.$$eval(".box", (list) => list.length)) > 40);
  await page.context().close();
  begin = performance.now();
  page = await open("large", "#step=2");
  console.log(`      a million numbers open in ${Math.round(performance.now() - begin)} ms`);
  assert.ok((await page.$$("canvas")).length >= 1);
  assert.match(await page.textContent("#step"), /of 1000 × 1000/);
  // The numbers on demand, and the picture again.
  const { nodes } = await recordingOf(page),
    tanh = nodes[1].value;
  await page.click("[data-array=value] .more");
  assertClose((await shown(page)).arrays.value.values, numbers(tanh), "the numbers that are kept");
  await page.click("[data-array=value] .more");
  assert.equal(await page.$$eval("[data-array=value] canvas", (list) => list.length), 1);
  await page.hover("[data-array=value] canvas", { position: { x: 1, y: 1 } });
  assert.match(await page.textContent("[data-array=value]"), /\[0, 0\] = 0/);
  await page.context().close();
});

await test("a rule in the network's own names has the numbers that an operation was given", async () => {
  const page = await open("layer_normalisation"),
    { nodes } = await recordingOf(page),
    square = nodes.find((n) => n.operation === "pow");
  await page.evaluate((id) => (location.hash = `#step=${id + 1}`), square.id);
  await page.waitForFunction((id) => document.getElementById("step").dataset.node === String(id), square.id);
  const of = nodes[square.inputs[0]].name;
  assert.equal(await page.textContent(".rule .own"), `${square.name}[j] = ${of}[j]^2`);
  await page.context().close();
});

for (const scheme of ["light", "dark"]) {
  for (const width of [1280, 800, 390]) {
    await test(`${width} wide, ${scheme}: nothing runs out of the page, and nobody is left out`, async () => {
      for (const [name, hash] of [
        ["coursework", "#step=5"],
        ["coursework", "#step=1000"],
        ["coursework", "#step=14&predict"],
        ["coursework", "#step=9&predict=formula"],
        ["coursework", "#step=16&view=claims&claim=1&path=1"],
        ["coursework", "#step=20&view=digits"],
        ["markup", "#step=9&view=memory"],
        ["fan_out", "#step=28"],
        ["training", "#training=12&step=8"],
        ["training_large", "#step=8"],
        ["large", "#step=2"],
        ["chain", "#step=500"],
      ]) {
        const page = await open(name, hash, {
          colorScheme: scheme,
          viewport: { width, height: width === 390 ? 844 : 900 },
        });
        const [needs, has] = await page.evaluate(() => [
          document.scrollingElement.scrollWidth,
          document.scrollingElement.clientWidth,
        ]);
        assert.ok(needs <= has, `${name}${hash} is ${needs} wide`);
        await page.screenshot({
          path: `${folder}/screenshots/${name}-${hash.replace(/[^a-z0-9]+/g, "-")}-${width}-${scheme}.png`,
          fullPage: width === 390,
        });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run());
        const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
        assert.deepEqual(
          serious.map(
            (v) =>
              `${v.id}: ${v.nodes
                .slice(0, 3)
                .map((n) => n.html.slice(0, 200))
                .join(" | ")}`,
          ),
          [],
          `${name}${hash}`,
        );
        await page.context().close();
      }
    });
  }
}

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
