// The two programs the conformance suite is run against, on each runtime, with a stand-in for the
// suite: it speaks the suite's protocol over `ws` and has a few cases of its own. And the judgement
// of the suite's verdicts.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { RUNTIMES } from "../processes.ts";
import { startProgram } from "../programs.ts";
import { CASES, unexpected } from "./expected.ts";

describe.each(RUNTIMES)("on %s", (runtime) => {
  it("server.ts echoes with compression and ends on SIGINT", async () => {
    const server = startProgram(runtime, "test/autobahn/server.ts", [], { PORT: "0" });
    const [, port] = await server.line(/:(\d+)\/$/m);
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: { threshold: 0 } });
    await once(socket, "open");
    expect(socket.extensions).toBe("permessage-deflate");
    const text = "compressed ".repeat(100_000);
    socket.send(text);
    const [reply] = await once(socket, "message") as [unknown];
    expect(String(reply)).toBe(text);
    socket.close(1000);
    await once(socket, "close");
    expect(await server.stop("SIGINT"), server.output).toBe(0);
  });

  it("client.ts walks through all cases and asks for the report", async () => {
    const seen: string[] = [];
    const suite = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
    suite.on("connection", (socket, { url = "" }) => {
      seen.push(url);
      socket.on("message", (data) => socket.close(1000, String(data)));
      if (url === "/getCaseCount") {
        socket.send("3");
        socket.close();
      } else if (url.startsWith("/updateReports")) {
        socket.close();
      } else if (url.includes("case=2&")) {
        socket.terminate();
      } else {
        socket.send("echo me");
      }
    });
    await once(suite, "listening");
    const { port } = suite.address() as AddressInfo;
    const client = startProgram(runtime, "test/autobahn/client.ts", [
      `ws://127.0.0.1:${port}`,
      "an agent",
    ]);
    expect(await client.exited, client.output).toBe(0);
    suite.close();
    const agent = "agent=an%20agent";
    expect(seen).toEqual([
      "/getCaseCount",
      `/runCase?case=1&${agent}`,
      `/runCase?case=2&${agent}`,
      `/runCase?case=3&${agent}`,
      `/updateReports?${agent}`,
    ]);
  });
});

describe("unexpected", () => {
  const ok = { behavior: "OK", behaviorClose: "OK" };
  const all = Object.fromEntries(
    Array.from({ length: CASES - 3 }, (_, index) => [`9.${index}`, ok]),
  );
  const watched = { behavior: "INFORMATIONAL", behaviorClose: "INFORMATIONAL" };
  const good = { ...all, "7.1.6": watched, "7.13.1": watched, "7.13.2": watched };

  it("finds nothing in a report as it should be", () => {
    expect(unexpected(good)).toEqual([]);
  });

  it.each([
    ["a failed case", { ...good, "9.1": { behavior: "FAILED", behaviorClose: "OK" } }],
    ["a case that is not strict", {
      ...good,
      "9.1": { behavior: "NON-STRICT", behaviorClose: "OK" },
    }],
    ["an unclean end", { ...good, "9.1": { behavior: "OK", behaviorClose: "FAILED" } }],
    ["a case that is missing", all],
  ])("finds %s", (_, report) => {
    expect(unexpected(report)).toHaveLength(1);
  });
});
