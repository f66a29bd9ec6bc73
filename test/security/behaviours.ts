// What the servers under attack do, by name: ordinary applications, applications that fail, and
// applications that pass on strings which would break a head if they were written.

import type { IncomingUpgrade, ServeOptions, Socket, UpgradeDecision } from "sansws";
import { allowOrigins } from "sansws";
import { sleep } from "../contract/waiting.ts";

/** What a server notes for the tests to ask about. */
export type Note = (line: string) => void;

const INJECTED = "x\r\nX-Injected: 1";

/**
 * What the upgrade hook answers for each path; each of them has something that must not be written.
 */
const UNSAFE_DECISIONS: Readonly<Record<string, UpgradeDecision>> = {
  "/protocol": { protocol: INJECTED },
  "/header-value": { headers: { "X-Value": INJECTED } },
  "/header-name": { headers: { [INJECTED]: "1" } },
  "/header-nul": { headers: { "X-Value": "a\0b" } },
  "/reject-value": { status: 403, headers: { Location: INJECTED } },
  "/reject-name": { status: 403, headers: { "X\r\nY": "1" } },
  "/own-header": { headers: { "Sec-WebSocket-Accept": "x" } },
  "/switching": { status: 101 },
};

/**
 * What the request hook answers for each path: here it is the runtime that refuses, or this
 * library.
 */
const UNSAFE_RESPONSES: Readonly<Record<string, () => Response>> = {
  "/status-text": () => new Response("", { statusText: INJECTED }),
  "/response-value": () => new Response("", { headers: { "X-Value": INJECTED } }),
  "/response-name": () => new Response("", { headers: { [INJECTED]: "1" } }),
  "/switching": () => new Response(undefined, { status: 101 }),
};

// A body may say what it likes.
const SAFE_BODY = "a\r\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";

async function publish(socket: Socket, message: string): Promise<void> {
  const [count = 0, size = 0] = message.split(" ").map(Number);
  const news = new Uint8Array(size);
  for (let i = 0; i < count; i++) {
    socket.publish("news", news);
    await sleep(0);
  }
  socket.send("published");
}

/** 32 MiB, a megabyte at a time. */
function megabytes(): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = 32;
  return new ReadableStream({
    pull: (controller) =>
      left-- > 0 ? controller.enqueue(new Uint8Array(2 ** 20)) : controller.close(),
  });
}

function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/big") return new Response(megabytes());
  return new Response(`${request.method} ${request.url}\n`);
}

async function decideLate(request: IncomingUpgrade): Promise<UpgradeDecision> {
  await sleep(300);
  return request.path === "/in" ? {} : { status: 401, body: "not you\n" };
}

function fail(message: string): unknown {
  if (message === "reject") return Promise.reject(new Error("rejected on purpose"));
  throw new Error("thrown on purpose");
}

// What types forbid and JavaScript does not: a reason that is no string.
const CLOSES: Readonly<Record<string, (socket: Socket) => void>> = {
  numbers: (socket) => socket.close(1000, new Float32Array(20) as unknown as string),
  now: (socket) => socket.close(3000, "by the server"),
};

/** The behaviours; `note` keeps a line for the tests. */
export const BEHAVIOURS: Readonly<Record<string, (note: Note) => ServeOptions>> = {
  echo: () => ({ message: (socket, data) => socket.send(data) }),
  size: (note) => ({ message: (_, data, kind) => note(`${kind} of ${data.length}`) }),
  inbox: () => ({}),
  gate: (note) => ({ upgrade: decideLate, message: (_, data) => note(`heard ${String(data)}`) }),
  origins: () => ({ upgrade: allowOrigins(["https://example.com"], { allowMissing: false }) }),
  hanging: () => ({ upgrade: () => new Promise(() => {}) }),
  unsafe: () => ({
    upgrade: ({ path }) => UNSAFE_DECISIONS[path] ?? { status: 403, body: SAFE_BODY },
    request: (request) =>
      UNSAFE_RESPONSES[new URL(request.url).pathname]?.() ?? new Response(SAFE_BODY),
  }),
  web: () => ({ request: answer }),
  news: () => ({
    open: (socket) => socket.subscribe("news"),
    message: (socket, data) => publish(socket, String(data)),
  }),
  topics: () => ({
    message: (socket, data) => {
      socket.subscribe(String(data));
      socket.send([...socket.subscriptions].join());
    },
  }),
  fields: () => ({
    upgrade: ({ headers }) => ({
      headers: {
        "X-Proto": headers.get("__proto__") ?? "none",
        "X-Constructor": headers.get("constructor") ?? "none",
      },
    }),
  }),
  failing: () => ({ message: (_, data) => fail(String(data)) }),
  closing: (note) => ({
    message: (socket, data) => {
      note(`heard ${String(data)}`);
      CLOSES[String(data)]?.(socket);
    },
  }),
  flooding: () => ({ open: (socket) => void socket.send(new Uint8Array(8 * 2 ** 20)) }),
};
