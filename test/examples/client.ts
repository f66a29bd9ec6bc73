// A client of another make for the examples: `ws`, with what it heard in order.

import { once } from "node:events";
import { WebSocket } from "ws";

/** What a `ws` client hears, to be waited for. */
export class Client {
  readonly socket: WebSocket;
  readonly #heard: (string | Buffer)[] = [];
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer, binary: boolean) => {
      this.#heard.push(binary ? data : data.toString());
      this.#wake();
    });
    socket.on("close", () => this.#wake());
  }

  /** Connects; rejects when the server does not open a WebSocket. */
  static async connect(url: string, origin?: string): Promise<Client> {
    const client = new Client(new WebSocket(url, origin === undefined ? {} : { origin }));
    await once(client.socket, "open");
    return client;
  }

  send(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** The next message. */
  async next(): Promise<string | Buffer> {
    while (this.#heard.length === 0) {
      if (this.socket.readyState === WebSocket.CLOSED) {
        throw new Error("the socket closed before the next message");
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#heard.shift()!;
  }

  /** Resolves with the code and reason with which the socket is closed. */
  async closed(): Promise<{ code: number; reason: string; }> {
    const [code, reason] = await once(this.socket, "close") as [number, Buffer];
    return { code, reason: reason.toString() };
  }
}
