// The core alone, without sockets: what one frame costs to decode and to encode, in time and in
// allocated bytes, beside the Receiver and Sender of `ws` and the driver of `websocket-driver`. All
// are servers, frames are binary. It runs on Node, Deno and Bun, and prints Markdown.

import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import process from "node:process";
import { Connection } from "sansws/core";
import { clientFrame } from "./wire.ts";

const SIZES: readonly number[] = [16, 125, 1024, 16 * 1024, 1024 * 1024];
/** Bytes of a chunk, as sockets give them. */
const CHUNK = 64 * 1024;
const SAMPLES = 9;
/** Milliseconds of one sample. */
const SAMPLE = 40;

/** An implementation. */
interface Subject {
  readonly name: string;
  /** Messages decoded so far. */
  messages: number;
  /** Bytes encoded so far. */
  bytes: number;
  decode(chunk: Buffer): void;
  encode(payloads: readonly Buffer[]): void;
}

// --- Implementations ---

function sansws(): Subject {
  const connection = new Connection({ role: "server" }, 0);
  return {
    name: "sansws",
    messages: 0,
    bytes: 0,
    decode(chunk) {
      for (const event of connection.receive(chunk, 0)) {
        if (event.type === "binary") this.messages++;
      }
    },
    encode(payloads) {
      for (const payload of payloads) connection.sendBinary(payload);
      for (const chunk of connection.takeOutput()) this.bytes += chunk.length;
    },
  };
}

interface WsReceiver {
  on(event: "message", listener: () => void): void;
  write(chunk: Buffer): boolean;
}

interface WsSender {
  frame(payload: Buffer, options: object): readonly Buffer[];
}

const require = createRequire(import.meta.url);

// By path, because Bun has a module of its own for the name.
function ws(): Subject {
  const Receiver = require("../../node_modules/ws/lib/receiver.js") as new(
    options: object,
  ) => WsReceiver;
  const Sender = require("../../node_modules/ws/lib/sender.js") as WsSender;
  const receiver = new Receiver({ isServer: true, binaryType: "nodebuffer", extensions: {} });
  const options = { fin: true, rsv1: false, opcode: 2, mask: false, readOnly: false };
  const subject: Subject = {
    name: "ws",
    messages: 0,
    bytes: 0,
    decode: (chunk) => void receiver.write(chunk),
    encode(payloads) {
      for (const payload of payloads) {
        for (const chunk of Sender.frame(payload, options)) this.bytes += chunk.length;
      }
    },
  };
  receiver.on("message", () => subject.messages++);
  return subject;
}

interface Driver {
  readonly io: {
    on(event: "data", listener: (chunk: Buffer) => void): void;
    write(chunk: Buffer): boolean;
  };
  on(event: "message", listener: () => void): void;
  start(): void;
  binary(payload: Buffer): void;
}

function driver(): Subject {
  const { http } = require("websocket-driver") as { http(request: object): Driver; };
  const headers = {
    "host": "localhost",
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  };
  const driver = http({ method: "GET", url: "/", headers });
  const subject: Subject = {
    name: "websocket-driver",
    messages: 0,
    bytes: 0,
    decode: (chunk) => void driver.io.write(chunk),
    encode(payloads) {
      for (const payload of payloads) driver.binary(payload);
    },
  };
  driver.on("message", () => subject.messages++);
  driver.io.on("data", (chunk) => subject.bytes += chunk.length);
  driver.start();
  return subject;
}

// --- Work ---

/** Something to be done again and again, and the number of frames in it. */
interface Work {
  readonly frames: number;
  run(subject: Subject): void;
}

// Frames are unmasked in place, so every second time they carry other bytes, which is as good.
function decoding(size: number): Work {
  const frame = clientFrame(0x82, Buffer.alloc(size, 0x61));
  const frames = Math.max(1, Math.floor(CHUNK / frame.length));
  const bytes = Buffer.concat(Array.from({ length: frames }, () => frame));
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    chunks.push(Buffer.from(bytes.subarray(at, at + CHUNK)));
  }
  return {
    frames,
    run(subject) {
      const before = subject.messages;
      for (const chunk of chunks) subject.decode(chunk);
      if (subject.messages - before !== frames) throw new Error(`${subject.name} lost messages`);
    },
  };
}

function encoding(size: number): Work {
  const frames = Math.max(1, Math.floor(CHUNK / size));
  const payloads = Array.from({ length: frames }, () => Buffer.alloc(size, 0x61));
  return {
    frames,
    run(subject) {
      const before = subject.bytes;
      subject.encode(payloads);
      if (subject.bytes - before < frames * size) throw new Error(`${subject.name} lost bytes`);
    },
  };
}

// --- Measuring ---

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

/** Nanoseconds per frame. */
function sample({ frames, run }: Work, subject: Subject): number {
  let runs = 0;
  const start = performance.now();
  while (performance.now() - start < SAMPLE) {
    run(subject);
    runs++;
  }
  return (performance.now() - start) * 1e6 / (runs * frames);
}

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Bytes allocated per frame; a run in which memory was given back tells nothing. JavaScriptCore
 * counts only when it collects.
 */
function allocated({ frames, run }: Work, subject: Subject): number | undefined {
  if (process.versions["bun"] !== undefined) return undefined;
  const deltas = (work: () => void): number =>
    median(
      Array.from({ length: 60 }, () => {
        const before = memory();
        work();
        return memory() - before;
      }).filter((delta) => delta >= 0),
    );
  const own = deltas(() => {});
  return Math.max(0, (deltas(() => run(subject)) - own) / frames);
}

function cell(nanoseconds: number, bytes: number | undefined): string {
  const time = nanoseconds < 1e4
    ? `${nanoseconds.toFixed(0)} ns`
    : `${(nanoseconds / 1e3).toFixed(0)} µs`;
  return bytes === undefined ? time : `${time}, ${bytes.toFixed(0)} B`;
}

function row(title: string, work: Work, subjects: readonly Subject[]): string {
  const times = subjects.map((): number[] => []);
  for (let i = 0; i <= SAMPLES; i++) {
    for (const [index, subject] of subjects.entries()) {
      const time = sample(work, subject);
      // The first one warms up.
      if (i > 0) times[index]!.push(time);
    }
  }
  const cells = subjects.map((subject, index) =>
    cell(median(times[index]!), allocated(work, subject))
  );
  return `| ${title} | ${cells.join(" | ")} |`;
}

function title(size: number): string {
  return size < 1024
    ? `${size} B`
    : size < 1024 ** 2
    ? `${size / 1024} KiB`
    : `${size / 1024 ** 2} MiB`;
}

const subjects = [sansws(), ws(), driver()];
console.log(
  `| frame | ${subjects.map(({ name }) => name).join(" | ")} |\n|---|${
    "--:|".repeat(subjects.length)
  }`,
);
for (const size of SIZES) console.log(row(`decode ${title(size)}`, decoding(size), subjects));
for (const size of SIZES) console.log(row(`encode ${title(size)}`, encoding(size), subjects));
process.exit();
