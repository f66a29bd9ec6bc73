// The server that the *.node.test.ts files attack, on any runtime. Its mode is in SERVER_MODE, and
// options for `serve` are in SERVER_OPTIONS, as JSON.
//
// It prints its address as a line of JSON. Over HTTP it tells how it is (/status) and can be told
// to end (/close).

import process from "node:process";
import { type Handlers, serve, type ServeOptions } from "sansws";
import { sleep } from "./waiting.ts";

const { SERVER_MODE = "echo", SERVER_OPTIONS = "{}" } = process.env;

/** What became of this server so far. */
export interface Status {
  readonly sockets: number;
  readonly bufferedAmount: number;
  /** Bytes of memory in use. */
  readonly memory: number;
  /** What reached `error`. */
  readonly errors: readonly string[];
  /** How sockets ended, by code and cause, and how often. */
  readonly ends: Readonly<Record<string, number>>;
}

const errors: string[] = [];
const ends: Record<string, number> = {};

const MODES: Readonly<Record<string, Handlers>> = {
  echo: { message: (socket, data) => void socket.send(data) },
  // Sends for as long as the peer reads
  flood: {
    open: async (socket) => {
      const data = new Uint8Array(65536);
      for (; socket.state === "open"; await socket.ready()) socket.send(data.slice());
    },
  },
  iterate: {
    open: async (socket) => {
      await sleep(20);
      for await (const message of socket) socket.send(message);
    },
  },
  fail: {
    message: (socket, data) => {
      if (data === "throw") throw new Error("thrown");
      if (data === "reject") return Promise.reject(new Error("rejected"));
      return socket.send(data);
    },
  },
};

function status(): Status {
  const bufferedAmount = [...server.sockets].reduce(
    (sum, socket) => sum + socket.bufferedAmount,
    0,
  );
  return {
    sockets: server.sockets.size,
    bufferedAmount,
    memory: process.memoryUsage.rss(),
    errors,
    ends,
  };
}

function close(): void {
  void server.close({ deadline: 2000 });
}

const options: ServeOptions = {
  ...MODES[SERVER_MODE],
  ...JSON.parse(SERVER_OPTIONS) as ServeOptions,
  close: (_, { code, cause }) => {
    ends[`${code} ${cause}`] = (ends[`${code} ${cause}`] ?? 0) + 1;
  },
  error: (error) => void errors.push(String(error)),
  request: ({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/close") setTimeout(close);
    return Response.json(pathname === "/status" ? status() : {});
  },
};

const server = await serve(
  options.path === undefined ? { port: 0, hostname: "127.0.0.1", ...options } : options,
);
process.once("SIGINT", close);
console.log(JSON.stringify(server.address));
