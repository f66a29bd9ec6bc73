// The bystander: a connection that does nothing wrong, sends a message, waits for its echo, and
// sends the next. It is a process of its own, so that it measures the server's time and not that of
// the test, which is busy attacking.

import { connect } from "node:net";
import process from "node:process";
import { frame } from "../core/support.ts";

/** How long its messages took there and back, in milliseconds, since it was asked the last time. */
export interface Waits {
  readonly count: number;
  readonly median: number;
  /** Of the message that is under way, too. */
  readonly worst: number;
  /** Whether the connection is gone. */
  readonly closed: boolean;
}

const HEAD = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
  + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const MESSAGE = frame("client", 0x81, "hello");
/** Two bytes of header and five of content. */
const ECHO_SIZE = 7;
/** Milliseconds between an echo and the next message. */
const PAUSE = 10;

const socket = connect({ port: Number(process.argv[2]), host: "127.0.0.1", noDelay: true });
let waits: number[] = [];
let sentAt: number | undefined;
let received = 0;

function send(): void {
  received = 0;
  sentAt = performance.now();
  socket.write(MESSAGE);
}

function receive(chunk: Uint8Array): void {
  if (sentAt === undefined) {
    if (new TextDecoder("latin1").decode(chunk).endsWith("\r\n\r\n")) send();
    return;
  }
  received += chunk.length;
  if (received < ECHO_SIZE) return;
  waits.push(performance.now() - sentAt);
  setTimeout(send, PAUSE);
}

/** The waits since the last time. */
function take(): Waits {
  const sorted = waits.toSorted((a, b) => a - b);
  waits = [];
  const waiting = sentAt !== undefined && received < ECHO_SIZE ? performance.now() - sentAt : 0;
  const median = sorted[sorted.length >> 1] ?? 0;
  return {
    count: sorted.length,
    median,
    worst: Math.max(waiting, sorted.at(-1) ?? 0),
    closed: socket.closed,
  };
}

socket.on("error", () => {}).on("data", receive);
socket.write(HEAD);
process.on("message", () => process.send!(take())).on("disconnect", () => process.exit());
