/** What lab/web/join.mjs puts before lab/web/worker.js. */
declare const engineParts: {
  version: string;
  wasm: string;
  start: (module: {
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => object;
  }) => Promise<{ HEAPU8: Uint8Array; _room: (bytes: number) => number; _answer: () => number }>;
};
