/** How the scripts are built, and how large they may become. Shared by the build and by the test of the budget. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

export const root = fileURLToPath(new URL(".", import.meta.url));

/** Bytes after gzip: what we aim at, and what fails the build. */
export const AIM = 20 * 1024;
export const MOST = 30 * 1024;

/** One self-contained script of the entry; its text. */
export async function bundle(entry, file) {
  const [made] = await build({
    root,
    configFile: false,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      write: false,
      target: "es2022",
      cssMinify: true,
      reportCompressedSize: false,
      lib: { entry: root + entry, formats: ["iife"], name: "steward", fileName: () => file },
    },
  });
  return made.output[0].code;
}

export const compressed = (code) => gzipSync(code, { level: 9 }).length;
