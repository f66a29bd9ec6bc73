// Shows that work and memory are linear in the bytes that come: whatever an attacker would repeat,
// repeated four times as often, takes about four times as long (a quadratic step would take
// sixteen), and what is held of it stays in proportion.

import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ClientHandshake, Connection, type ConnectionOptions, ServerHandshake } from "sansws/core";
import { deflateCodec } from "../../adapters/deflate.ts";
import { resolveDeflate } from "../../core/deflate/negotiate.ts";
import { MessageDeflate } from "../../core/deflate/transform.ts";
import { frame, hex, join, utf8 } from "../core/support.ts";
import { ACCEPT, KEY } from "./handshakes.ts";

/** What is sent, in chunks of how many bytes, and who receives it. */
interface Load {
  readonly name: string;
  /** About `size` bytes. */
  make(size: number): Uint8Array;
  readonly chunk: number;
  receiver(): Receiver;
}

interface Receiver {
  receive(chunk: Uint8Array): void;
}

const UNLIMITED = { maxHeadSize: Infinity, maxLineLength: Infinity, maxFields: Infinity };

function connection(options: Partial<ConnectionOptions> = {}, reads = true): Receiver {
  const connection = new Connection({
    role: "server",
    limits: { maxMessageSize: Infinity },
    ...options,
  }, 0);
  return {
    receive(chunk) {
      connection.receive(chunk, 0);
      if (reads) connection.takeOutput();
    },
  };
}

function compressed(): Receiver {
  const params = { windowBits: 15, takeover: true, peerWindowBits: 15, peerTakeover: true };
  return connection({
    deflate: new MessageDeflate(params, resolveDeflate({ codec: deflateCodec })),
  });
}

function server(): Receiver {
  const handshake = new ServerHandshake({ limits: UNLIMITED, deflate: { codec: deflateCodec } }, 0);
  return { receive: (chunk) => void handshake.receive(chunk, 0) };
}

function client(): Receiver {
  const options = { limits: UNLIMITED, key: KEY, accept: ACCEPT, protocols: ["a"] };
  const handshake = new ClientHandshake(new URL("ws://a/"), options, 0);
  return { receive: (chunk) => void handshake.receive(chunk, 0) };
}

function repeat(bytes: Uint8Array, size: number): Uint8Array {
  const all = new Uint8Array(Math.ceil(size / bytes.length) * bytes.length);
  for (let at = 0; at < all.length; at += bytes.length) all.set(bytes, at);
  return all;
}

/** A message that never ends: its first frame, and the rest over and over. */
function endless(first: number, payload: string, rest: Uint8Array): (size: number) => Uint8Array {
  return (size) => join([frame("client", first, payload), repeat(rest, size)]);
}

const head = (start: string, text: string, end: string) => (size: number): Uint8Array =>
  utf8(start + text.repeat(Math.ceil(size / text.length)) + end);
const REQUEST =
  "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
  + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
const ANSWER =
  `HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`;
const END = "\r\n\r\n";
const WHOLE = Infinity;

const CONNECTION_LOADS: readonly Load[] = [
  {
    name: "fragments of a byte",
    make: endless(0x02, "a", frame("client", 0x00, "a")),
    chunk: 65_536,
    receiver: connection,
  },
  {
    name: "fragments of a byte, byte by byte",
    make: endless(0x01, "a", frame("client", 0x00, "a")),
    chunk: 1,
    receiver: connection,
  },
  {
    name: "fragments of two bytes, byte by byte",
    make: endless(0x02, "a", frame("client", 0x00, "aa")),
    chunk: 1,
    receiver: connection,
  },
  {
    name: "empty fragments",
    make: endless(0x01, "", frame("client", 0x00)),
    chunk: 65_536,
    receiver: connection,
  },
  {
    name: "a large text, byte by byte",
    make: (size) => frame("client", 0x81, "é".repeat(size / 2)),
    chunk: 1,
    receiver: connection,
  },
  {
    name: "a large text in pieces, byte by byte",
    make: (size) => frame("client", 0x81, "é".repeat(size / 2)),
    chunk: 1,
    receiver: () => connection({ messages: "pieces" }),
  },
  {
    name: "empty messages",
    make: (size) => repeat(frame("client", 0x81), size),
    chunk: 65_536,
    receiver: connection,
  },
  {
    name: "pings",
    make: (size) => repeat(frame("client", 0x89), size),
    chunk: 65_536,
    receiver: connection,
  },
  {
    name: "pings of a peer that does not read",
    make: (size) => repeat(frame("client", 0x89, "abc"), size),
    chunk: 65_536,
    receiver: () => connection({}, false),
  },
  {
    name: "compressed fragments of nothing",
    make: endless(0x41, "", frame("client", 0x00, hex("000000ffff"))),
    chunk: 65_536,
    receiver: compressed,
  },
  {
    name: "compressed and empty fragments",
    make: endless(0x41, "", frame("client", 0x00)),
    chunk: 65_536,
    receiver: compressed,
  },
  {
    name: "stored bytes, byte by byte",
    make: endless(0x42, "", frame("client", 0x00, hex("000100feff61"))),
    chunk: 1,
    receiver: compressed,
  },
];

