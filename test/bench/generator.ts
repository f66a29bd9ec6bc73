// The load: a process of its own, which does what a Task says and prints what it found as one line
// of JSON.
//
// It must cost less than the server does. So frames are made before the measurement, many leave in
// one write, and replies are only counted, by their bytes; the first ones are compared with what
// they must be.

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { Link, openLinks, type Reader } from "./link.ts";
import { clientFrame, CLOSE, FrameCounter, serverFrame, upgradeRequest } from "./wire.ts";
import { type Finding, type Task, type Workload, WORKLOADS } from "./workloads.ts";

const task = JSON.parse(process.argv[2] ?? "") as Task;
const workload = WORKLOADS.find(({ name }) => name === task.workload)!;

/** Messages, deliveries or handshakes so far. */
let count = 0;

// --- The server's process ---

const PAGE = 4096;

const TICKS_PER_SECOND = 100;

/**
 * CPU seconds of all threads there are and were, in user and system mode (proc_pid_stat(5), fields
 * 14 and 15).
 */
function serverCpu(): number {
  const stat = readFileSync(`/proc/${task.pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function serverMemory(): number {
  return Number(readFileSync(`/proc/${task.pid}/statm`, "latin1").split(" ")[1]) * PAGE;
}

/** Seconds after which a server that is hardly used is not waited for any longer. */
const PATIENCE = 15;

/** Waits until the server has worked for so many CPU seconds. */
async function worked(seconds: number): Promise<void> {
  const until = performance.now() + PATIENCE * 1000;
  const cpu = serverCpu() + seconds;
  while (serverCpu() < cpu && performance.now() < until) await sleep(20);
}

async function measure(): Promise<Finding> {
  await worked(task.warmup);
  const before = { count, cpu: serverCpu(), at: performance.now(), own: process.cpuUsage() };
  await worked(task.seconds);
  const own = process.cpuUsage(before.own);
  return {
    count: count - before.count,
    seconds: (performance.now() - before.at) / 1000,
    serverCpu: serverCpu() - before.cpu,
    generatorCpu: (own.user + own.system) / 1e6,
    memory: 0,
  };
}

// --- Messages ---

function payload({ size, binary }: Workload): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => binary ? i * 7 & 0xff : 0x61 + i % 26));
}

/** A batch of frames, and the bytes it is answered with. */
interface Batch {
  readonly request: Buffer;
  readonly reply: Buffer;
}

function batch(): Batch {
  const first = workload.binary ? 0x82 : 0x81;
  const bytes = payload(workload);
  const many = (frame: Buffer): Buffer =>
    Buffer.concat(Array.from({ length: workload.inFlight }, () => frame));
  const request = many(clientFrame(first, bytes));
  return { request, reply: task.raw ? request : many(serverFrame(first, bytes)) };
}

/** Collects the first reply, and compares it. */
function checked({ reply }: Batch, then: Reader): Reader {
  let seen = 0;
  return (bytes, length) => {
    const end = Math.min(length, reply.length - seen);
    if (bytes.compare(reply, seen, seen + end, 0, end) !== 0) {
      throw new Error(
        `the reply is not what was sent: ${bytes.toString("latin1", 0, Math.min(end, 200))}`,
      );
    }
    seen += end;
    then(bytes, length);
  };
}

// --- Workloads ---

async function echo(): Promise<Finding> {
  const message = batch();
  const perReply = message.reply.length / workload.inFlight;
  for (const link of await openLinks(workload.connections, task.port, task.raw, false)) {
    let missing = message.reply.length;
    const counted: Reader = (_bytes, length) => {
      count += length / perReply;
      missing -= length;
      if (missing > 0) return;
      if (missing < 0) throw new Error("more came back than was sent");
      missing = message.reply.length;
      link.reader = counted;
      link.socket.write(message.request);
    };
    link.reader = checked(message, counted);
    link.socket.write(message.request);
  }
  return measure();
}

/** One link sends, all receive; the next messages leave when all have everything. */
async function publish(): Promise<Finding> {
  const message = batch();
  const perReply = message.reply.length / workload.inFlight;
  const links = await openLinks(workload.connections, task.port, false, false);
  const { socket } = links[0]!;
  const all = message.reply.length * links.length;
  let missing = all;
  const counted: Reader = (_bytes, length) => {
    count += length / perReply;
    missing -= length;
    if (missing > 0) return;
    missing = all;
    for (const link of links) link.reader = counted;
    socket.write(message.request);
  };
  for (const link of links) link.reader = checked(message, counted);
  // Deno tells of a connection before its handler has run.
  await sleep(200);
  socket.write(message.request);
  return measure();
}

function handshakes(): Promise<Finding> {
  const request = upgradeRequest(task.port, false);
  const next = (index: number): void => {
    new Link(task.port, index, request, ({ socket }) => {
      socket.write(CLOSE);
    }).socket.on("error", () => {}).once("close", (failed) => {
      if (!failed) count++;
      next(index);
    });
  };
  for (let index = 0; index < workload.connections; index++) next(index);
  return measure();
}

async function idle(): Promise<Finding> {
  // The first connections cost what is needed once: code that is compiled, a heap that is mapped.
  for (const { socket } of await openLinks(1000, task.port, false, false)) socket.end(CLOSE);
  await sleep(1000);
  const before = serverMemory();
  await openLinks(workload.connections, task.port, false, false);
  await sleep(2000);
  const memory = serverMemory() - before;
  return { count: workload.connections, seconds: 1, serverCpu: 0, generatorCpu: 0, memory };
}

// --- Compression ---

/** JSON as services exchange it: the same names and some of the same values, over and over. */
function json(seed: number): Buffer {
  const base = {
    type: "position",
    id: 100_000 + seed * 7919 % 900_000,
    at: new Date(1.7e12 + seed * 137_713).toISOString(),
    point: {
      latitude: 47 + seed * 0.013579 % 1,
      longitude: 8 + seed * 0.02468 % 1,
      altitude: 400 + seed * 17 % 900,
    },
    tags: ["vehicle", seed % 3 === 0 ? "delivery" : "service", `zone-${seed * 31 % 97}`],
    owner: { name: `driver ${seed * 101 % 1000}`, shift: seed % 2 === 0 ? "day" : "night" },
  };
  const text = JSON.stringify({ ...base, note: "" });
  const filler =
    "on the way to the next stop, no delay is expected; the load is complete and the seal is unbroken. ";
  const note = filler.repeat(8).slice(seed % 50).slice(0, workload.size - text.length);
  return Buffer.from(JSON.stringify({ ...base, note }));
}

/**
 * Compresses with one window for all messages, but for the first, so that a sequence can be sent
 * again and again.
 */
function compressed(messages: readonly Buffer[]): Buffer[] {
  const bodies: Buffer[] = [];
  for (const [index, message] of messages.entries()) {
    const dictionary = Buffer.concat(messages.slice(0, index)).subarray(-32 * 1024);
    const body = deflateRawSync(message, {
      finishFlush: constants.Z_SYNC_FLUSH,
      ...dictionary.length > 0 && { dictionary },
    });
    bodies.push(body.subarray(0, body.length - 4));
  }
  return bodies;
}

/** Inflates the bodies of the frames as one stream. */
function inflated(replies: Buffer): string {
  const bodies: Buffer[] = [];
  for (let at = 0; at < replies.length;) {
    const short = replies[at + 1]!;
    const length = short === 126 ? replies.readUInt16BE(at + 2) : short;
    if (replies[at] !== 0xc1) throw new Error("a reply is not compressed");
    at += short === 126 ? 4 : 2;
    bodies.push(replies.subarray(at, at += length), Buffer.of(0, 0, 0xff, 0xff));
  }
  return inflateRawSync(Buffer.concat(bodies), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

const SEQUENCE = 64;

async function deflate(): Promise<Finding> {
  const messages = Array.from({ length: SEQUENCE }, (_, seed) => json(seed));
  const frames = compressed(messages).map((body) => clientFrame(0xc1, body));
  const batches = Array.from(
    { length: SEQUENCE / workload.inFlight },
    (_, i) => Buffer.concat(frames.slice(i * workload.inFlight, (i + 1) * workload.inFlight)),
  );
  const links = await openLinks(workload.connections, task.port, false, true);
  if (/no_context_takeover/.test(links[0]!.head)) throw new Error(`no takeover: ${links[0]!.head}`);
  for (const link of links) deflateOn(link, batches, Buffer.concat(messages).toString());
  return measure();
}

function deflateOn(link: Link, batches: readonly Buffer[], expected: string): void {
  const counter = new FrameCounter();
  const replies: Buffer[] = [];
  let turn = 0;
  let missing = workload.inFlight;
  const next = (): void => {
    missing = workload.inFlight;
    link.socket.write(batches[turn++ % batches.length]!);
  };
  link.reader = (bytes, length) => {
    if (turn <= batches.length) replies.push(Buffer.from(bytes.subarray(0, length)));
    const ended = counter.count(bytes, length);
    count += ended;
    missing -= ended;
    if (missing > 0) return;
    if (turn === batches.length && inflated(Buffer.concat(replies)) !== expected) {
      throw new Error("the reply is not what was sent");
    }
    next();
  };
  next();
}

const kinds: Readonly<Record<Workload["kind"], () => Promise<Finding>>> = {
  echo,
  publish,
  handshakes,
  idle,
};

const finding = await (workload.deflate ? deflate() : kinds[workload.kind]());
process.stdout.write(`${JSON.stringify(finding)}\n`, () => {
  // The server first, so that no profile has what it costs when all links break.
  process.kill(task.pid);
  process.exit();
});
