// The core in a place that has the language and the three globals it names, and nothing else: no
// process, no Buffer, no URL, no timers, no console. Whatever else it touched would be a
// ReferenceError or an undefined property here.

import { build } from "esbuild";
import { join } from "node:path";
import { type Context, createContext, runInContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { root } from "../processes.ts";

let context: Context;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [join(root, "core/mod.ts")],
    bundle: true,
    format: "iife",
    globalName: "core",
    write: false,
  });
  context = createContext({ TextEncoder, TextDecoder, crypto });
  // V8 gives every context a console of its own.
  runInContext("delete globalThis.console", context);
  runInContext(outputFiles.map((file) => file.text).join(""), context);
});

describe("sansws/core in a bare V8 context", () => {
  it("has no globals but those of the language, and the three", () => {
    const absent = runInContext(
      `[typeof process, typeof Buffer, typeof URL, typeof setTimeout, typeof console]`,
      context,
    );
    expect([...absent as string[]].filter((type) => type !== "undefined")).toEqual([]);
  });

  it("answers the key of RFC 6455 §1.3", async () => {
    const accept: unknown = await runInContext(
      `core.acceptKey("dGhlIHNhbXBsZSBub25jZQ==")`,
      context,
    );
    expect(accept).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("carries messages both ways and closes", () => {
    const seen: unknown = runInContext(
      `
      const client = new core.Connection({ role: "client" }, 0);
      const server = new core.Connection({ role: "server" }, 0);
      const seen = [];
      function pass(from, to, name) {
        for (const chunk of from.takeOutput()) {
          for (const event of to.receive(chunk, 1)) seen.push(name + " " + event.type + " " + (event.code ?? event.data));
        }
      }
      client.sendText("héllo");
      client.sendBinary(new Uint8Array([1, 2, 3]));
      pass(client, server, "server");
      server.sendText("wörld");
      server.close(1000, "done", 1);
      pass(server, client, "client");
      pass(client, server, "server");
      seen.join(", ");
      `,
      context,
    );
    expect(seen).toBe(
      "server text héllo, server binary 1,2,3, client text wörld, client closing 1000",
    );
  });
});
