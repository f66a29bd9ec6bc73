// An echo server without the host: the core driven by hand over node:net, which Deno and Bun have
// too. Every read, write and timer is in this file. It leaves out topics, hooks, TLS and
// backpressure, which are the host's.
//
//   node --import tsx examples/bare.ts
//   deno run -A examples/bare.ts
//   bun run examples/bare.ts

import { createServer } from "node:net";
import process from "node:process";
import { acceptKey, Connection, type ConnectionEvent, type Machine } from "sansws/core";
import { ServerHandshake, type ServerHandshakeEvent } from "sansws/core";

type Event = ServerHandshakeEvent | ConnectionEvent;
const now = (): number => performance.now();

const server = createServer({ allowHalfOpen: true, noDelay: true }, (tcp) => {
  const handshake = new ServerHandshake({}, now());
  let machine: Machine<Event> = handshake;
  let alarm: ReturnType<typeof setTimeout> | undefined;

  // After every input: act on the events, write the output, and turn the deadline into a timer.
  function settle(events: readonly Event[]): void {
    for (const event of events) {
      if (event.type === "upgrade") void open(event.request.key);
      if (event.type === "request") handshake.reject(426, { Upgrade: "websocket" });
      if (!(machine instanceof Connection) || !machine.canSend) continue;
      if (event.type === "text") machine.sendText(event.data);
      if (event.type === "binary") machine.sendBinary(event.data);
    }
    for (const bytes of machine.takeOutput()) tcp.write(bytes);
    if (machine.outputEnded) tcp.end();
    if (machine.expired) tcp.destroy();
    clearTimeout(alarm);
    if (machine.deadline < Infinity) alarm = setTimeout(wake, machine.deadline - now());
  }
  const wake = (): void => settle(machine.tick(now()));

  async function open(key: string): Promise<void> {
    const opened = handshake.accept({}, await acceptKey(key));
    settle([]);
    if (opened === undefined) return; // The client has left meanwhile.
    machine = opened.connection;
    settle(machine.receive(opened.rest, now()));
  }

  tcp.on("data", (chunk) => settle(machine.receive(chunk, now())));
  tcp.on("end", () => settle(machine.receiveEnd(now())));
  tcp.on("error", (error) => settle(machine.receiveEnd(now(), error)));
  tcp.on("close", () => clearTimeout(alarm));
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log("listening on ws://127.0.0.1:%d", Object(server.address()).port);
});
