// A TCP proxy on the loopback interface for one connection, with a simulated link each way: so real
// sockets meet latency, cuts, stalls, half-closes and resets, decided by a seed as far as a real
// clock lets it.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { Link, type LinkSetup } from "./link.ts";

/** A proxy that waits for its one client. */
export interface Proxy {
  readonly port: number;
  /** From the client to the server, and back. */
  readonly up: Pump;
  readonly down: Pump;
  close(): void;
}

/** Listens, and connects every client with the port. */
export async function startProxy(port: number, setup: LinkSetup): Promise<Proxy> {
  const [up, down] = [new Pump(new Link(setup, 0)), new Pump(new Link(setup, 1))];
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    sockets.push(near, far);
    up.join(near, far);
    down.join(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    up.stop();
    down.stop();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, up, down, close };
}

// Node 20 loses the handle of a socket that is reset while its end is on the way, and
// `resetAndDestroy` itself ends it first. It is the flag that it sets which makes `destroy` a
// reset; Deno looks at none.
function reset(socket: Socket): void {
  if (process.versions["deno"] !== undefined) socket.resetAndDestroy();
  else Object.assign(socket, { resetAndClosing: !socket.writableEnded }).destroy();
}

/** Takes what one socket reads through a link to another. */
export class Pump {
  readonly #link: Link;
  #source: Socket | undefined;
  #target: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(link: Link) {
    this.#link = link;
  }

  join(source: Socket, target: Socket): void {
    this.#source = source;
    this.#target = target;
    source.on(
      "data",
      (chunk) => this.#change((now) => this.#link.write(new Uint8Array(chunk), now)),
    );
    source.on("end", () => this.#change((now) => this.#link.end(now)));
    source.on("error", () => this.#change((now) => this.#link.reset(now)));
    source.on("close", (failed) => failed && this.#change((now) => this.#link.reset(now)));
  }

  /** Nothing arrives for so long. */
  stall(milliseconds: number): void {
    this.#change((now) => this.#link.stall(now, milliseconds));
  }

  /** Ends or breaks after as many more bytes. */
  breakAfter(bytes: number, fault: "end" | "reset"): void {
    this.#change((now) => this.#link.breakAfter(bytes, fault, now));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #change(change: (now: number) => void): void {
    change(performance.now());
    this.#move();
  }

  /** Hands over what has arrived by now, and comes again when there will be more. */
  #move(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const now = performance.now();
    for (
      let arrival = this.#link.read(now);
      arrival !== undefined;
      arrival = this.#link.read(now)
    ) {
      if (arrival === "end") this.#target?.end();
      else if (arrival === "reset") this.#break();
      else this.#target?.write(arrival);
    }
    if (this.#link.writable) this.#source?.resume();
    else this.#source?.pause();
    const wait = this.#link.readableAt - now;
    if (wait < Infinity) this.#timer = setTimeout(() => this.#move(), wait);
  }

  #break(): void {
    this.stop();
    if (this.#source !== undefined) reset(this.#source);
    if (this.#target !== undefined) reset(this.#target);
  }
}
