// What a WebSocket has to send: in order, although the bytes of a Blob have to be awaited; and how
// much of it has not left yet (WHATWG WebSockets §3.1, "send" and "bufferedAmount").

import type { Socket } from "../socket/socket.ts";

const encoder = new TextEncoder();

/** The outgoing side of a WebSocket, from its first message to long after its end. */
export class Sending {
  #socket: Socket | undefined;
  /** The last message to be sent is behind a Blob that is being read. */
  #reading: Promise<void> | undefined;
  /**
   * Bytes of messages that were given to the socket before the current task, less those that are
   * known to have left.
   */
  #given = 0;
  /**
   * Bytes of messages since then, and of those that never left because the socket was not open any
   * more.
   */
  #waiting = 0;

  /** There is a socket to send to. */
  begin(socket: Socket): void {
    this.#socket = socket;
  }

  /** Bytes of messages that have not left yet; without what framing adds. */
  get bufferedAmount(): number {
    this.note();
    return this.#waiting + this.#given;
  }

  /**
   * Looks how much has left. After the end nobody knows: "it does not reset to zero once the
   * connection closes".
   */
  note(): void {
    if (this.#socket === undefined || this.#socket.state === "closed") return;
    this.#given = Math.min(this.#given, this.#socket.bufferedAmount);
  }

  /** The peer has answered the last that was sent, so all before it has left. */
  finish(): void {
    this.#given = 0;
  }

  /** Sends a message, behind those that wait; without an open socket it is only counted. */
  send(data: string | Blob | Uint8Array<ArrayBuffer>): void {
    if (data instanceof Blob) this.#sendBlob(data);
    else if (this.#reading === undefined) this.#submit(data);
    else this.#afterReading(() => this.#submit(data));
  }

  /** Begins the closing handshake behind the messages that wait. */
  close(code: number, reason: string): void {
    const close = (): void => this.#socket!.close(code, reason);
    if (this.#reading === undefined) close();
    else this.#afterReading(close);
  }

  // The bytes of a Blob have to be awaited; what is sent meanwhile waits behind it.
  #sendBlob(blob: Blob): void {
    this.#waiting += blob.size;
    this.#afterReading(async () => {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      this.#waiting -= bytes.length;
      this.#submit(bytes);
    });
  }

  #afterReading(action: () => void | Promise<void>): void {
    const reading = (this.#reading ?? Promise.resolve()).then(action).catch((error: unknown) =>
      console.error(error)
    )
      .finally(() => {
        if (this.#reading === reading) this.#reading = undefined;
      });
    this.#reading = reading;
  }

  #submit(data: string | Uint8Array<ArrayBuffer>): void {
    const size = typeof data === "string" ? encoder.encode(data).length : data.length;
    this.#waiting += size;
    if (this.#socket === undefined || this.#socket.send(data) === "dropped") return;
    // "It does not decrease before the event loop goes on": from then on the socket knows what
    // still waits.
    setImmediate(() => {
      this.#waiting -= size;
      this.note();
      this.#given += size;
    });
  }
}
