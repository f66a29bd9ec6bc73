// The server of a long run: it answers every message, ends sockets that ask for it, and tells by
// HTTP how it is. PORT says where it listens. SIGTERM closes it, with 1001 for whoever is there;
// then it has to end by itself.

import { readdirSync } from "node:fs";
import process from "node:process";
import { type Message, serve, type Socket } from "sansws";
import { type Delay, DelayMeter, measureMemory, type Memory } from "./meters.ts";

/** How the server is. */
export interface Stats extends Memory {
  readonly sockets: number;
  /** Those that have said something. */
  readonly talking: number;
  /** Open files of the process. */
  readonly descriptors: number;
  /** What keeps the event loop alive, by kind, where the runtime tells. */
  readonly handles: Readonly<Record<string, number>>;
  /** Of the event loop, since it was last asked. */
  readonly delay: Delay;
}

const ENDINGS: ReadonlyMap<Message, (socket: Socket) => void> = new Map([
  ["close", (socket: Socket) => socket.close(4000, "as you wish")],
  ["abort", (socket: Socket) => socket.abort()],
]);

type Talker = Socket<{ talks: boolean; }>;

function answer(socket: Talker, data: Message): void {
  socket.data.talks = true;
  const end = ENDINGS.get(data);
  if (end === undefined) socket.send(data);
  else end(socket);
}

function countHandles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

const meter = new DelayMeter();

async function stats(): Promise<Stats> {
  const delay = meter.take();
  const memory = await measureMemory();
  // Whom the collection kept waiting is not the server's doing.
  meter.take();
  const descriptors = readdirSync("/proc/self/fd").length;
  const talking = [...server.sockets].filter(({ data }) => data.talks).length;
  return {
    ...memory,
    sockets: server.sockets.size,
    talking,
    descriptors,
    handles: countHandles(),
    delay,
  };
}

const server = await serve<Talker["data"]>({
  port: Number(process.env["PORT"]),
  hostname: "127.0.0.1",
  deflate: true,
  upgrade: ({ path }) => path === "/refused" ? { status: 403 } : { data: { talks: false } },
  open: (socket) => socket.subscribe("all"),
  message: answer,
  request: async () => Response.json(await stats()),
});

process.once("SIGTERM", () => void server.close({ deadline: 10_000 }));
console.log("listening");
