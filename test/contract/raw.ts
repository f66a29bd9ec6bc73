// A peer that speaks TCP only, so that a test decides on every byte, and on every end, of what it
// says.

import { createHash } from "node:crypto";
import type { AddressInfo, Server as NetServer, Socket as NetSocket } from "node:net";
import { connect, createServer } from "node:net";
import { onTestFinished } from "vitest";
import { type Frame, join, readFrames, utf8 } from "../core/support.ts";
import { until } from "./suite.ts";

/** One end of a TCP connection, and everything it has received. */
export class RawPeer {
  readonly socket: NetSocket;
  #chunks: Uint8Array[] = [];
  /** The other end has ended its side. */
  ended = false;
  /** The connection is gone. */
  closed = false;
  /** It was reset. */
  reset = false;

  constructor(socket: NetSocket) {
    this.socket = socket;
    socket.on("data", (chunk) => this.#chunks.push(new Uint8Array(chunk)));
    socket.on("end", () => this.ended = true);
    socket.on("error", () => this.reset = true);
    socket.on("close", () => this.closed = true);
  }

  write(...data: (Uint8Array | string)[]): void {
    this.socket.write(join(data.map((each) => typeof each === "string" ? utf8(each) : each)));
  }

  /** Ends this side, after `data`. */
  end(...data: (Uint8Array | string)[]): void {
    if (data.length > 0) this.write(...data);
    this.socket.end();
  }

  /** Takes everything received so far. */
  take(): Uint8Array {
    const taken = join(this.#chunks);
    this.#chunks = [];
    return taken;
  }

  /** Waits for the end of an HTTP head; returns it, and keeps what follows. */
  async takeHead(): Promise<string> {
    await until(
      () => latin1(join(this.#chunks)).includes("\r\n\r\n") || this.closed,
      "a head came",
    );
    const all = this.take();
    const head = latin1(all).split("\r\n\r\n", 1)[0]!;
    const rest = all.slice(head.length + 4);
    if (rest.length > 0) this.#chunks = [rest];
    return head;
  }

  /** Waits for so many whole frames and takes them; `undefined` takes all up to the end. */
  async takeFrames(count?: number): Promise<Frame[]> {
    let found: readonly [frames: Frame[], size: number] = [[], 0];
    await until(() => {
      found = wholeFrames(join(this.#chunks), count);
      return found[0].length === count || this.ended || this.closed;
    }, `${count ?? "all"} frames came`);
    const [frames, size] = found;
    this.#chunks = [this.take().slice(size)];
    return frames;
  }

  /** Everything up to the end of the other side, as text. */
  async takeAll(): Promise<string> {
    await until(() => this.ended || this.closed, "the other end ended its side");
    return new TextDecoder().decode(this.take());
  }
}

/** Connects to a port of 127.0.0.1, or to a unix socket. */
export async function rawConnect(to: string | number): Promise<RawPeer> {
  const target = typeof to === "string" && !to.startsWith("ws:")
    ? { path: to }
    : { port: typeof to === "number" ? to : Number(new URL(to).port), host: "127.0.0.1" };
  const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
  const peer = new RawPeer(socket);
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  return peer;
}

/** The request of a client that follows RFC 6455 §4.1; `fields` are added, each with its CRLF. */
export function request(fields = "", target = "/"): string {
  return `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
    + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${fields}\r\n`;
}

/** A client's end after the opening handshake. */
export async function rawOpen(to: string | number, fields = ""): Promise<RawPeer> {
  const peer = await rawConnect(to);
  peer.write(request(fields));
  const head = await peer.takeHead();
  if (!head.startsWith("HTTP/1.1 101 ")) {
    throw new Error(`the server answered ${JSON.stringify(head)}`);
  }
  return peer;
}

/** Listens on 127.0.0.1 and hands each connection over; returns the URL. */
export async function rawListen(accept: (peer: RawPeer) => void): Promise<string> {
  const peers: NetSocket[] = [];
  const server: NetServer = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    peers.push(socket);
    accept(new RawPeer(socket));
  });
  onTestFinished(() => {
    for (const socket of peers) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** The head of an answer that accepts the request whose head is given. */
export function acceptance(head: string): string {
  const key = /^sec-websocket-key: *(\S+)$/im.exec(head)![1]!;
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest(
    "base64",
  );
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** A Close frame's code and reason, as in `1000 "bye"`. */
export function closing({ first, payload }: Frame): string {
  if (first !== 0x88) throw new Error(`frame ${first.toString(16)} is no Close frame`);
  if (payload.length === 0) return "none";
  return `${payload[0]! << 8 | payload[1]!} ${
    JSON.stringify(new TextDecoder().decode(payload.slice(2)))
  }`;
}

/** One character for each byte, as HTTP has it. */
export function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** The frames that are whole, at most `count`, and the bytes they take. */
function wholeFrames(
  bytes: Uint8Array,
  count = Infinity,
): readonly [frames: Frame[], size: number] {
  const frames: Frame[] = [];
  let size = 0;
  while (frames.length < count) {
    const next = size + frameSize(bytes.subarray(size));
    if (next > bytes.length) break;
    frames.push(...readFrames(bytes.slice(size, next)));
    size = next;
  }
  return [frames, size];
}

/** The size of the frame that begins here; more than there is where its header is cut. */
function frameSize(bytes: Uint8Array): number {
  if (bytes.length < 2) return 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [short, mask] = [bytes[1]! & 0x7f, bytes[1]! >= 0x80 ? 4 : 0];
  if (short < 126) return 2 + mask + short;
  const header = (short === 126 ? 4 : 10) + mask;
  if (bytes.length < header) return header;
  return header + (short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2)));
}
