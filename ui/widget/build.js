/** Builds the two scripts and copies the style sheets and pages into dist/; fails when a script outgrows its budget. */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
/** Bytes after gzip: what we aim at, and what fails the build. */
export const AIM = 20 * 1024;
export const MOST = 30 * 1024;

async function script(entry, file) {
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      target: "es2022",
      outDir: "dist",
      emptyOutDir: false,
      copyPublicDir: false,
      cssMinify: true,
      reportCompressedSize: false,
      modulePreload: false,
      lib: { entry: root + entry, formats: ["iife"], name: "steward", fileName: () => file },
    },
  });
}

function measure(file) {
  const plain = readFileSync(`${root}dist/${file}`);
  const bytes = gzipSync(plain, { level: 9 }).length;
  const verdict = bytes > MOST ? "TOO LARGE" : bytes > AIM ? "over the aim" : "ok";
  console.log(`${file.padEnd(14)} ${(bytes / 1024).toFixed(1).padStart(6)} KB gzip (${(plain.length / 1024).toFixed(1)} KB), aim ${AIM / 1024}, most ${MOST / 1024}: ${verdict}`);
  if (bytes > MOST) process.exitCode = 1;
}

rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist`);
await script("src/main.ts", "widget.js");
await script("form.ts", "form.js");
for (const name of ["test-page.html", "test-page.css", "form-page.html", "form-page.words.json", "form.css"]) copyFileSync(root + name, `${root}dist/${name}`);
measure("widget.js");
measure("form.js");