const HANDSHAKE_LOADS: readonly Load[] = [
  { name: "fields", make: head(REQUEST, "X: a\r\n", "\r\n"), chunk: WHOLE, receiver: server },
  {
    name: "a head, byte by byte",
    make: head(REQUEST, "X: a\r\n", "\r\n"),
    chunk: 1,
    receiver: server,
  },
  {
    name: "the same field",
    make: head(REQUEST, "Connection: a\r\n", "\r\n"),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "one long field, never ended",
    make: head(REQUEST + "X: ", "a", ""),
    chunk: 1000,
    receiver: server,
  },
  {
    name: "a long target",
    make: head("GET /", "a?", " HTTP/1.1\r\nHost: a" + END),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "a long host",
    make: head("GET / HTTP/1.1\r\nHost: ", "a.", END),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "protocols",
    make: head(`${REQUEST}Sec-WebSocket-Protocol: `, "a, ", END),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "spaces between protocols",
    make: head(`${REQUEST}Sec-WebSocket-Protocol: a`, " ", `b${END}`),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "commas",
    make: head(`${REQUEST}Sec-WebSocket-Extensions: `, ",", END),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "extensions",
    make: head(`${REQUEST}Sec-WebSocket-Extensions: a`, ",a;b=c", END),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "parameters",
    make: head(
      `${REQUEST}Sec-WebSocket-Extensions: permessage-deflate`,
      ";client_max_window_bits",
      END,
    ),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "a quoted string of backslashes",
    make: head(`${REQUEST}Sec-WebSocket-Extensions: a;b="`, "\\\\", END),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "quoted strings that are not closed",
    make: head(`${REQUEST}Sec-WebSocket-Extensions: `, "a;b=\"\\", END),
    chunk: WHOLE,
    receiver: server,
  },
  {
    name: "an answer's fields",
    make: head(ANSWER, "X: a\r\n", "\r\n"),
    chunk: WHOLE,
    receiver: client,
  },
  {
    name: "an answer, byte by byte",
    make: head(ANSWER, "X: a\r\n", "\r\n"),
    chunk: 1,
    receiver: client,
  },
  {
    name: "an answer's reason",
    make: head("HTTP/1.1 404 ", "a ", END),
    chunk: WHOLE,
    receiver: client,
  },
  {
    name: "a body in chunks of a byte",
    make: head("HTTP/1.1 404 \r\nTransfer-Encoding: chunked" + END, "1\r\na\r\n", ""),
    chunk: 1000,
    receiver: client,
  },
];

const SIZE = 50_000;
const FACTOR = 4;
/**
 * How much longer a byte may take among as many more: not at all in linear work, `FACTOR` times in
 * quadratic.
 */
const MOST = 2;
const ATTEMPTS = 6;
/** Bytes of one measurement: as many for short streams as for long ones. */
const MEASURED = 1_600_000;

/** Measures every load. @throws {Error} when one takes more than its share */
export async function checkLinear(print: (line: string) => void): Promise<void> {
  for (const load of [...CONNECTION_LOADS, ...HANDSHAKE_LOADS]) {
    const [short, long] = timesPerByte(load);
    print(
      `${load.name}: a byte takes ${short.toFixed(1)} ns, and ${
        long.toFixed(1)
      } ns among ${FACTOR} times as many`,
    );
    if (long > short * MOST) throw new Error(`${load.name}: work is not linear`);
  }
  for (const load of CONNECTION_LOADS) {
    const held = await heldPerByte(load);
    print(`${load.name}: ${held.toFixed(2)} bytes held for each that came`);
    if (held > MOST_HELD) throw new Error(`${load.name}: memory is not in proportion`);
  }
}

// A busy machine makes a measurement longer, never shorter: the least of some is what it takes.
function timesPerByte(load: Load): [short: number, long: number] {
  let short = Infinity, long = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    short = Math.min(short, time(load, SIZE));
    long = Math.min(long, time(load, SIZE * FACTOR));
    if (attempt > 0 && long < short * 1.3) break;
  }
  return [short, long];
}

/** Nanoseconds of this process for a byte; what others on the machine do is not counted. */
function time(load: Load, size: number): number {
  const bytes = load.make(size);
  const receivers: Receiver[] = [];
  for (let left = MEASURED; left > 0; left -= size) receivers.push(load.receiver());
  const runs = receivers.map((receiver) => ({ receiver, chunks: cut(bytes, load.chunk) }));
  const before = process.cpuUsage();
  for (const { receiver, chunks } of runs) {
    for (const chunk of chunks) receiver.receive(chunk);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000 / bytes.length / runs.length;
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  if (size >= bytes.length) return [bytes.slice()];
  return Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, index) => bytes.slice(index * size, (index + 1) * size),
  );
}

/** A message's content may be held twice while a block grows, and blocks may be half full. */
const MOST_HELD = 3;
const HELD_SIZE = 2_000_000;

async function heldPerByte(load: Load): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const receiver = load.receiver();
  const bytes = load.make(HELD_SIZE);
  await settle(collect);
  const before = usage();
  for (let at = 0; at < bytes.length; at += Math.min(load.chunk, bytes.length)) {
    receiver.receive(bytes.slice(at, at + load.chunk));
  }
  await settle(collect);
  const held = usage() - before;
  receiver.receive(new Uint8Array(0));
  return held / bytes.length;
}

// What a collection frees outside of the heap is given back a little later.
async function settle(collect: () => void): Promise<void> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function usage(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
