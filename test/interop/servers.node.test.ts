// This library as a server, on each runtime, and the clients of others: `ws`, undici, Deno, Bun and
// Python's websockets.

import { AGREED, AGREED_BY_DEFAULT, describePairs, oursAs, type Side } from "./pairs.ts";

const WEB = {
  file: "clients/web.ts",
  fragments: false,
  pings: false,
  emptyClose: true,
  extensions: true,
};

const CLIENTS: readonly Side[] = [
  {
    name: "ws",
    on: "Node",
    file: "clients/ws.ts",
    fragments: true,
    pings: true,
    emptyClose: true,
    extensions: true,
    negotiated: AGREED,
  },
  {
    ...WEB,
    name: "undici",
    on: "Node",
    negotiated: AGREED_BY_DEFAULT,
  },
  // It offers no compression.
  { ...WEB, name: "Deno's WebSocket", on: "Deno", negotiated: { takeover: "" } },
  {
    ...WEB,
    name: "Bun's WebSocket",
    on: "Bun",
    pings: true,
    negotiated: AGREED_BY_DEFAULT,
  },
  {
    name: "Python's websockets",
    on: "Python",
    file: "clients/python.py",
    fragments: true,
    pings: true,
    emptyClose: false,
    extensions: true,
    negotiated: AGREED,
  },
];

for (const server of oursAs("servers")) describePairs(server, CLIENTS);
