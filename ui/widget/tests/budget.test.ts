// @vitest-environment node
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript, shared with the build
import { bundle, compressed, MOST } from "../bundle.js";

test.each([
  ["src/main.ts", "widget.js"],
  ["form.ts", "form.js"],
])("%s fits its budget and stands alone", { timeout: 60_000 }, async (entry, file) => {
  const code = (await bundle(entry, file)) as string;
  expect(compressed(code)).toBeLessThanOrEqual(MOST as number);
  expect(code).not.toMatch(/\bimport\s*\(|\brequire\(/);
});

// The doors through which scripts of this kind have been broken elsewhere (prototype pollution by the address, messages
// from other windows, markup from text): ours has none of them.
test("the sources open none of the known holes", () => {
  const sources = import.meta.glob<string>(["../src/**/*.{ts,tsx}", "../form.ts"], { query: "?raw", import: "default", eager: true });
  expect(Object.keys(sources).length).toBeGreaterThan(20);
  for (const [name, text] of Object.entries(sources)) {
    expect(text, name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|dangerouslySet|\beval\(|new Function|postMessage|addEventListener\("message|onmessage = window|location\.(search|hash)|URLSearchParams|document\.cookie/i);
  }
});
