// ClientHandshake beyond the table of answers: its arguments, the connection it opens, what it keeps of
// an answer that is no 101, time, and the end of the transport.

import { describe, expect, it } from "vitest";
import { ClientHandshake } from "../../../core/handshake/client.ts";
import { acceptKey, createKey } from "../../../core/handshake/key.ts";
import { answer } from "../../vectors/handshake-answers.ts";
import { SAMPLE_ACCEPT, SAMPLE_KEY } from "../../vectors/handshake-requests.ts";
import { chop, cuts, frame, pattern, readFrames, receiveAll, takeBytes } from "../support.ts";
import {
  clientHandshake,
  failureOf,
  field,
  latin1,
  takeMessage,
  takeText,
  toLatin1,
  URL_PARTS,
} from "./support.ts";

const DEADLINE = 10_000;
const GOOD = answer(`Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`);

describe("ClientHandshake", () => {
  it("opens for the answer to a fresh key", async () => {
    const key = createKey();
    const accept = await acceptKey(key);
    const handshake = new ClientHandshake(URL_PARTS, { key, accept }, 0);
    expect(field(takeMessage(handshake), "Sec-WebSocket-Key")).toBe(key);
    const events = handshake.receive(latin1(answer(`Sec-WebSocket-Accept: ${accept}`)), 0);
    expect(events).toMatchObject([{ type: "opened", connection: { state: "open" } }]);
  });

  it("wants the accept value that it is given, whatever its key", () => {
    const handshake = clientHandshake({ accept: "abc" });
    expect(failureOf(handshake.receive(latin1(GOOD), 0))?.fault).toBe("accept-wrong");
    const other = clientHandshake({ accept: "abc" });
    const events = other.receive(latin1(answer("Sec-WebSocket-Accept: abc")), 0);
    expect(events).toMatchObject([{ type: "opened" }]);
  });

  it("takes key and accept of each handshake from options that are used again", () => {
    const options = { key: SAMPLE_KEY, accept: "first" };
    new ClientHandshake(URL_PARTS, options, 0);
    options.key = "AAAAAAAAAAAAAAAAAAAAAA==";
    options.accept = "second";
    const handshake = new ClientHandshake(URL_PARTS, options, 0);
    expect(field(takeMessage(handshake), "Sec-WebSocket-Key")).toBe(options.key);
    const events = handshake.receive(latin1(answer("Sec-WebSocket-Accept: second")), 0);
    expect(events).toMatchObject([{ type: "opened" }]);
  });

  it("has its request in the output from the start", () => {
    const handshake = clientHandshake();
    expect(handshake).toMatchObject({ outputEnded: false, expired: false });
    const { pendingOutput } = handshake;
    expect(pendingOutput).toBe(takeText(handshake).length);
    expect(pendingOutput).toBeGreaterThan(100);
    expect(handshake.pendingOutput).toBe(0);
  });

  it("opens a client's connection, with the options of the handshake", () => {
    const handshake = clientHandshake({
      limits: { maxMessageSize: 4 },
      timeouts: { pingInterval: 100 },
      text: "bytes",
    });
    const [event] = handshake.receive(latin1(GOOD), 500);
    if (event?.type !== "opened") return expect.unreachable();
    const { connection } = event;
    expect(connection.deadline).toBe(600);
    connection.sendText("masked");
    expect(readFrames(takeBytes(connection))).toMatchObject([
      { masked: true, payload: latin1("masked") },
    ]);
    expect(connection.receive(frame("server", 0x81, "four"), 500)).toEqual([
      { type: "utf8", data: latin1("four") },
    ]);
    connection.receive(frame("server", 0x82, pattern(5)), 500);
    expect(connection.closeSent?.code).toBe(1009);
  });

  it("shows the fields of the 101", () => {
    const [event] = clientHandshake().receive(
      latin1(answer(`Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`, "Set-Cookie: a=1")),
      0,
    );
    if (event?.type !== "opened") return expect.unreachable();
    expect([...event.headers].at(-1)).toEqual(["Set-Cookie", "a=1"]);
  });
});

