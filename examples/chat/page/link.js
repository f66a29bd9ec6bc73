// A WebSocket that reconnects. The pauses grow and are random, so that not all pages come back at
// once after a restart of the server. main.js has the messages.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** Milliseconds for opening; a server that does not answer in that time counts as gone. */
const PATIENCE = 8_000;

export class Link {
  #url;
  #handlers;
  #socket;
  #attempts = 0;
  #timer;

  /**
   * @param url a function that returns the address, called for each attempt
   * @param handlers `connecting()`, `open()`, `message(text)`, and `lost({ reason, milliseconds })`
   *   before each pause
   */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    addEventListener("online", () => this.retry());
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects now; does nothing when the socket is open or opening. */
  retry() {
    if (this.#socket !== undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Returns whether it could be sent. */
  send(message) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #connect() {
    this.#handlers.connecting();
    const socket = this.#socket = new WebSocket(this.#url());
    this.#timer = setTimeout(() => this.#lose(socket, ""), PATIENCE);
    socket.addEventListener("open", () => {
      clearTimeout(this.#timer);
      this.#attempts = 0;
      this.#handlers.open();
    });
    socket.addEventListener("message", ({ data }) => this.#handlers.message(data));
    socket.addEventListener("close", ({ reason }) => this.#lose(socket, reason));
  }

  // A socket that was given up may close much later, when another one is in use.
  #lose(socket, reason) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#socket = undefined;
    socket.close();
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#attempts++);
    const milliseconds = longest * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#connect(), milliseconds);
    this.#handlers.lost({ reason, milliseconds });
  }
}
