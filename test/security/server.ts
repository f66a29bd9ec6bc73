// The program under attack: a process of its own, so that its memory can be measured and its end
// noticed. SERVERS in the environment says which servers it runs; it prints their ports, and tells
// of itself to whoever asks its "control" server by HTTP.

import process from "node:process";
import type { ConnectOptions, Message, ServeOptions, Server } from "sansws";
import { connect, serve } from "sansws";
import { BEHAVIOURS } from "./behaviours.ts";

/** One server: what it does, and what it is told besides. */
export interface Spec {
  readonly behaviour: string;
  readonly options?: Pick<
    ServeOptions,
    "limits" | "timeouts" | "connections" | "deflate" | "backpressure" | "protocols" | "tls"
  >;
}

/** What the control server tells. */
export interface State {
  /** Open sockets, by server. */
  readonly sockets: Readonly<Record<string, number>>;
  /** How sockets ended, and what behaviours noted, by server. */
  readonly notes: Readonly<Record<string, readonly string[]>>;
  /** What came to `error` handlers. */
  readonly errors: readonly string[];
}

/** What a client is told to do: connect, and send some messages. */
export interface Errand {
  readonly url: string;
  readonly options?: ConnectOptions;
  /** Messages to send: texts, or sizes of binary ones. */
  readonly send?: readonly (string | number)[];
}

/** What became of it: how the socket ended, or how connecting failed. */
export interface Outcome {
  readonly error?: string;
  readonly message?: string;
  readonly status?: number;
  /** The bytes of the answer's body that were kept. */
  readonly body?: number;
  readonly closed?: string;
  /** The messages' sizes. */
  readonly received?: readonly number[];
}

const servers = new Map<string, Server>();
const notes: Record<string, string[]> = {};
const errors: string[] = [];

async function start(name: string, { behaviour, options }: Spec): Promise<void> {
  const lines: string[] = notes[name] = [];
  const server = await serve({
    port: 0,
    hostname: "127.0.0.1",
    ...BEHAVIOURS[behaviour]!((line) => lines.push(line)),
    close: (_, { code, cause }) => lines.push(`closed ${code} ${cause}`),
    error: (error) => errors.push(String(error)),
    ...options,
  });
  servers.set(name, server);
}

function state(): State {
  const sockets = Object.fromEntries(
    Array.from(servers, ([name, server]) => [name, server.sockets.size]),
  );
  return { sockets, notes, errors };
}

function forget(): void {
  errors.length = 0;
  for (const lines of Object.values(notes)) lines.length = 0;
}

async function run({ url, options, send = [] }: Errand): Promise<Outcome> {
  const received: number[] = [];
  try {
    const message = (_: unknown, data: Message): number => received.push(data.length);
    const socket = await connect(url, { ...options, message });
    for (const each of send) socket.send(typeof each === "string" ? each : new Uint8Array(each));
    const { code, cause } = await socket.closed;
    return { closed: `${code} ${cause}`, received };
  } catch (error) {
    const { name, message, answer } = error as Error & {
      answer?: { status: number; body?: Uint8Array; };
    };
    return {
      error: name,
      message,
      ...answer && { status: answer.status, body: answer.body?.length ?? 0 },
    };
  }
}

async function control(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (pathname === "/forget") forget();
  if (pathname === "/connect") {
    return Response.json(await run(JSON.parse(decodeURIComponent(search.slice(1))) as Errand));
  }
  return Response.json(state());
}

const specs = JSON.parse(process.env["SERVERS"] ?? "{}") as Record<string, Spec>;
for (const [name, spec] of Object.entries(specs)) await start(name, spec);
// An errand with certificates makes a long line.
const limits = { maxLineLength: 2 ** 16, maxHeadSize: 2 ** 17 };
const { address } = await serve({ port: 0, hostname: "127.0.0.1", limits, request: control });
const ports = Object.fromEntries(
  Array.from(servers, ([name, server]) => [name, server.address.port]),
);
console.log(JSON.stringify({ ...ports, control: address.port }));
