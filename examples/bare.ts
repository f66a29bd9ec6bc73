// An echo server without the host: the core driven by hand over node:net, which Deno and Bun have
// too. Bytes and times go in; events, bytes and one deadline come out; every read, write and timer
// is in this file. What is left out is what the host is for: topics, hooks, TLS, and waiting for a
// peer that does not read.
//
//   node --import tsx examples/bare.ts        deno run -A examples/bare.ts        bun run examples/bare.ts

import { createServer } from "node:net";
import process from "node:process";
import { type Connection, type ConnectionEvent, ServerHandshake } from "sansws/core";

const now = (): number => performance.now();

const server = createServer({ allowHalfOpen: true, noDelay: true }, (tcp) => {
  const handshake = new ServerHandshake({}, now());
  let connection: Connection | undefined;
  let alarm: ReturnType<typeof setTimeout> | undefined;

  // After every input: events are acted on, output is written, the deadline becomes a timer.
  function settle(events?: readonly ConnectionEvent[] | void): void {
    for (const event of events ?? []) {
      if (event.type === "text" && connection?.canSend) connection.sendText(event.data);
      if (event.type === "binary" && connection?.canSend) connection.sendBinary(event.data);
    }
    const protocol = connection ?? handshake;
    for (const bytes of protocol.takeOutput()) tcp.write(bytes);
    if (protocol.outputEnded) tcp.end();
    clearTimeout(alarm);
    if (protocol.deadline !== Infinity) alarm = setTimeout(wake, protocol.deadline - now());
  }

  function wake(): void {
    settle((connection ?? handshake).tick(now()));
    if (connection?.state === "closed") tcp.destroy();
  }

  tcp.on("data", async (chunk) => {
    if (connection !== undefined) return settle(connection.receive(chunk, now()));
    const request = handshake.receive(chunk, now());
    if (handshake.plainRequest && !handshake.outputEnded) {
      handshake.reject(426, { Upgrade: "websocket" });
    }
    if (request === undefined) return settle();
    // it fails when the client has left meanwhile
    const opened = await handshake.accept().catch(() => undefined);
    settle();
    connection = opened?.connection;
    settle(connection?.receive(opened!.rest, now()));
  });
  tcp.on("end", () => settle((connection ?? handshake).receiveEnd(now())));
  tcp.on("error", (error) => settle(connection?.receiveEnd(now(), error)));
  tcp.on("close", () => clearTimeout(alarm));
  // pings go every 30 s: what is silent for longer was over
  tcp.setTimeout(60_000, () => tcp.destroy());
});

const port = Number(process.env.PORT ?? 8080);
server.listen(
  port,
  "127.0.0.1",
  () => console.log("listening on ws://127.0.0.1:%d", port || Object(server.address()).port),
);
