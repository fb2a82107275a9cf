/** How the scripts are built, and how large they may become. Shared by the build and by the test of the budget. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

export const root = fileURLToPath(new URL(".", import.meta.url));

/** Elements are made by `h` itself, which is smaller than the automatic runtime. The names are ours nowhere else. */
export const jsx = {
  jsx: { runtime: "classic", pragma: "make", pragmaFrag: "Plain" },
  jsxInject: 'import { h as make, Fragment as Plain } from "preact"',
};

/** Bytes after gzip: what we aim at, and what fails the build. Of the widget 5.4 KB are preact, 3.2 the style sheet, 2.4 the words. */
export const AIM = 20 * 1024;
export const MOST = 23 * 1024;

/** One self-contained script of the entry; its text. */
export async function bundle(entry, file) {
  // A test sets another one, in which the bundler leaves style sheets long.
  const environment = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  const [made] = await build({
    root,
    configFile: false,
    logLevel: "warn",
    oxc: jsx,
    build: {
      write: false,
      target: "es2022",
      cssMinify: true,
      reportCompressedSize: false,
      lib: { entry: root + entry, formats: ["iife"], name: "steward", fileName: () => file },
    },
  }).finally(() => {
    if (environment === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = environment;
  });
  return made.output[0].code;
}

export const compressed = (code) => gzipSync(code, { level: 9 }).length;
