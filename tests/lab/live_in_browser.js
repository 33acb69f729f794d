// live_in_browser.js FOLDER BROWSER PAGE ROOT DELTARULE [WORD]: types into the live page, and compares its verdicts with those
// of the native program on every example. WORD: only the tests whose names hold it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { deflateRawSync } from "node:zlib";

const [folder, browserPath, file, root, deltarule, only = ""] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const here = `${folder}/live`;
mkdirSync(`${here}/screenshots`, { recursive: true });
const allowed = process.env.DELTARULE_LAB_ENGINE ?? "file:"; // where a stand-in for the engine is asked

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-gpu"] });
const problems = [];
let failed = 0,
  passed = 0;
const address = `file://${file}`;
async function newContext(options = {}) {
  return browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
}
/** A page that asks nobody for anything and has no error. */
async function open({ hash = "", context, ...options } = {}) {
  const own = context ?? (await newContext(options)),
    page = await own.newPage();
  page.on("pageerror", (error) => problems.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(file|blob|data|about):/.test(request.url()) && !request.url().startsWith(allowed))
      problems.push(`the page asks for ${request.url()}`);
  });
  await page.goto(address + hash);
  await settled(page);
  return page;
}
/** Until what was typed is judged. */
async function settled(page) {
  await page.waitForFunction(
    () => {
      const counts = document.getElementById("counts");
      return counts.textContent !== "" && !counts.classList.contains("pending");
    },
    null,
    { timeout: 60000 },
  );
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
const textOf = (page) => page.$$eval("#editor > .line", (lines) => lines.map((l) => l.textContent).join("\n"));
const verdictsOf = (page) =>
  page.$$eval("#cards > .card[data-verdict]", (cards) => cards.map((c) => `${c.dataset.line} ${c.dataset.verdict}`));
const gutterOf = (page, line) => page.$eval(`#editor > .line:nth-child(${line})`, (l) => l.dataset.verdict ?? "");
/** The cursor stands at a column of a line. */
async function goTo(page, line, column) {
  await page.evaluate(
    ([l, c]) => {
      document.getElementById("editor").focus();
      const walker = document.createTreeWalker(
        document.querySelectorAll("#editor > .line")[l - 1],
        NodeFilter.SHOW_TEXT,
      );
      let left = c,
        node = walker.nextNode();
      while (node && left > node.data.length) {
        left -= node.data.length;
        node = walker.nextNode();
      }
      if (node) document.getSelection().collapse(node, left);
      else document.getSelection().collapse(document.querySelectorAll("#editor > .line")[l - 1], 0);
    },
    [line, column],
  );
}
async function write(page, text) {
  await page.focus("#editor");
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.evaluate((t) => {
    const data = new DataTransfer();
    data.setData("text/plain", t);
    document.execCommand("insertText", false, "") || true;
    document.getElementById("editor").dispatchEvent(
      new InputEvent("beforeinput", {
        inputType: "insertFromPaste",
        dataTransfer: data,
        bubbles: true,
        cancelable: true,
      }),
    );
  }, text);
  await settled(page);
}
const packed = (text) => deflateRawSync(Buffer.from(text)).toString("base64url");
const shared = (text, name = "shared.deriv") => `#file=${encodeURIComponent(name)}&text=${packed(text)}`;
/** What the native program says of a text. */
function native(text, name) {
  const path = `${here}/${name}`;
  writeFileSync(path, text);
  try {
    return JSON.parse(execFileSync(deltarule, ["check", "--json", path], { encoding: "utf8" }));
  } catch (error) {
    return JSON.parse(error.stdout);
  }
}

const examples = ["derivations", "lessons"].flatMap((group) =>
  readdirSync(`${root}/examples/${group}`)
    .filter((name) => /\.(deriv|md)$/.test(name) && name !== "README.md")
    .map((name) => ({ name, path: `${root}/examples/${group}/${name}`, lesson: group === "lessons" })),
);
await test("the first screen: the coursework, judged, with its tape", async () => {
  const begin = performance.now(),
    page = await open();
  console.log(`      the first verdicts after ${Math.round(performance.now() - begin)} ms`);
  assert.match(await page.textContent("#counts"), /8 hold.*3 are wrong.*4 are ill-formed/);
  assert.equal(await page.inputValue("#name"), "coursework.deriv");
  assert.ok(!(await textOf(page)).includes("expect:"));
  assert.equal(await gutterOf(page, 35), "wrong");
  assert.equal(await page.$eval("#editor > .line:nth-child(35) .mark", (m) => m.textContent), "sum(m, w[n,m])");
  assert.ok(await page.isVisible('.card[data-line="35"] .take'));
  // These numbers are not those of the tape beside it.
  assert.match(
    await page.textContent('.card[data-line="35"] .evidence'),
    /^Where it was tried, the tape said [\d.]+ at n = 0, j = 1, this line −[\d.]+\./,
  );
  await page.waitForSelector("#tape.shown iframe");
  const frame = page.frameLocator("#tape iframe");
  assert.match(await frame.locator("#kicker").textContent(), /^Step 1 of/);
  await page.context().close();
});

await test("on every example the verdicts are the native program's, and each repair holds", async () => {
  const page = await open();
  let mended = 0;
  for (const { name, path, lesson } of examples) {
    const report = native(readFileSync(path, "utf8"), name);
    await page.click("#open-button");
    await page.$$eval(
      "#open-panel li button:not(.remove)",
      (buttons, wanted) => {
        buttons.find((b) => b.dataset.file === wanted).click();
      },
      name,
    );
    await settled(page);
    assert.equal(await page.isChecked("#decide"), lesson);
    if (lesson) {
      assert.deepEqual(await verdictsOf(page), []);
      await page.click("#decide");
    }
    assert.deepEqual(
      await verdictsOf(page),
      report.lines.map((l) => `${l.line} ${l.verdict}`),
      name,
    );
    const reasons = await page.$$eval("#cards > .card:not(.quiet)", (cards) => cards.map((c) => c.textContent));
    for (const line of report.lines.filter((l) => l.reason))
      assert.ok(
        reasons.some((r) => r.includes(line.reason)),
        `${name}: ${line.reason}`,
      );
    // Every repair is offered, and taken it makes its line hold.
    for (const line of report.lines.filter((l) => l.repair)) {
      const button = await page.$(`.card[data-line="${line.line}"] .take`);
      assert.ok(button, `${name}, line ${line.line}: no button for ${line.repair}`);
    }
    const before = await textOf(page),
      buttons = await page.$$(".card .take");
    for (const button of buttons.reverse()) await button.evaluate((b) => b.click());
    await settled(page);
    // A number that is printed behind a formula is judged once the formula holds.
    const again = await page.$$(".card .take");
    for (const button of again.reverse()) await button.evaluate((b) => b.click());
    await settled(page);
    const now = await verdictsOf(page);
    report.lines.forEach((line, k) => {
      if (line.repair) assert.match(now[k], / holds$/, `${name}, line ${line.line}, mended by ${line.repair}`);
    });
    mended += buttons.length;
    while ((await textOf(page)) !== before) await page.keyboard.press("Control+z");
  }
  console.log(`      ${examples.length} examples, ${mended} lines mended`);
  await page.context().close();
});

const small = `index i = 3
given x[i]
given w[i]
let y = tanh(sum(i, w[i] * x[i]))
let E = y^2
claim dE/dy = 2 * y
claim dy/dw[i] = (1 - y^2) * x[i]
`;
await test("typing breaks a line: its verdict changes, others keep theirs", async () => {
  const page = await open({ hash: shared(small) });
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 holds"]);
  await page.evaluate(() => (document.querySelector('.card[data-line="7"]').mine = true));
  await goTo(page, 6, 19);
  await page.keyboard.press("End");
  await page.evaluate(() => {
    window.seen = { 6: [], 7: [] };
    for (const k of [6, 7]) {
      const line = document.querySelector(`#editor > .line:nth-child(${k})`);
      new MutationObserver(() => window.seen[k].push(line.dataset.verdict)).observe(line, {
        attributeFilter: ["data-verdict"],
      });
    }
  });
  await page.keyboard.type(" * y");
  await page.waitForFunction(() => window.seen[6].at(-1) === "wrong");
  await settled(page);
  assert.deepEqual(await verdictsOf(page), ["6 wrong", "7 holds"]);
  const seen = await page.evaluate(() => window.seen);
  assert.equal(seen[6][0], "pending");
  assert.deepEqual(seen[7], []);
  assert.ok(await page.$eval('.card[data-line="7"]', (c) => c.mine === true), "the other line was judged anew");
  // A line above moves the verdicts with their lines.
  await goTo(page, 1, 0);
  await page.keyboard.press("Enter");
  assert.equal(await gutterOf(page, 8), "holds");
  await settled(page);
  assert.deepEqual(await verdictsOf(page), ["7 wrong", "8 holds"]);
  const times = [];
  for (let k = 0; k < 5; k++) {
    await goTo(page, 7, 3);
    await page.keyboard.press("End");
    const begin = performance.now();
    await page.keyboard.press(k % 2 ? "Backspace" : "2");
    await page.waitForFunction(
      () => document.querySelector("#editor > .line:nth-child(7)").dataset.verdict !== "pending",
    );
    times.push(Math.round(performance.now() - begin));
    await settled(page);
  }
  console.log(`      the line's verdict ${times.join(", ")} ms after the key`);
  await page.context().close();
  const whole = await open(); // the coursework
  times.length = 0;
  for (let k = 0; k < 5; k++) {
    await goTo(whole, 27, 3);
    await whole.keyboard.press("End");
    const begin = performance.now();
    await whole.keyboard.press(k % 2 ? "Backspace" : "2");
    await whole.waitForFunction(
      () => document.querySelector("#editor > .line:nth-child(27)").dataset.verdict !== "pending",
    );
    times.push(Math.round(performance.now() - begin));
    await settled(whole);
  }
  console.log(`      ${times.join(", ")} ms in the coursework`);
  await whole.context().close();
});

await test("a file that cannot be read is one sentence, and what was said stays until it can", async () => {
  const page = await open({ hash: shared(small) });
  await goTo(page, 4, 5);
  await page.keyboard.press("End");
  await page.keyboard.press("Backspace");
  await settled(page);
  assert.equal(await gutterOf(page, 4), "ill-formed");
  assert.match(await page.textContent('.card[data-line="4"]'), /cannot be read.*\)/);
  assert.match(await page.textContent("#counts"), /cannot be read/);
  await page.keyboard.type(")");
  await settled(page);
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 holds"]);
  await page.context().close();
});

