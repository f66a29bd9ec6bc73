// The messages that a WebSocket has to send (WHATWG WebSockets §3.1, "send" and "bufferedAmount"):
// in order, although the bytes of a Blob must be awaited, and with a count of those that have not
// left. websocket.ts checks the arguments.

import type { Socket } from "../host/socket/socket.ts";

const encoder = new TextEncoder();

/** The output of a WebSocket, from its first message until after its end. */
export class Sending {
  #socket: Socket | undefined;
  /** Set while the next message must wait behind a Blob that is being read. */
  #reading: Promise<void> | undefined;
  /** Bytes given to the socket before the current task, less those that are known to have left. */
  #given = 0;
  /** Bytes given since then, and those never sent because the socket was not open any more. */
  #waiting = 0;

  /** The socket is open. */
  begin(socket: Socket): void {
    this.#socket = socket;
  }

  /** Bytes of messages that have not left yet, without the bytes of framing. */
  get bufferedAmount(): number {
    this.note();
    return this.#waiting + this.#given;
  }

  /** Notes what has left. After the end: "it does not reset to zero once the connection closes". */
  note(): void {
    if (this.#socket === undefined || this.#socket.state === "closed") return;
    this.#given = Math.min(this.#given, this.#socket.bufferedAmount);
  }

  /** The peer has answered the Close frame, so everything before it has left. */
  finish(): void {
    this.#given = 0;
  }

  /** Sends a message behind those that wait; without an open socket it is only counted. */
  send(data: string | Blob | Uint8Array<ArrayBuffer>): void {
    if (data instanceof Blob) this.#sendBlob(data);
    else this.#inOrder(() => this.#submit(data));
  }

  /** Begins the closing handshake behind the messages that wait. */
  close(code: number, reason: string): void {
    this.#inOrder(() => this.#socket!.close(code, reason));
  }

  #sendBlob(blob: Blob): void {
    this.#waiting += blob.size;
    this.#afterReading(async () => {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      this.#waiting -= bytes.length;
      this.#submit(bytes);
    });
  }

  #inOrder(action: () => void): void {
    if (this.#reading === undefined) action();
    else this.#afterReading(action);
  }

  #afterReading(action: () => void | Promise<void>): void {
    const done = (): void => {
      if (this.#reading === reading) this.#reading = undefined;
    };
    const last = this.#reading ?? Promise.resolve();
    const reading = last.then(action).catch((error: unknown) => console.error(error)).finally(done);
    this.#reading = reading;
  }

  #submit(data: string | Uint8Array<ArrayBuffer>): void {
    const size = typeof data === "string" ? encoder.encode(data).length : data.length;
    this.#waiting += size;
    if (this.#socket === undefined || this.#socket.send(data) === "dropped") return;
    // "It does not decrease before the event loop goes on": from then on the socket counts.
    setImmediate(() => {
      this.#waiting -= size;
      this.note();
      this.#given += size;
    });
  }
}
