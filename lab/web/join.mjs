// node join.mjs SOURCES ENGINE LICENCES OUTPUT: joins the live page into one file. SOURCES is the tree, ENGINE the folder with
// engine.js and engine.wasm, LICENCES the folder with Debian's packages' copyright files, OUTPUT the page. Beside it stands the
// worker alone, for tests without a browser.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { gzipSync } from "node:zlib";

const [sources, engine, licences, output] = process.argv.slice(2);
const read = (...path) => readFileSync(join(...path), "utf8");

/** Comments on lines of their own stay in the sources; no string or template has a newline within. @param {string} text */
const withoutComments = (text) => text.replace(/^ *(\/\/.*|\/\*([^*]|\*+[^*/])*\*+\/)\n/gm, "");
/** Modules one after the other: a page from the disk may not import any. */
function joined(folder, names) {
  const texts = names.map((name) =>
    read(folder, `${name}.js`)
      .replace(/^import [^;]*;$/gm, "")
      .replace(/^export /gm, ""),
  );
  new Script(`"use strict"; {${texts.join("\n")}}`); // throws where two modules have one name
  return withoutComments(texts.join("\n"));
}
/** JSON that may stand in a script. */
const json = (value) =>
  JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");

const packed = gzipSync(readFileSync(join(engine, "engine.wasm")), { level: 9 }).toString("base64");
const version = /project\(deltarule VERSION ([0-9.]+)/.exec(read(sources, "CMakeLists.txt"))[1];
const worker = [
  `const engineParts = { version: ${json(version)}, wasm: ${json(packed)}, start: (() => {`,
  read(engine, "engine.js"),
  "return deltarule_engine; })() };",
  withoutComments(read(sources, "lab/web/worker.js")),
].join("\n");

const player = join(sources, "lab/player"),
  curves = withoutComments(read(player, "curves.css"));
const playerModules = /set\(modules ([^)]*)\)/.exec(read(sources, "lab/embed.cmake"))[1].split(" ");
const playerFiles = {
  html: read(player, "player.html"),
  css: withoutComments(read(player, "player.css")) + curves,
  js: joined(player, playerModules),
};

/** The menu. A title is the file's first heading, or none. */
function examplesOf(folder, kindOf) {
  const path = join(sources, folder);
  if (!existsSync(path)) return [];
  const files = readdirSync(path).filter((name) => /\.(deriv|md)$/.test(name) && name !== "README.md");
  return files.sort().map((file) => {
    const text = read(path, file);
    const title = /\.md$/.test(file) ? /^# (.*)$/m.exec(text)?.[1] : undefined;
    return { name: file.replace(/\.[a-z]+$/, ""), file, kind: kindOf(file), ...(title ? { title } : {}), text };
  });
}
const examples = [
  ...examplesOf("examples/lessons", () => "lesson"),
  ...examplesOf("examples/derivations", (file) => (/_mistakes\./.test(file) ? "mistakes" : "example")),
];

const licenceTexts = [
  { name: "deltarule", text: read(sources, "LICENSE") },
  ...[
    ["xtensor", "libxtensor-dev"],
    ["xtl", "xtl-dev"],
    ["xsimd", "libxsimd-dev"],
    ["fmt", "libfmt-dev"],
    ["JSON for Modern C++", "nlohmann-json3-dev"],
    ["fast_float", "libfast-float-dev"],
    ["Emscripten, with the libraries of C (musl) and C++ (LLVM)", "emscripten"],
  ].map(([name, debian]) => ({ name, text: read(licences, debian, "copyright") })),
];

const folder = join(sources, "lab/web/page");
let page = read(folder, "page.html");
/** Puts something in the place of a mark that stands in the page once. */
function put(mark, text) {
  const at = page.indexOf(mark);
  if (at < 0 || page.indexOf(mark, at + 1) >= 0) throw new Error(`[join] the page should have one place for ${mark}`);
  page = page.slice(0, at) + text + page.slice(at + mark.length);
}
const script = (id, empty, value) =>
  put(
    `<script type="application/json" id="${id}">${empty}</script>`,
    `<script type="application/json" id="${id}">${json(value)}</script>`,
  );
const modules = read(folder, "modules.txt").split(/\s+/).filter(Boolean);
put(
  '<link rel="stylesheet" href="page.css">',
  `<style>\n${withoutComments(read(folder, "page.css"))}${curves}</style>`,
);
put('<script type="module" src="page.js"></script>', `<script type="module">\n${joined(folder, modules)}</script>`);
script("examples", "[]", examples);
script("player", "null", playerFiles);
script("licences-text", "[]", licenceTexts);
script("worker", "null", worker);

const most = 3 * 1024 * 1024;
if (Buffer.byteLength(page) > most)
  throw new Error(`[join] the page has ${Buffer.byteLength(page)} bytes, and may have ${most}`);
mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, page);
writeFileSync(join(dirname(output), "worker.js"), worker);
console.log(
  `${output}: ${(Buffer.byteLength(page) / 1e6).toFixed(2)} MB, of which the engine ${(packed.length / 1e6).toFixed(2)}`,
);
