import js from "@eslint/js";

const browser =
  "document window location history navigator matchMedia getComputedStyle innerWidth innerHeight addEventListener " +
  "setTimeout clearTimeout DOMParser CSS globalThis " +
  "Blob CompressionStream DecompressionStream NodeFilter ResizeObserver TextDecoder URL Worker atob btoa";

export default [
  js.configs.recommended,
  {
    languageOptions: { globals: Object.fromEntries(browser.split(" ").map((name) => [name, "readonly"])) },
    rules: {
      eqeqeq: "error",
      "prefer-const": "error",
      "no-var": "error",
      "no-shadow-restricted-names": "error",
      // A line that begins as a comment is one: the pages are put together without them.
      "no-restricted-syntax": ["error", "TemplateElement[value.raw=/\\n/]"],
    },
  },
];
