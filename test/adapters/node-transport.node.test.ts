// What a write tells on Node when the socket is gone already, of which the transport hears only
// when the event loop goes on.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { NodeTransport } from "../../adapters/node/transport.ts";

it("NodeTransport.write asks a sender to wait once the socket is destroyed, so that its end can be told", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void listener.close());
  await once(listener, "listening");
  connect((listener.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = await once(listener, "connection") as [Socket];
  const transport = new NodeTransport(socket);
  const closed = new Promise<Error | undefined>((resolve) => {
    transport.attach({ received() {}, ended() {}, drained() {}, closed: resolve });
  });
  expect(transport.write([new Uint8Array(1024)])).toBe(true);
  socket.destroy();
  expect(transport.write([new Uint8Array(1024)])).toBe(false);
  expect(await closed).toBeUndefined();
});
