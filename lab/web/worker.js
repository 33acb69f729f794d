// @ts-check
// Answers what the page asks of the engine. `engineParts` is what the page was joined with: engine.js, which defines
// deltarule_engine and is called `start` here, and engine.wasm, gzipped and in base64.

/** @typedef {{HEAPU8: Uint8Array, _room: (bytes: number) => number, _answer: () => number}} Engine */
/** @typedef {{id: number, ask: string, text: string, file?: string, seed?: number, line?: number, notation?: string}} Question */

/** @type {Promise<WebAssembly.Module>} */
const compiled = unpacked().then((bytes) => WebAssembly.compile(bytes));
/** @type {Promise<Engine>} */
let engine = started();

/** @returns {Promise<ArrayBuffer>} */
async function unpacked() {
  const packed = Uint8Array.from(atob(engineParts.wasm), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** @returns {Promise<Engine>} */
async function started() {
  const wasm = await compiled;
  return engineParts.start({
    instantiateWasm: (
      /** @type {WebAssembly.Imports} */ imports,
      /** @type {(instance: WebAssembly.Instance) => void} */ done,
    ) => {
      WebAssembly.instantiate(wasm, imports).then(done);
      return {};
    },
  });
}

/** Half a character, which UTF-8 has no bytes for, becomes the sign for it. @param {string} text */
const wellFormed = (text) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));

/** The engine's answer, which is JSON. @param {Engine} one @param {Record<string, unknown>} question */
function asked(one, question) {
  const bytes = new TextEncoder().encode(
    JSON.stringify(question, (_, value) => (typeof value === "string" ? wellFormed(value) : value)),
  );
  one.HEAPU8.set(bytes, one._room(bytes.length));
  const begin = one._answer();
  const heap = one.HEAPU8;
  return JSON.parse(new TextDecoder().decode(heap.subarray(begin, heap.indexOf(0, begin))));
}

/** @param {Question} question */
async function answer({ id, ...question }) {
  try {
    return { id, ...asked(await engine, question) };
  } catch (e) {
    // What stopped in the middle is not asked again: another one takes its place.
    engine = started();
    const why =
      e instanceof RangeError ? "there is not enough room for this" : e instanceof Error ? e.message : String(e);
    return { id, error: `The engine stopped: ${why}. It was started anew.` };
  }
}

/** Questions are answered in their order. @type {Promise<unknown>} */
let last = engine.then((one) => {
  // What is compiled at its first call is compiled now.
  asked(one, { ask: "check", text: "given x\nlet y = x^2\nclaim dy/dx = x\n" });
  postMessage({ ready: true, version: engineParts.version });
});
last.catch((e) => {
  setTimeout(() => {
    throw e; // the page hears of it by its `error` event
  });
});
addEventListener("message", (/** @type {MessageEvent<Question>} */ event) => {
  last = last.then(async () => postMessage(await answer(event.data)));
});
