// A chat: a page, and rooms to talk in, on one port. The same file runs on Node, Deno and Bun.
//
//   npm start
//   deno run -A examples/chat.ts
//   bun run examples/chat.ts
//
// The environment may have PORT (default 8080), HOST (default 127.0.0.1) and ORIGINS: other origins
// of the page, such as `https://chat.example.com` for a server behind a proxy. Without the page:
// connect to `/?name=Ada&room=lobby`, send `{ "type": "message", "content": "Hello" }`. All messages
// are in chat/protocol.ts.

import { networkInterfaces } from "node:os";
import process from "node:process";
import { allowOrigins, serve } from "sansws";
import { loadPage } from "./chat/assets.ts";
import { admit, type Guest } from "./chat/guest.ts";
import { Rooms } from "./chat/rooms.ts";

const hostname = process.env.HOST ?? "127.0.0.1";
const askedPort = Number(process.env.PORT ?? 8080);
const rooms = new Rooms((topic, text) => server.publish(topic, text), runtimeName());

const server = await serve<Guest>({
  port: askedPort,
  hostname,
  // A message has at most 2,000 characters, which are at most 12,000 bytes of JSON.
  limits: { maxMessageSize: 16 * 1024 },
  connections: { max: 1_000 },
  request: await loadPage(),
  upgrade: (request) => refuseOrigin(request) ?? admit(request),
  open: (socket) => rooms.enter(socket),
  message: (socket, data) => rooms.receive(socket, data),
  close: (socket) => rooms.leave(socket),
}).catch((error: Error) => {
  console.error(
    `cannot listen on ${
      url(hostname, askedPort)
    }: ${error.message}\nanother port: PORT=8081 npm start`,
  );
  process.exit(1);
});

const { port = 0 } = server.address;
// Browsers let any page open a WebSocket to this machine, so the server checks which page it is
// (RFC 6455 §10.2).
const refuseOrigin = allowOrigins([
  ...["localhost", hostname, ...ownAddresses()].map((host) => url(host, port)),
  ...(process.env.ORIGINS ?? "").split(/[ ,]+/).filter((origin) => origin !== ""),
]);
console.log(`listening on ${url(hostname, port)}`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => server.close({ reason: "the server is shutting down" }));
}

function url(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

// A link-local address ends with a zone, which no URL may have.
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? []).map(({ address }) =>
    address.replace(/%.*/, "")
  );
}

function runtimeName(): string {
  const { bun, deno, node } = process.versions;
  return bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : `Node ${node}`;
}
