import js from "@eslint/js";

const browser =
  "document window location history navigator matchMedia getComputedStyle innerWidth innerHeight addEventListener " +
  "setTimeout clearTimeout DOMParser CSS globalThis " +
  "Blob CompressionStream DecompressionStream NodeFilter ResizeObserver TextDecoder URL Worker atob btoa";
const worker = "Response TextEncoder WebAssembly postMessage engineParts",
  node = "Buffer console process",
  // In a test, beside these, what it does in the page.
  tested =
    "performance localStorage sessionStorage structuredClone DataTransfer InputEvent ErrorEvent MutationObserver";
/** @param {string} names */
const globals = (names) => Object.fromEntries(names.split(" ").map((name) => [name, "readonly"]));

export default [
  js.configs.recommended,
  {
    languageOptions: { globals: globals(browser) },
    rules: {
      eqeqeq: "error",
      "prefer-const": "error",
      "no-var": "error",
      "no-shadow-restricted-names": "error",
      // A line that begins as a comment is one: the pages are put together without them.
      "no-restricted-syntax": ["error", "TemplateElement[value.raw=/\\n/]"],
    },
  },
  { files: ["**/worker.js"], languageOptions: { globals: globals(worker) } },
  { files: ["**/*.mjs"], languageOptions: { globals: globals(node) } },
  {
    files: ["**/tests/*.js"],
    languageOptions: { globals: globals(`${node} ${tested}`) },
    rules: { "no-restricted-syntax": "off" },
  },
];
