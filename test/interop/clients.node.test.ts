// This library as a client, on each runtime, and the servers of others: `ws`, Bun.serve,
// Deno.upgradeWebSocket and Python's websockets.

import { AGREED, AGREED_BY_DEFAULT, describePairs, oursAs, type Side } from "./pairs.ts";

const SERVERS: readonly Side[] = [
  {
    name: "ws",
    on: "Node",
    file: "servers/ws.ts",
    fragments: true,
    pings: true,
    emptyClose: true,
    extensions: true,
    negotiated: AGREED,
  },
  // It has no way to close without a code.
  {
    name: "Bun.serve",
    on: "Bun",
    file: "servers/bun.ts",
    fragments: false,
    pings: true,
    emptyClose: false,
    extensions: false,
    negotiated: {
      ...AGREED_BY_DEFAULT,
      // Its smallest decompressor has 2 KiB.
      "bits-9": "permessage-deflate; server_max_window_bits=9; client_max_window_bits=11",
    },
  },
  // It takes no offer of compression.
  {
    name: "Deno.upgradeWebSocket",
    on: "Deno",
    file: "servers/deno.ts",
    fragments: false,
    pings: false,
    emptyClose: true,
    extensions: true,
    negotiated: { takeover: "" },
  },
  {
    name: "Python's websockets",
    on: "Python",
    file: "servers/python.py",
    fragments: true,
    pings: true,
    emptyClose: false,
    extensions: true,
    negotiated: AGREED,
  },
];

const CLIENTS = oursAs("clients");

for (const server of SERVERS) describePairs(server, CLIENTS);
