// examples/echo.ts and examples/client.ts as processes: the server with a client of another make,
// and the two with each other.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, hasSignals, RUNTIMES } from "../processes.ts";
import { startProgram } from "../programs.ts";
import { Client } from "./client.ts";
import { listen, type Listening } from "./programs.ts";

const FILE = "examples/echo.ts";

describe.each(RUNTIMES)("examples/echo.ts on %s", (runtime) => {
  let echo: Listening;

  beforeAll(async () => {
    echo = await listen(runtime, FILE);
  });

  afterAll(() => echo.program.kill());

  it.each([0, 1, 125, 126, 65_535, 65_536, 1_048_576])(
    "answers text and bytes of length %i",
    async (length) => {
      const client = await Client.connect(`ws://${echo.host}`);
      const bytes = Buffer.alloc(length, "0123456789");
      client.send(bytes.toString());
      expect(await client.next() === bytes.toString()).toBe(true);
      client.send(bytes);
      expect(bytes.equals(await client.next() as Buffer)).toBe(true);
      client.socket.close();
    },
  );

  it("answers in the order of the messages, fragmented ones too", async () => {
    const client = await Client.connect(`ws://${echo.host}`);
    client.send("grüße, 世界 👋");
    client.socket.send("in ", { fin: false });
    client.socket.send("pieces", { fin: true });
    client.send(new Uint8Array([0, 255]));
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      "grüße, 世界 👋",
      "in pieces",
      Buffer.from([0, 255]),
    ]);
    client.socket.terminate();
  });

  it("answers a close with its code and reason", async () => {
    const client = await Client.connect(`ws://${echo.host}`);
    client.socket.close(4321, "enough");
    expect(await client.closed()).toEqual({ code: 4321, reason: "enough" });
  });

  it("examples/client.ts sends, prints and closes", async () => {
    const client = startProgram(runtime, "examples/client.ts", [`ws://${echo.host}`]);
    expect(await client.exited, client.output).toBe(0);
    const lines = client.output.trim().split("\n");
    expect(lines.length).toBe(8);
    expect(lines[0]).toBe(`connected to ws://${echo.host}`);
    expect(lines.filter((line) => line.startsWith("sent "))).toHaveLength(3);
    expect(lines.filter((line) => /^received +(hello|grüße, 世界 👋|Uint8Array)/.test(line)))
      .toHaveLength(3);
    expect(lines[7]).toBe("closed cleanly: 1000 done");
  });

  it("takes HOST and PORT from the environment and prints them", async () => {
    const port = await freePort();
    const { program } = await listen(runtime, FILE, { PORT: String(port), HOST: "127.0.0.1" });
    expect(program.output.trim()).toBe(`listening on ws://127.0.0.1:${port}/`);
    await program.kill();
  });

  it.runIf(hasSignals).each(["SIGINT", "SIGTERM"] as const)(
    "closes with 1001 and exits 0 on %s",
    async (signal) => {
      const { program, host } = await listen(runtime, FILE);
      const client = await Client.connect(`ws://${host}`);
      const closed = client.closed();
      expect(await program.stop(signal), program.output).toBe(0);
      expect((await closed).code).toBe(1001);
    },
  );
});
