/** Builds the two scripts and copies the style sheets and pages into dist/; fails when a script outgrows its budget. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { AIM, bundle, compressed, MOST, root } from "./bundle.js";

const PLAIN = ["test-page.html", "test-page.css", "form-page.html", "form-page.words.json", "form.css"];

const kilo = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist`);
for (const [entry, file] of [["src/main.ts", "widget.js"], ["form.ts", "form.js"]]) {
  const code = await bundle(entry, file);
  const bytes = compressed(code);
  writeFileSync(`${root}dist/${file}`, code);
  const verdict = bytes > MOST ? "TOO LARGE" : bytes > AIM ? "over the aim" : "ok";
  console.log(`${file} ${kilo(bytes)} gzip (${kilo(code.length)}), aim ${kilo(AIM)}, most ${kilo(MOST)}: ${verdict}`);
  if (bytes > MOST) process.exitCode = 1;
}
for (const name of PLAIN) copyFileSync(root + name, `${root}dist/${name}`);
