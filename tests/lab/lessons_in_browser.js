// lessons_in_browser.js FOLDER BROWSER LESSONS: follows each link of the lessons in LESSONS to a step of their pages in
// FOLDER/pages, and answers what is asked there, first with a usual mistake.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, browserPath, lessons] = process.argv.slice(2);
const { chromium } = createRequire(`${folder}/`)("playwright-core");

// For each question: what the step says, a mistake and what is said of it, and the answer.
const asked = {
  "1_one_neuron": [
    ["passes its adjoint on to a.", [0.5], "wrong sign", [-0.5]],
    ["a hands its adjoint to z", [-0.5], "the slope f′ is missing", [-0.125]],
    ["hands its adjoint to w", [0.25, 0.5], "wrong sign", [-0.25, -0.5]],
    ["hands its adjoint to x", [0.125, -0.125], "wrong sign", [-0.125, 0.125]],
  ],
  "2_coursework": [
    ["yhat hands its adjoint to z2", [2 / 3, -1 / 3, -1 / 3], "wrong sign", [-2 / 3, 1 / 3, 1 / 3]],
    ["a1 reaches every k of z2", [-1, 1], "It is the whole sum over k: asked is this term.", [-4 / 3, 0]],
    ["a1 hands its adjoint to z1", [-1, 1], "the slope f′ is missing", [-0.25, 0.25]],
    ["Each weight of w1", [-0.5, 0.5, -0.25, 0.25], "It is transposed", [-0.5, -0.25, 0.5, 0.25]],
  ],
  "3_batches": [
    ["passes its adjoint on to o.", [-0.5, 0.5, 0, -1], "wrong sign", [0.5, -0.5, 0, 1]],
    ["First s = 0.", [1], "It is the whole sum over s: asked is this term.", [0.5]],
    ["w reaches every s", [2.5, 0.5], "It is the whole sum over s: asked is this term.", [0.5, 0]],
  ],
  "4_transposes": [
    ["are summed over j.", [1, 3], "It has W transposed.", [3, 1]],
    ["Each weight of W", [1, -1, 1, -1], "It is transposed", [1, 1, -1, -1]],
    ["x reaches every i of z", [1, 1], "It is the whole sum over i: asked is this term.", [1, 2]],
  ],
  "5_second_derivatives": [
    ["velocity is", [-1.08, 0.83], "wrong sign", [1.08, -0.83]],
    ["acceleration is", [3.37, 3.64], "wrong sign", [-3.37, -3.64]],
    ["pow#1 hands its adjoint to r", [2.52, 2.73], "wrong sign", [-2.52, -2.73]],
    ["w is used 3 times"],
  ],
};

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-gpu"] });
let links = 0;
for (const [lesson, questions] of Object.entries(asked)) {
  const text = readFileSync(`${lessons}/${lesson}.md`, "utf8");
  const hashes = [...text.matchAll(/\]\([a-z0-9_]+\.html(#step=[^)]+)\)/g)].map((link) => link[1]);
  assert.equal(hashes.length, questions.length, `the links of ${lesson}`);
  for (const [k, [sentence, wrong, said, right]] of questions.entries()) {
    const page = await browser.newPage(),
      what = `${lesson}${hashes[k]}`;
    await page.goto(`file://${folder}/pages/${lesson}.html${hashes[k]}`);
    const step = await page.locator("#sentence").innerText();
    assert.ok(step.includes(sentence), `${what}: ${step}`);
    links++;
    const form = page.locator("form.predict");
    assert.equal(await form.count(), right ? 1 : 0, what);
    if (!right) continue;
    if (right.length > 1) await page.getByRole("button", { name: "the whole array" }).click();
    const answer = async (values) => {
      assert.equal(await page.locator("[data-answer]").count(), values.length, what);
      for (const [n, v] of values.entries()) await page.locator(`[data-answer="${n}"]`).fill(String(v));
      await page.getByRole("button", { name: "Check" }).click();
    };
    await answer(wrong);
    const verdict = await form.locator(".verdict").innerText();
    assert.ok(verdict.includes(said), `${what}: ${verdict}`);
    await answer(right);
    assert.equal(await form.count(), 0, `${what}: not revealed`);
    assert.ok((await page.locator("#step").innerText()).includes("Right."), what);
    await page.close();
  }
}
await browser.close();
console.log(`${links} links of the lessons lead where they say.`);
