// What Deno's TCP does with no protocol at all: it writes back what it reads, or with
// MODE=handshake answers without looking.

import process from "node:process";
import { ANSWERS } from "./answers.ts";

interface Conn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  setNoDelay(noDelay: boolean): void;
  close(): void;
}

interface DenoApi {
  listen(options: object): AsyncIterable<Conn>;
}

const { Deno } = globalThis as unknown as { Deno: DenoApi; };

async function echo(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    for (let sent = 0; sent < count;) sent += await conn.write(buffer.subarray(sent, count));
  }
}

async function shake(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  for (const answer of ANSWERS) {
    if (await conn.read(buffer) === null) return;
    await conn.write(answer);
  }
  await conn.closeWrite();
  await conn.read(buffer);
}

const serve = process.env.MODE === "handshake" ? shake : echo;
process.on("SIGTERM", () => process.exit());

const listener = Deno.listen({ port: Number(process.env.PORT ?? 8080), hostname: "127.0.0.1" });
console.log("ready");
for await (const conn of listener) {
  conn.setNoDelay(true);
  serve(conn).catch(() => {}).finally(() => conn.close());
}
