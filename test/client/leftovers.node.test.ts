// What is left of a client when it has given up: nothing, so that its process ends by itself, on
// each runtime.

import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { RUNTIMES } from "../processes.ts";
import { startProgram } from "../programs.ts";

/** Listens, and does with each connection what it is told. */
function listen(serve: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(
      0,
      "127.0.0.1",
      () => resolve(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    );
  });
}

describe.each(RUNTIMES)("a process on %s", (runtime) => {
  it("ends when it has given up connecting in every way", async () => {
    const silent = await listen((socket) => socket.resume());
    const refusing = await listen((socket) => {
      // An answer whose end never comes, on a connection that is never closed
      socket.once(
        "data",
        () => socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno!!!"),
      );
    });
    const program = startProgram(runtime, "test/client/give-up.ts", [silent, refusing]);
    expect(await program.exited).toBe(0);
    expect(program.output).toBe(`${"rejected\n".repeat(9)}1000\n`);
  });
});