describe("ClientHandshake, an answer that is no 101", () => {
  const ROWS = [
    ["a length", "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\n", "no!\n"],
    ["no body", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\r\n\r\n", ""],
    [
      "chunks",
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n2;x\r\n!\n\r\n0\r\nA: 1\r\n\r\n",
      "no!\n",
    ],
    [
      "a fault in its chunks",
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nnope",
      "no",
    ],
    ["204", "HTTP/1.1 204 No Content\r\n\r\n", ""],
    [
      "informational answers before it",
      "HTTP/1.1 102 \r\n\r\nHTTP/1.1 500 \r\nContent-Length: 1\r\n\r\nx",
      "x",
    ],
  ] as const;

  it.each(ROWS)("fails with the whole of it, at any cut: %s", (_, wire, body) => {
    const status = Number(wire.match(/HTTP\/1.1 ([2-5]\d\d)/)![1]);
    for (const { name, chunks } of cuts(latin1(wire))) {
      const handshake = clientHandshake();
      const events = receiveAll(handshake, chunks);
      expect(events, name).toMatchObject([{ type: "failed", error: { answer: { status } } }]);
      const error = failureOf(events)!;
      expect(error.fault, name).toBe("status-not-101");
      expect(toLatin1(error.answer!.body), name).toBe(body);
      expect(handshake, name).toMatchObject({ outputEnded: true, expired: true });
    }
  });

  it("says the status in the message where there is no phrase", () => {
    const answer = latin1("HTTP/1.1 403 \r\nContent-Length: 0\r\n\r\n");
    expect(failureOf(clientHandshake().receive(answer, 0))?.message).toMatch(/: 403 \(/);
  });

  it("says status and phrase in the message, and keeps headers and body", () => {
    const error = failureOf(
      clientHandshake().receive(
        latin1(
          "HTTP/1.1 401 Who are you\r\nWWW-Authenticate: Basic\r\nContent-Length: 3\r\n\r\n\xc3\xa9\xff",
        ),
        0,
      ),
    )!;
    expect(error.message).toContain("401 Who are you");
    expect(error.answer).toMatchObject({ status: 401, statusText: "Who are you" });
    expect(error.answer!.headers.get("www-authenticate")).toBe("Basic");
    expect([...error.answer!.headers]).toHaveLength(2);
    expect(error.answer!.text()).toBe("\u00e9\ufffd");
  });

  it.each(["end", "deadline"])("fails with what there is of a body at the %s", (by) => {
    const handshake = clientHandshake();
    expect(handshake.receive(latin1("HTTP/1.0 502 Bad Gateway\r\n\r\n<html>"), 0)).toEqual([]);
    expect(handshake).toMatchObject({ outputEnded: false, expired: false, deadline: DEADLINE });
    const error = failureOf(by === "end" ? handshake.receiveEnd(1) : handshake.tick(DEADLINE));
    expect(error?.fault).toBe("status-not-101");
    expect(error?.answer?.text()).toBe("<html>");
  });

  it.each([1000, 65_536, 1_000_000])(
    "keeps 64 KiB of a body without end, in chunks of %d",
    (size) => {
      const handshake = clientHandshake();
      const body = pattern(1_000_000);
      handshake.receive(latin1("HTTP/1.1 200 OK\r\n\r\n"), 0);
      const answer = failureOf(receiveAll(handshake, chop(body, size)))?.answer;
      expect(answer?.body).toEqual(body.slice(0, 65_536));
      expect(answer?.body.buffer.byteLength).toBe(65_536);
    },
  );

  it("fails as soon as it has 64 KiB of a body", () => {
    const handshake = clientHandshake();
    handshake.receive(latin1("HTTP/1.1 200 OK\r\n\r\n"), 0);
    expect(handshake.receive(pattern(65_535), 0)).toEqual([]);
    expect(failureOf(handshake.receive(pattern(1), 0))?.fault).toBe("status-not-101");
  });

  it("ignores a 101 that follows another final answer", () => {
    const refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    const events = clientHandshake().receive(latin1(refusal + GOOD), 0);
    expect(events).toHaveLength(1);
    expect(failureOf(events)?.answer?.status).toBe(403);
  });
});

describe("ClientHandshake, time and the end of the transport", () => {
  it("has the deadline of the handshake, and acts on it when it has passed", () => {
    const handshake = clientHandshake({ timeouts: { handshake: 50 } }, 1000);
    expect(handshake.deadline).toBe(1050);
    expect(handshake.tick(1049)).toEqual([]);
    expect(handshake).toMatchObject({ outputEnded: false, expired: false, deadline: 1050 });
    expect(failureOf(handshake.tick(1050))?.fault).toBe("answer-overdue");
    expect(handshake).toMatchObject({ outputEnded: true, expired: true, deadline: Infinity });
  });

  it("counts the time for the answer from `begin`, where it is called", () => {
    const handshake = clientHandshake({ timeouts: { handshake: 50 } }, 1000);
    handshake.begin(1040);
    expect(handshake.deadline).toBe(1090);
    expect(failureOf(handshake.tick(1090))?.fault).toBe("answer-overdue");
    handshake.begin(1100);
    expect(handshake.deadline).toBe(Infinity);
  });

  it.each(["", "HTTP/1.1 101 Switching Protocols\r\n"])(
    "fails at the end of the transport after %j",
    (text) => {
      const handshake = clientHandshake();
      handshake.receive(latin1(text), 0);
      const error = failureOf(handshake.receiveEnd(1))!;
      expect(error.fault).toBe("answer-incomplete");
      expect("cause" in error).toBe(false);
      expect(handshake).toMatchObject({ outputEnded: true, expired: true, deadline: Infinity });
    },
  );

  it("says what the transport said about its end", () => {
    const cause = new Error("connection refused");
    const error = failureOf(clientHandshake().receiveEnd(1, cause))!;
    expect(error.cause).toBe(cause);
    expect(error.message).toContain(": connection refused (");
  });

  it("does nothing after its end, whatever comes", () => {
    const opened = clientHandshake();
    opened.receive(latin1(GOOD), 0);
    const failed = clientHandshake();
    failed.receive(latin1("SSH"), 0);
    for (const handshake of [opened, failed]) {
      takeText(handshake);
      const { outputEnded, expired } = handshake;
      expect(handshake.receive(latin1(GOOD), 1)).toEqual([]);
      expect(handshake.receiveEnd(2)).toEqual([]);
      expect(handshake.tick(DEADLINE * 2)).toEqual([]);
      expect(handshake).toMatchObject({ outputEnded, expired, deadline: Infinity });
      expect(takeText(handshake)).toBe("");
    }
  });
});
