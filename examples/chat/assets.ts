// The page of the chat, over HTTP: a handful of files, read once, each with the headers that keep a
// page to itself.

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

// Nothing from elsewhere, nothing inline, and no other page around it: what somebody says in the
// chat stays text.
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** Reads the files, and returns what answers a request for one. */
export async function loadPage(): Promise<(request: Request) => Response> {
  const pages = new Map<string, () => Response>();
  for (const file of FILES) {
    const text = await readFile(new URL(`page/${file}`, import.meta.url), "utf8");
    const headers = { ...HEADERS, "content-type": TYPES[file.split(".")[1]!]! };
    pages.set(file === "index.html" ? "/" : `/${file}`, () => new Response(text, { headers }));
  }
  return ({ method, url }) => {
    if (method !== "GET" && method !== "HEAD") {
      return new Response("this is for GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    return pages.get(new URL(url).pathname)?.()
      ?? new Response("there is no such page\n", { status: 404 });
  };
}
