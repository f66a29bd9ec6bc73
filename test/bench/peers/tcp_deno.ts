// What Deno's TCP does with no protocol at all: it writes back what it reads.

import process from "node:process";

interface Conn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  setNoDelay(noDelay: boolean): void;
  close(): void;
}

interface DenoApi {
  listen(options: object): AsyncIterable<Conn>;
}

const { Deno } = globalThis as unknown as { Deno: DenoApi; };

async function echo(conn: Conn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    for (let sent = 0; sent < count;) sent += await conn.write(buffer.subarray(sent, count));
  }
}

const listener = Deno.listen({ port: Number(process.env.PORT ?? 8080), hostname: "127.0.0.1" });
console.log("ready");
for await (const conn of listener) {
  echo(conn).catch(() => {}).finally(() => conn.close());
}
