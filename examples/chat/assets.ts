// The page of the chat over HTTP: a few files, read once, each with headers that isolate the page.
//
// The `request` hook gets GET and HEAD only, which is enough for a page. For anything more, such as
// request bodies, use an HTTP server and `attach` of sansws/node.

import { readFile } from "node:fs/promises";

const FILES: readonly string[] = [
  "index.html",
  "base.css",
  "side.css",
  "conversation.css",
  "composer.css",
  "main.js",
  "view.js",
  "link.js",
  "icon.svg",
];

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

// Nothing from elsewhere, nothing inline, and no other page around it: chat messages stay text.
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** Reads the files; returns the function that answers a request for one. */
export async function loadPage(): Promise<(request: Request) => Response> {
  const pages = new Map<string, () => Response>();
  for (const file of FILES) {
    const text = await readFile(new URL(`page/${file}`, import.meta.url), "utf8");
    const headers = { ...HEADERS, "content-type": TYPES[file.split(".")[1]!]! };
    pages.set(file === "index.html" ? "/" : `/${file}`, () => new Response(text, { headers }));
  }
  return ({ url }) =>
    pages.get(new URL(url).pathname)?.()
      ?? new Response("there is no such page\n", { status: 404 });
}