await test("a repair by a click makes the line hold, and can be taken back", async () => {
  const page = await open({ hash: shared(small.replace("(1 - y^2) * x[i]", "x[i]   # the slope")) });
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 wrong"]);
  const before = await textOf(page);
  await page.click('.card[data-line="7"] .take');
  await settled(page);
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 holds"]);
  assert.match(await textOf(page), /claim dy\/dw\[i\] = .*y.* {3}# the slope/);
  await page.keyboard.press("Control+z");
  assert.equal(await textOf(page), before);
  await settled(page);
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 wrong"]);
  await page.keyboard.press("Control+Shift+z");
  await settled(page);
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 holds"]);
  await page.context().close();
});

await test("the editor: lines, deletions, pastes, and back through all of it", async () => {
  const page = await open({ hash: shared("given x\nlet y = x^2\n") });
  const states = [await textOf(page)];
  const act = async (keys, wanted) => {
    for (const key of keys) await page.keyboard.press(key);
    assert.equal(await textOf(page), wanted);
    states.push(wanted);
  };
  await goTo(page, 2, 11);
  await act(["Enter"], "given x\nlet y = x^2\n\n");
  await page.keyboard.type("claim dy/dx = 2 ż x");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("y");
  assert.equal(await textOf(page), "given x\nlet y = x^2\nclaim dy/dx = 2 ż y\n");
  await goTo(page, 2, 0);
  await act(["Backspace"], "given xlet y = x^2\nclaim dy/dx = 2 ż y\n");
  await act(["Enter", "Enter"], "given x\n\nlet y = x^2\nclaim dy/dx = 2 ż y\n");
  await act(["Backspace"], "given x\nlet y = x^2\nclaim dy/dx = 2 ż y\n");
  await goTo(page, 1, 7);
  await act(["Delete"], "given xlet y = x^2\nclaim dy/dx = 2 ż y\n");
  await act(["Enter"], "given x\nlet y = x^2\nclaim dy/dx = 2 ż y\n");
  await act(["Shift+ArrowDown", "Shift+ArrowDown", "Delete"], "given x\n");
  for (let k = 0; k < 30; k++) await page.keyboard.press("Control+z");
  assert.equal(await textOf(page), states[0]);
  for (let k = 0; k < 30; k++) await page.keyboard.press("Control+y");
  assert.equal(await textOf(page), states.at(-1));
  await write(page, "given x\r\nlet y = x^3\r\nclaim dy/dx = 3 * x^2");
  assert.equal(await textOf(page), "given x\nlet y = x^3\nclaim dy/dx = 3 * x^2");
  assert.deepEqual(await verdictsOf(page), ["3 holds"]);
  await page.context().close();
});

await test("a claim is laid over the graph, and the step stays where it is when the numbers change", async () => {
  const page = await open({ hash: shared(`given x = 0.5\nlet a = tanh(x)\nlet y = a^2\nclaim dy/da = a\n`) });
  const frame = page.frameLocator("#tape iframe:not(.coming)");
  await frame.locator("#next").click();
  await frame.locator("#next").click();
  const step = (await frame.locator("#kicker").textContent()).split("·")[0];
  assert.match(step, /^Step 3/);
  await page.waitForSelector("#editor > .line.step");
  await page.click('.card[data-line="4"] .over');
  await frame.locator("#over:not([hidden])").waitFor();
  assert.match(await frame.locator("#over").textContent(), /Line 4 beside the tape/);
  assert.equal(await frame.locator(".box.claimed").count(), 1);
  // The number, by the keys and by its handle.
  await goTo(page, 1, 12);
  await page.keyboard.press("Alt+ArrowUp");
  assert.match(await textOf(page), /^given x = 0\.51\n/);
  const handle = await page.locator("#handle").boundingBox();
  await page.mouse.move(handle.x + 5, handle.y + 5);
  await page.mouse.down();
  await page.mouse.move(handle.x + 45, handle.y + 5, { steps: 5 });
  await page.mouse.up();
  assert.match(await textOf(page), /^given x = 0\.61\n/);
  await settled(page);
  await page.waitForFunction(() => !document.querySelector("#tape iframe.coming"));
  await frame.locator("text=0.61").first().waitFor();
  assert.equal((await frame.locator("#kicker").textContent()).split("·")[0], step);
  assert.match(await frame.locator("#over").textContent(), /Line 4 beside the tape/);
  await page.focus("#editor");
  await page.keyboard.press("Control+z");
  assert.match(await textOf(page), /^given x = 0\.51\n/);
  // Of equal numbers in a line the handle is that of the one that is pointed at.
  await write(page, "index i = 3\ngiven x[i] = [1, 1, 1]\nlet y = sum(i, x[i]^2)\n");
  for (const k of [2, 1]) {
    const number = page.locator("#editor > .line:nth-child(2) .number").nth(k);
    await number.hover();
    const [at, over] = [await number.boundingBox(), await page.locator("#handle").boundingBox()];
    assert.ok(Math.abs(at.x + at.width / 2 - (over.x + over.width / 2)) < 1, `the handle of number ${k}`);
  }
  await page.context().close();
});

await test("a text goes by the address and comes back; a damaged one is a sentence", async () => {
  const page = await open({ hash: shared(small, "mine.deriv") });
  assert.equal(await textOf(page), small);
  assert.equal(await page.inputValue("#name"), "mine.deriv");
  await goTo(page, 7, 0);
  await page.keyboard.press("End");
  await page.keyboard.type(" + 0 * ż");
  const text = await textOf(page);
  await page.click("#share-button");
  await page.waitForSelector("#share[open]");
  const link = await page.inputValue("#share-link");
  const other = await open({ hash: link.slice(link.indexOf("#")) });
  assert.equal(await textOf(other), text);
  await other.context().close();
  await page.context().close();
  for (const hash of [
    "#text=%%%",
    "#text=abc!",
    "#text=AAAA",
    `#text=${packed(small).slice(0, -9)}`,
    `#text=${packed("a".repeat(2 << 20))}`,
    `#text=${deflateRawSync(Buffer.from([0xff, 0xfe])).toString("base64url")}`,
  ]) {
    const broken = await open({ hash });
    assert.match(await broken.textContent("#problem"), /^The address holds/, hash.slice(0, 30));
    assert.equal(await broken.inputValue("#name"), "coursework.deriv");
    await broken.context().close();
  }
});

await test("deltarule lab opens the page with the text of a file", async () => {
  const text = `${small}# ż, <b> & "quotes"\n`;
  writeFileSync(`${here}/given & <ż>.deriv`, text);
  writeFileSync(`${here}/record.sh`, `printf %s "$1" > "${here}/opened"\n`);
  for (const name of [[], [`${here}/given & <ż>.deriv`]]) {
    execFileSync(deltarule, ["lab", ...name], {
      env: { ...process.env, BROWSER: `sh '${here}/record.sh'`, TMPDIR: here },
    });
    const opened = readFileSync(`${here}/opened`, "utf8"),
      page = await (await newContext()).newPage();
    await page.goto(opened);
    await page.waitForURL(/deltarule-lab\.html/);
    await settled(page);
    assert.equal(page.url().split("#")[0], address);
    assert.equal(await page.inputValue("#name"), name.length ? "given & <ż>.deriv" : "coursework.deriv");
    if (name.length) {
      assert.equal(await textOf(page), text);
      assert.deepEqual(await verdictsOf(page), ["6 holds", "7 holds"]);
    }
    await page.context().close();
  }
});

await test("two tabs keep two drafts, and a page that is loaded anew has its own", async () => {
  const context = await newContext(),
    one = await open({ context, hash: shared(small, "a.deriv") }),
    two = await open({ context, hash: shared(small, "a.deriv") });
  for (const [page, word] of [
    [one, "one"],
    [two, "two"],
    [one, "1"],
    [two, "2"],
  ]) {
    await page.bringToFront();
    await goTo(page, 1, 0);
    await page.keyboard.press("End");
    await page.keyboard.type(` # ${word}`);
    await page.waitForTimeout(400);
  }
  const drafts = await one.evaluate(() =>
    Object.keys(localStorage)
      .filter((k) => k.includes(".draft."))
      .map((k) => JSON.parse(localStorage[k]).text.split("\n")[0]),
  );
  assert.deepEqual(drafts.sort(), ["index i = 3 # one # 1", "index i = 3 # two # 2"]);
  await two.goto(address);
  await settled(two);
  assert.match(await textOf(two), /# two # 2/);
  // A tab that was copied holds the same draft: what it writes is another.
  const copy = await context.newPage();
  await copy.goto(address);
  await copy.evaluate(
    (key) => sessionStorage.setItem("deltarule.draft", key),
    await two.evaluate(() => sessionStorage.getItem("deltarule.draft")),
  );
  await copy.reload();
  await settled(copy);
  for (const [page, word] of [
    [copy, "copy"],
    [two, "again"],
    [copy, "more"],
  ]) {
    await page.bringToFront();
    await goTo(page, 1, 0);
    await page.keyboard.press("End");
    await page.keyboard.type(` # ${word}`);
    await page.waitForTimeout(400);
  }
  const after = await one.evaluate(() =>
    Object.keys(localStorage)
      .filter((k) => k.includes(".draft."))
      .map((k) => JSON.parse(localStorage[k]).text.split("\n")[0]),
  );
  assert.deepEqual(after.sort(), [
    "index i = 3 # one # 1",
    "index i = 3 # two # 2 # again",
    "index i = 3 # two # 2 # copy # more",
  ]);
  await one.bringToFront();
  await one.click("#open-button");
  assert.match(await one.textContent("#open-panel"), /Drafts in this browser/);
  assert.equal(await one.$$eval("#open-panel .remove", (list) => list.length), 3);
  await context.close();
});

await test("what is typed never becomes markup", async () => {
  const evil = `# <img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\ngiven x\nlet y = x^2\nclaim (<b>) dy/dx = 2 * x * <script>\nclaim dy/dx = x # <i>\n</script><script>window.hacked=1</script>\n`;
  const page = await open({ hash: shared(evil, `"><script>window.hacked=1</script>.deriv`) });
  await page.waitForTimeout(500);
  assert.equal(await textOf(page), evil);
  await write(page, "given x\nlet y = x^2\nclaim dy/dx = x   # </script><script>parent.hacked=1</script>\n");
  await page.waitForFunction(() => document.querySelector("#tape iframe:not(.coming)"));
  await page.frameLocator("#tape iframe:not(.coming)").locator("#tab-claims").click();
  for (const frame of page.frames()) {
    const left = await frame.evaluate(() => ({
      hacked: window.hacked,
      pictures: document.images.length,
      handlers: [...document.querySelectorAll("*")].filter((e) =>
        [...e.attributes].some((a) => a.name.startsWith("on")),
      ).length,
    }));
    assert.deepEqual(left, { hacked: undefined, pictures: 0, handlers: 0 });
  }
  await page.context().close();
});

await test("files are opened, saved and exported", async () => {
  const page = await open();
  writeFileSync(`${here}/own.deriv`, small);
  await page.setInputFiles("#file", `${here}/own.deriv`);
  await settled(page);
  assert.equal(await textOf(page), small);
  const saved = async (act) => {
    const [download] = await Promise.all([page.waitForEvent("download"), act()]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
  };
  const own = await saved(() => page.click("#save-button"));
  assert.deepEqual(own, { name: "own.deriv", text: small });
  const what = async (kind) =>
    saved(async () => {
      await page.click("#export-button");
      await page.click(`[data-export="${kind}"]`);
    });
  assert.match((await what("report")).text, /^<!DOCTYPE html>[^]*holds/);
  assert.match((await what("latex")).text, /\\frac/);
  execFileSync(deltarule, ["export", `${here}/own.deriv`, "--cpp", `${here}/own.cpp`]);
  assert.deepEqual(await what("cpp"), { name: "own.cpp", text: readFileSync(`${here}/own.cpp`, "utf8") });
  const recording = JSON.parse((await what("recording")).text);
  assert.equal(recording.format, 1);
  const player = await what("page");
  writeFileSync(`${here}/player.html`, player.text);
  const alone = await page.context().newPage();
  await alone.goto(`file://${here}/player.html#step=2`);
  assert.match(await alone.textContent("#kicker"), /^Step 2 of/);
  writeFileSync(`${here}/bytes.deriv`, Buffer.from([0xff, 0xfe, 0x41]));
  await page.setInputFiles("#file", `${here}/bytes.deriv`);
  await page.waitForSelector("#problem:not([hidden])");
  assert.match(await page.textContent("#problem"), /is not valid UTF-8/);
  assert.equal(await textOf(page), small);
  await page.context().close();
});

const twoClasses = readFileSync(`${root}/examples/derivations/two_classes.deriv`, "utf8");
await test("training: the loss falls, a slider goes through the steps, and the player shows each", async () => {
  const page = await open({ hash: shared(twoClasses, "two_classes.deriv") }),
    frame = page.frameLocator("#tape iframe:not(.coming)"),
    lossAt = async () => Number((await page.textContent("#train-at")).split(" = ")[1].replace("−", "-"));
  const settledAt = async (step) => {
    await page.waitForFunction((k) => document.getElementById("train-at").textContent.startsWith(`Step ${k} of`), step);
    const loss = await page.textContent("#train-at");
    await frame.locator(`#summary:has-text("${loss.split(" = ")[1].slice(0, 5)}")`).waitFor();
  };
  await page.waitForFunction(() => document.querySelector("#tape iframe:not(.coming)"));
  const begin = performance.now();
  await page.focus("#train-button");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#train-charts .map");
  console.log(`      trained for 100 steps, with its regions, after ${Math.round(performance.now() - begin)} ms`);
  await settledAt(100);
  assert.equal(await page.$$eval("#train-charts figure", (list) => list.length), 4);
  // Each unit over the plane: z, a = tanh(z) and s, before the softmax.
  const units = await page.$$eval(".unit", (list) => list.map((one) => one.getAttribute("aria-label")));
  assert.equal(units.length, 14);
  assert.match(units[0], /^z\[n,0\]: −?[\d.]+ to −?[\d.]+$/);
  for (const said of units.slice(6, 12)) {
    const [, low, high] = /^a\[n,\d\]: (\S+) to (\S+)$/.exec(said.replace(/−/g, "-"));
    assert.ok(-1 <= Number(low) && Number(low) < Number(high) && Number(high) <= 1, said);
  }
  assert.deepEqual(await page.$$eval("#train-learned input:checked", (list) => list.map((b) => b.value)), [
    "w",
    "b",
    "v",
    "c",
  ]);
  assert.equal(await page.inputValue("#train-rate"), "2");
  const last = await lossAt();
  await page.focus("#train-step");
  await page.keyboard.press("Home");
  await settledAt(0);
  const first = await lossAt();
  assert.ok(last < first / 5, `${first} to ${last}`);
  // The first step is the text's own numbers.
  execFileSync(deltarule, [
    "explain",
    `${root}/examples/derivations/two_classes.deriv`,
    "-o",
    `${here}/two_classes.json`,
  ]);
  const recording = JSON.parse(readFileSync(`${here}/two_classes.json`, "utf8"));
  assert.ok(Math.abs(recording.nodes[recording.result].value.values[0] - first) < 1e-3 * first);
  await page.keyboard.press("ArrowRight");
  await settledAt(1);
  // The rule with its numbers is right.
  await page.focus("#train-step");
  const rule = (await page.textContent("#train-rule")).replace(/−/g, "-"),
    [, w, rate, g, next] = /: (\S+) - (\S+) · \(?([^ )]+)\)? = (\S+)$/.exec(rule).map(Number);
  assert.ok(Math.abs(w - rate * g - next) < 1e-3 * Math.max(1, Math.abs(next)), rule);
  assert.match(rule, /^The next step takes (w\[[0-5],[01]\]|b\[[0-5]\]|v\[[01],[0-5]\]|c\[[01]\]): /);
  // One array alone, for fewer steps.
  await page.fill("#train-steps", "7");
  for (const name of ["w", "b", "c"]) await page.uncheck(`#train-learned input[value="${name}"]`);
  await page.click("#train-form button");
  await settledAt(7);
  // Steps that are too large end in a sentence.
  await page.fill("#train-rate", "1e200");
  await page.click("#train-form button");
  await page.waitForFunction(() => /a smaller rate/.test(document.getElementById("train-note").textContent));
  // Another text is another network.
  await goTo(page, 1, 0);
  await page.keyboard.type("# ");
  assert.match(await page.textContent("#train-note"), /The text has changed/);
  assert.ok(await page.isHidden("#train-result"));
  await page.click("#train-button");
  assert.ok(await page.isHidden("#training"));
  await page.context().close();
});

await test("training: the slider may be moved while the network is trained", async () => {
  const page = await open({ hash: shared(twoClasses, "two_classes.deriv") });
  await page.click("#train-button");
  await page.waitForSelector("#train-charts .map");
  await page.evaluate(() => {
    window.notes = [];
    const note = document.getElementById("train-note");
    new MutationObserver(() => window.notes.push(note.textContent)).observe(note, { childList: true });
  });
  await page.fill("#train-steps", "300");
  await page.click("#train-form button");
  await page.focus("#train-step");
  await page.keyboard.press("Home");
  await page.waitForFunction(() => document.getElementById("train-at").textContent.startsWith("Step 300 of 300"));
  await page.waitForSelector("#train-charts .map");
  assert.deepEqual(await page.evaluate(() => window.notes), ["Training …", ""]);
  await page.context().close();
});

await test("training: an update that ascends climbs, and its rule says so", async () => {
  const text = [
    "constant eta = 0.1",
    "given w = 0.5",
    "let J = 3 - (w - 2)^2",
    "update w := w - 2 * eta * (w - 2) ascent on J",
    "",
  ].join("\n");
  const page = await open({ hash: shared(text) });
  await page.waitForFunction(() => document.querySelector("#tape iframe:not(.coming)"));
  await page.click("#train-button");
  await page.waitForSelector("#train-charts .curve");
  assert.match(await page.textContent("#train-at"), /^Step 100 of 100: J = 3$/);
  await page.focus("#train-step");
  await page.keyboard.press("Home");
  assert.equal(await page.textContent("#train-at"), "Step 0 of 100: J = 0.75");
  assert.equal(await page.textContent("#train-rule"), "The next step takes w: 0.5 + 0.1 · 3 = 0.8");
  await page.focus(".curve >> nth=1");
  assert.equal(await page.textContent("#tip"), "w + 0.1 · dJ/dw, as w: 0.5 + 0.1 · 3 = 0.8");
  await page.context().close();
});

await test("training: points that are held out are hollow, and their loss is drawn", async () => {
  const page = await open({ hash: shared(twoClasses, "two_classes.deriv") });
  const kinds = () => page.$$eval(".map circle", (list) => list.map((c) => c.classList.contains("held")));
  const losses = async () => {
    const said = await page.textContent("#train-at");
    const [, own, held] = /L = (\S+), held out (\S+)$/.exec(said) ?? [];
    return [Number(own), Number(held)];
  };
  await page.click("#train-button");
  await page.waitForSelector("#train-charts .map");
  assert.ok(!(await kinds()).includes(true));
  assert.equal(await page.$$eval(".curve:first-child polyline", (list) => list.length), 1);
  await page.selectOption("#train-held", { label: "a fifth" });
  await page.waitForFunction(() => document.querySelectorAll(".map circle.held").length === 4);
  const drawn = await kinds();
  assert.equal(drawn.length, 20);
  assert.equal(await page.$$eval(".curve:first-child polyline.held", (list) => list.length), 1);
  assert.match(
    await page.getAttribute(".map .plane", "aria-label"),
    /\d+ of 16 points in another class's region, and \d+ of 4 that are held out$/,
  );
  // The loss is a mean over points: of all of them it is that of the two parts.
  await page.focus("#train-step");
  await page.keyboard.press("Home");
  await page.waitForFunction(() => document.getElementById("train-at").textContent.startsWith("Step 0 "));
  const [own, held] = await losses();
  execFileSync(deltarule, [
    "explain",
    `${root}/examples/derivations/two_classes.deriv`,
    "-o",
    `${here}/two_classes.json`,
  ]);
  const recording = JSON.parse(readFileSync(`${here}/two_classes.json`, "utf8")),
    whole = recording.nodes[recording.result].value.values[0];
  assert.ok(Math.abs((16 * own + 4 * held) / 20 - whole) < 1e-3 * whole, `${own}, ${held}, ${whole}`);
  assert.ok(Math.abs(own - whole) > 2e-3 * whole);
  // The tape is of the points that are learned from.
  const points = async () => {
    const text = await page.frameLocator("#tape iframe:not(.coming)").locator("#recording").textContent();
    return JSON.parse(text).nodes.find((n) => n.name === "X").shape[0];
  };
  for (let k = 0; (await points()) !== 16; k++) {
    assert.ok(k < 100, "the tape is of all points");
    await page.waitForTimeout(100);
  }
  // However much is drawn, the player's buttons are on the screen.
  await page.setViewportSize({ width: 1280, height: 760 });
  const below = await page.$eval("#tape", (tape) => tape.getBoundingClientRect().bottom - window.innerHeight);
  assert.ok(below <= 1, `${below} pixels of the player are below the screen`);
  const [beside, map] = await page.$$eval("#train-charts .curves, #train-charts .map", (list) =>
    list.map((one) => one.getBoundingClientRect().top).reverse(),
  );
  assert.equal(beside, map, "the curves stand beside the plane");
  // The same points again, and most of them where one is added.
  await page.selectOption("#train-held", { label: "none" });
  await page.waitForFunction(() => document.querySelectorAll(".map circle.held").length === 0);
  await page.selectOption("#train-held", { label: "a fifth" });
  await page.waitForFunction(() => document.querySelectorAll(".map circle.held").length === 4);
  assert.deepEqual(await kinds(), drawn);
  await page.$eval(".map .plane", (plane) => plane.scrollIntoView({ block: "center" }));
  await page.click(".map .plane", { position: { x: 20, y: 30 } });
  await page.waitForFunction(() => document.querySelectorAll(".map circle").length === 21);
  assert.ok((await kinds()).filter((now, k) => now !== drawn[k]).length <= 2);
  assert.match(await textOf(page), /^index n {4}: point {2}= 21$/m);
  // A comment among the points is no point.
  const commented = twoClasses.replace("[-0.94, -0.22],", "[-0.94, -0.22], # ] the first, // and 100 %");
  assert.notEqual(commented, twoClasses);
  await write(page, commented);
  await page.click("#train-form button");
  await page.waitForFunction(() => document.querySelectorAll(".map circle").length === 20);
  assert.deepEqual(await kinds(), drawn);
  // What is of the points is not learned then, and a network without points has none to hold out.
  await page.check('#train-learned input[value="t"]');
  await page.click("#train-form button");
  await page.waitForFunction(() => /t is of the points/.test(document.getElementById("train-note").textContent));
  await write(page, small);
  await page.selectOption("#train-held", { label: "half" });
  await page.waitForFunction(() => /no points of two numbers/.test(document.getElementById("train-note").textContent));
  // Points that no plane holds are a sentence.
  await write(page, twoClasses.replace("[0.88, -0.31]", "[-1e308, -0.31]").replace("[2, 0.25]", "[1e308, 0.25]"));
  await page.selectOption("#train-held", { label: "none" });
  await page.waitForFunction(() => /^There is no plane: /.test(document.getElementById("train-note").textContent));
  await page.context().close();
});

await test("training: points by a click and from a table, of any number of classes", async () => {
  const page = await open({ hash: shared(twoClasses, "two_classes.deriv") });
  await page.click("#train-button");
  await page.waitForSelector("#train-charts .map");
  await page.selectOption("#train-class", "1");
  await page.$eval(".map .plane", (plane) => plane.scrollIntoView({ block: "center" }));
  const plane = await page.locator(".map .plane").boundingBox();
  await page.click(".map .plane", { position: { x: 20, y: 30 } });
  await page.waitForFunction(() => document.querySelectorAll(".map circle").length === 21);
  // The next clicks need not wait for the training.
  for (const k of [1, 2, 3]) await page.mouse.click(plane.x + 20 + 25 * k, plane.y + 90);
  await page.waitForFunction(() => document.querySelectorAll(".map circle").length === 24);
  let text = await textOf(page);
  assert.match(text, /^index n {4}: point {2}= 24$/m);
  await settled(page);
  assert.match(await page.textContent("#counts"), /6 hold/);
  writeFileSync(
    `${here}/points.csv`,
    "x,y,kind\n" +
      [
        [0, 0, "a"],
        [1, 0, "b"],
        [0, 1, "c"],
        [0.1, 0.1, "a"],
        [1.1, 0.2, "b"],
        [0, 1.2, "c"],
      ].join("\n"),
  );
  await page.setInputFiles("#train-file", `${here}/points.csv`);
  await page.waitForFunction(() => document.querySelectorAll(".map circle").length === 6);
  text = await textOf(page);
  assert.match(text, /^index k, m : class {2}= 3$/m);
  assert.match(text, /^given X\[n,i\] = \[\[0, 0\], \[1, 0\], \[0, 1\]/m);
  assert.equal(await page.$$eval("#train-class option", (list) => list.length), 3);
  assert.match(await page.getAttribute(".map .plane", "aria-label"), /0 of 6 points in another class's region/);
  await settled(page);
  assert.match(await page.textContent("#counts"), /6 hold/);
  // What is no table is a sentence, and the text stays.
  for (const [bytes, sentence] of [
    ["x,y\n1,2\n", /Line 2 should be two numbers and a class/],
    ["", /at least two points/],
    ["1,2,a\n1,x,b\n", /Line 2 should be/],
    ["nan,2,a\n1,2,b\n3,4,a\n", /Line 1 should be/],
    ["1,5,2,a\n1,2,b\n3,4,a\n", /Line 1 should be/],
    [Array.from({ length: 26 }, (_, k) => `1,${k},c${k >> 1}`).join("\n"), /There are 13 classes, and .* up to 12/],
    ["1,2,a\n".repeat(65), /There are 65 points, and this page trains with up to 64/],
  ]) {
    writeFileSync(`${here}/bad.csv`, bytes);
    await page.setInputFiles("#train-file", `${here}/bad.csv`);
    await page.waitForFunction(
      (part) => new RegExp(part).test(document.getElementById("train-note").textContent),
      sentence.source,
    );
    assert.equal(await textOf(page), text);
  }
  // The seventh class has a colour of its own, and squares.
  writeFileSync(`${here}/points.csv`, Array.from({ length: 21 }, (_, k) => `${k % 5},${k % 3},${k % 7}`).join("\n"));
  await page.setInputFiles("#train-file", `${here}/points.csv`);
  await page.waitForFunction(() => document.querySelectorAll(".map svg rect").length === 3);
  const fills = await page.$$eval(".map svg > *", (list) => list.map((one) => one.getAttribute("fill")));
  assert.equal(new Set(fills).size, 7);
  // As many as a range may have, and not one more.
  writeFileSync(`${here}/points.csv`, Array.from({ length: 64 }, (_, k) => `${k % 8},${k},${k % 3}`).join("\n"));
  await page.setInputFiles("#train-file", `${here}/points.csv`);
  await page.waitForFunction(() => document.querySelectorAll(".map circle").length === 64);
  text = await textOf(page);
  await page.click(".map .plane", { position: { x: 20, y: 30 } });
  await page.waitForFunction(() =>
    /no room for more than 64 points/.test(document.getElementById("train-note").textContent),
  );
  assert.equal(await textOf(page), text);
  await settled(page);
  assert.match(await page.textContent("#counts"), /6 hold/);
  // A network of single numbers has no plane.
  await write(page, small);
  await page.click("#train-form button");
  await page.waitForFunction(
    () =>
      document.querySelectorAll("#train-charts figure").length >= 1 && document.querySelectorAll(".map").length === 0,
  );
  assert.ok(await page.isHidden("#train-points"));
  await page.context().close();
});

await test("a lesson's questions lead to their steps in the player beside it", async () => {
  const page = await open(),
    player = page.frameLocator("#tape iframe:not(.coming)"),
    alone = await page.context().newPage();
  let links = 0;
  for (const { name, path, lesson } of examples.filter((one) => /^\d_/.test(one.name))) {
    assert.ok(lesson);
    execFileSync(deltarule, ["explain", path, "-o", `${here}/lesson.html`]);
    await page.click("#open-button");
    await page.click(`#open-panel [data-file="${name}"]`);
    await settled(page);
    await page.waitForFunction(() => !document.querySelector("#tape iframe.coming"));
    const states = await page.$$eval(".line .link", (list) => list.map((link) => link.dataset.state));
    assert.ok(states.length >= 3, name);
    for (const [k, state] of states.entries()) {
      await page.locator(".line .link").nth(k).click();
      await player.locator(`#kicker:has-text("Step ${/\d+/.exec(state)} of")`).waitFor();
      await alone.goto("about:blank");
      await alone.goto(`file://${here}/lesson.html${state}`);
      assert.equal(await player.locator("#sentence").textContent(), await alone.textContent("#sentence"), name + state);
      assert.equal(await player.locator(".predict").count(), /predict/.test(state) ? 1 : 0, name + state);
      links++;
    }
  }
  console.log(`      ${links} links`);
  await page.context().close();
});

await test("decide first: nothing is told before the reader has said whether a line holds", async () => {
  const page = await open({ hash: shared(small.replace("(1 - y^2) * x[i]", "x[i]")) });
  const player = page.frameLocator("#tape iframe:not(.coming)"),
    said = (word, line) => player.locator(`.claim.${word}:has-text("line ${line}")`).waitFor();
  await player.locator("#tab-claims").click();
  await said("wrong", 7);
  await page.click('.card[data-line="7"] .over');
  await player.locator("[data-array=claim-tape]").waitFor();
  await page.click("#decide");
  // The player tells nothing either.
  await said("other", 7);
  await player.locator("#over").waitFor({ state: "hidden" });
  assert.doesNotMatch(await player.locator("body").innerText(), /wrong|holds|missing/);
  assert.deepEqual(await verdictsOf(page), []);
  assert.equal((await page.$$("#editor .mark")).length, 0);
  assert.equal(await gutterOf(page, 6), "asked");
  assert.match(await page.textContent("#counts"), /2 to decide$/);
  await page.click('.card[data-line="6"] >> text=Yes');
  assert.match(await page.textContent('.card[data-line="6"]'), /holds.*You were right\./);
  await said("holds", 6);
  await said("other", 7);
  await page.click('.card[data-line="7"] >> text=Yes');
  assert.match(
    await page.textContent('.card[data-line="7"]'),
    /wrong.*You said that it holds\. The factor .* is missing/,
  );
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 wrong"]);
  // Who changes a line is told.
  await page.click("#decide");
  await page.click("#decide");
  await goTo(page, 6, 0);
  await page.keyboard.press("End");
  await page.keyboard.type(" + 0");
  await settled(page);
  assert.equal(await gutterOf(page, 6), "holds");
  assert.equal(await gutterOf(page, 7), "asked");
  await page.context().close();
});

await test("a long check is given up for the next key, and a warm worker takes its place", async () => {
  const context = await newContext();
  await context.addInitScript(() => {
    const Real = window.Worker;
    window.workers = [];
    window.Worker = class extends Real {
      constructor(url) {
        super(url);
        window.workers.push(this);
        this.addEventListener("message", ({ data }) => (this.ready ||= data.ready === true));
      }
      postMessage(message) {
        this.asked = message.text;
        super.postMessage(message);
      }
      terminate() {
        this.ended = true;
        super.terminate();
      }
    };
  });
  const chain = (n) =>
    "given x\n" +
    Array.from({ length: n }, (_, k) => `let y${k} = tanh(${k ? `y${k - 1}` : "x"} + ${k % 7})\n`).join("");
  const long = chain(60) + Array.from({ length: 59 }, (_, k) => `claim dy59/dy${k} = ${k} * y${k}\n`).join("");
  const page = await open({ context, hash: shared(small) });
  await page.evaluate((hash) => (location.hash = hash), shared(long));
  await page.waitForFunction(() => window.workers.some((w) => w.asked?.includes("y59") && !w.ended));
  await page.waitForFunction(() => window.workers.some((w) => w.ready && !w.asked && !w.ended)); // the warm one
  const before = await page.evaluate(() => window.workers.length);
  await goTo(page, 1, 7);
  await page.keyboard.type(" ");
  await page.waitForFunction(() => window.workers.some((w) => w.asked?.includes("y59") && w.ended));
  const next = await page.waitForFunction(
    (n) => window.workers.findIndex((w, k) => k < n && w.asked?.startsWith("given x \n") && !w.ended) + 1,
    before,
  );
  assert.ok((await next.jsonValue()) > 0, "the next check is asked of a worker that was warm");
  await context.close();
});

await test("an engine that stops is a sentence, and the next key starts another", async () => {
  const context = await newContext();
  await context.addInitScript(() => {
    const Real = window.Worker;
    window.Worker = class extends Real {
      postMessage(message) {
        if (message.text?.includes("stop here"))
          this.dispatchEvent(new ErrorEvent("error", { message: "unreachable" }));
        else super.postMessage(message);
      }
    };
  });
  const page = await open({ context, hash: shared(small) });
  await goTo(page, 1, 0);
  await page.keyboard.press("End");
  await page.keyboard.type(" # stop here");
  await page.waitForSelector("#problem:not([hidden])");
  assert.equal(await page.textContent("#problem"), "The engine stopped (unreachable). The next key starts it anew.");
  await page.keyboard.press("Backspace");
  await page.waitForSelector("#problem[hidden]", { state: "attached" });
  await settled(page);
  assert.deepEqual(await verdictsOf(page), ["6 holds", "7 holds"]);
  await context.close();
});

await test("a browser without WebAssembly is told so", async () => {
  const context = await newContext();
  await context.addInitScript(() => delete window.WebAssembly);
  const page = await context.newPage();
  await page.goto(address);
  await page.waitForSelector("#problem:not([hidden])");
  assert.match(await page.textContent("#problem"), /a browser of the last three years: yours has no WebAssembly\.$/);
  // Nor can an older one read the script.
  const old = await browser.newPage();
  writeFileSync(
    `${here}/old.html`,
    readFileSync(file, "utf8").replace('<script type="module">\n', '<script type="module">\n@'),
  );
  await old.goto(`file://${here}/old.html`);
  assert.equal(await old.textContent("#problem"), "This page needs a browser of the last three years.");
  await old.close();
  await context.close();
});

await test("the keyboard alone", async () => {
  const page = await open();
  const reached = new Set();
  for (let k = 0; k < 15; k++) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
  }
  for (const id of [
    "open-button",
    "name",
    "save-button",
    "share-button",
    "train-button",
    "export-button",
    "about-button",
    "editor",
    "take",
  ])
    assert.ok(reached.has(id), `Tab does not reach ${id}`);
  // A menu opens, closes, and gives the focus back.
  await page.focus("#open-button");
  await page.keyboard.press("Enter");
  assert.ok(await page.isVisible("#open-panel"));
  assert.ok(await page.evaluate(() => document.activeElement.closest("#open-panel") !== null));
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.id), "open-button");
  // From problem to problem, and the line is told.
  await page.focus("#editor");
  await page.keyboard.press("F8");
  await page.waitForFunction(() => document.getElementById("line-status").textContent.startsWith("ill-formed"));
  await page.keyboard.press("F8");
  await page.waitForFunction(() =>
    document.getElementById("line-status").textContent.startsWith("wrong. A sum over m"),
  );
  await page.keyboard.press("Control+Enter");
  await page.focus('.card[data-line="35"] .take');
  await page.keyboard.press("Enter");
  await settled(page);
  assert.equal(await gutterOf(page, 35), "holds");
  await page.focus("#about-button");
  await page.keyboard.press("Enter");
  const licences = await page.$$eval("#licences details", (list) => list.map((one) => one.textContent));
  for (const name of ["deltarule", "xtensor", "xtl", "xsimd", "fmt", "JSON", "fast_float", "Emscripten"])
    assert.ok(
      licences.some((text) => text.trim().startsWith(name) && text.length > 500),
      `no licence of ${name}`,
    );
  await page.keyboard.press("Escape");
  await page.context().close();
});

for (const scheme of ["light", "dark"]) {
  for (const width of [1440, 800, 360]) {
    await test(`${width} wide, ${scheme}: nothing runs out of the page, and nobody is left out`, async () => {
      const page = await open({ colorScheme: scheme, viewport: { width, height: width === 360 ? 780 : 900 } });
      await page.waitForSelector("#tape.shown", { state: "attached" });
      const states = {
        first: () => {},
        open: () => page.click("#open-button"),
        export: async () => {
          await page.keyboard.press("Escape");
          await page.click("#export-button");
        },
        tape: async () => {
          await page.keyboard.press("Escape");
          if (width < 980) await page.click("#show-tape");
          else await page.click('.card[data-line="35"] .over');
        },
        decide: async () => {
          if (width < 980) await page.click("#show-text");
          await page.click("#decide");
        },
        lesson: async () => {
          if (width < 980) await page.click("#show-text");
          await page.click("#open-button");
          await page.click('#open-panel [data-file="lecture_notes_mistakes.md"]');
          await settled(page);
        },
        train: async () => {
          await page.click("#open-button");
          await page.click('#open-panel [data-file="two_classes.deriv"]');
          await settled(page);
          await page.click("#train-button");
          await page.waitForSelector("#train-charts .map");
        },
        about: () => page.click("#about-button"),
      };
      for (const [name, act] of Object.entries(states)) {
        await act();
        await page.waitForTimeout(250);
        const [needs, has] = await page.evaluate(() => [
          document.scrollingElement.scrollWidth,
          document.scrollingElement.clientWidth,
        ]);
        await page.screenshot({ path: `${here}/screenshots/${name}-${width}-${scheme}.png` });
        assert.ok(needs <= has, `${name} is ${needs} wide`);
        const cut = await page.$$eval("button", (list) =>
          list.filter((b) => b.scrollWidth > b.clientWidth).map((b) => b.textContent),
        );
        assert.deepEqual(cut, [], `${name} cuts these off`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run({ exclude: [["iframe"]] }));
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
          name,
        );
      }
      await page.context().close();
    });
  }
}

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
