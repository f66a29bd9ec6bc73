// Which file may import which: `npm run check:imports`. Arrows point inward only, from the entry
// points (adapters/*.ts) and the runtimes to adapters/host/ to core/; no circle, not even of types.

const RUNTIME = "^adapters/(node|deno|bun)(?:/|\\.ts$)";
const CORE_FACES = "^core/(?:mod|internal)\\.ts$";
const CORE_LEAVES = "^core/(?:errors|limits|bytes|platform|faults|violations)\\.ts$";

function forbid(name, comment, from, to) {
  return { name, comment, severity: "error", from, to };
}

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  options: { tsPreCompilationDeps: true, doNotFollow: { path: "^node_modules/" } },
  forbidden: [
    forbid("no-circle", "No file reaches itself, not even by types.", {}, { circular: true }),
    forbid(
      "core-stands-alone",
      "The core imports nothing from outside core/.",
      { path: "^core/" },
      { pathNot: "^core/" },
    ),
    forbid(
      "core-http-and-deflate-are-low",
      "core/http and core/deflate import only themselves, header grammar and the core's leaf files.",
      { path: "^core/(http|deflate)/" },
      { path: "^core/", pathNot: ["^core/$1/", "^core/http/fields\\.ts$", CORE_LEAVES] },
    ),
    forbid(
      "core-frame-is-low",
      "core/frame imports only itself, the core's leaf files, UTF-8 and the output it writes to.",
      { path: "^core/frame/" },
      { path: "^core/", pathNot: ["^core/frame/", CORE_LEAVES, "^core/(?:utf8|output)\\.ts$"] },
    ),
    forbid(
      "core-by-its-faces",
      "Adapters import the core through core/mod.ts and core/internal.ts only.",
      { path: "^adapters/" },
      { path: "^core/", pathNot: CORE_FACES },
    ),
    forbid(
      "host-knows-no-runtime",
      "adapters/host imports no runtime, no entry point and no codec.",
      { path: "^adapters/host/" },
      { path: "^adapters/", pathNot: "^adapters/host/" },
    ),
    forbid(
      "runtime-on-host",
      "A runtime's folder imports only itself, the host and the codec, beside the core's faces.",
      { path: "^adapters/(node|deno|bun|memory)/" },
      {
        path: "^adapters/",
        pathNot: ["^adapters/$1/", "^adapters/host/", "^adapters/deflate\\.ts$"],
      },
    ),
    forbid(
      "runtimes-are-strangers",
      "Node, Deno and Bun import nothing of each other.",
      { path: RUNTIME },
      { path: RUNTIME, pathNot: "^adapters/$1(?:/|\\.ts$)" },
    ),
    forbid(
      "transport-is-types",
      "The seam between host and runtime has no code: it imports types only.",
      { path: "^adapters/host/transport\\.ts$" },
      { dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "builtins-at-the-edge",
      "Only the runtimes' adapters import modules of node:.",
      { path: "^(?:core|adapters)/", pathNot: "^adapters/(?:node|deno|bun)(?:/|\\.ts$)" },
      { dependencyTypes: ["core"] },
    ),
    forbid(
      "few-packages",
      "Published files import pako in deflate.ts, and ipaddr.js where addresses are compared.",
      {
        path: "^adapters/",
        pathNot:
          "^adapters/(?:deflate|host/proxy/exempt|host/server/(?:networks|proxyheader))\\.ts$",
      },
      { pathNot: "^(?:core|adapters)/", dependencyTypesNot: ["core"] },
    ),
  ],
};
