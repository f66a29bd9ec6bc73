// Both handshakes against each other: what one writes the other reads, at every cut, and the
// connections understand each other.

import { describe, expect, it } from "vitest";
import { ClientHandshake } from "../../../core/handshake/client.ts";
import { HANDSHAKE_FAULTS, type HandshakeFault } from "../../../core/handshake/faults.ts";
import { ServerHandshake } from "../../../core/handshake/server.ts";
import { ANSWERS } from "../../vectors/handshake-answers.ts";
import { REQUESTS } from "../../vectors/handshake-requests.ts";
import { cuts, join, receiveAll } from "../support.ts";
import { field, NO_CODEC, takeMessage, URL_PARTS } from "./support.ts";

describe("ClientHandshake and ServerHandshake", () => {
  it("open connections that understand each other, bytes with the heads included, at any cut", async () => {
    const probe = await ClientHandshake.create(URL_PARTS, { protocols: ["a"] }, 0);
    const requestLength = join(probe.takeOutput()).length;
    for (const { name, chunks } of cuts(new Uint8Array(requestLength))) {
      const client = await ClientHandshake.create(URL_PARTS, { protocols: ["a"] }, 0);
      const server = new ServerHandshake({}, 0);
      const bytes = join(client.takeOutput());
      let at = 0;
      for (const { length } of chunks) server.receive(bytes.slice(at, at += length), 0);
      const serverSide = await server.accept({ protocol: "a", headers: { "X-A": "1" } });
      // The server's first message leaves with the 101, as hosts do.
      serverSide.connection.sendText("first");
      const answer = join([...server.takeOutput(), ...serverSide.connection.takeOutput()]);
      const clientSide = client.receive(answer, 0);
      expect(clientSide?.protocol, name).toBe("a");
      expect(receiveAll(clientSide!.connection, [clientSide!.rest]), name).toEqual([{
        type: "text",
        data: "first",
      }]);
      clientSide!.connection.sendBinary(Uint8Array.of(1, 2, 3));
      const [event] = receiveAll(serverSide.connection, clientSide!.connection.takeOutput());
      expect(event, name).toEqual({ type: "binary", data: Uint8Array.of(1, 2, 3) });
    }
  });

  it("agree on no extension unless both want it", async () => {
    const client = await ClientHandshake.create(URL_PARTS, {}, 0);
    const server = new ServerHandshake({}, 0);
    server.receive(join(client.takeOutput()), 0);
    expect((await server.accept()).extensions).toBe("");
    expect(client.receive(join(server.takeOutput()), 0)?.extensions).toBe("");
  });

  it("agree on permessage-deflate where both want it, and only there", async () => {
    const deflate = { codec: NO_CODEC };
    for (const wanted of [true, false]) {
      const client = await ClientHandshake.create(URL_PARTS, { deflate }, 0);
      const server = new ServerHandshake(wanted ? { deflate } : {}, 0);
      server.receive(join(client.takeOutput()), 0);
      const { extensions } = await server.accept();
      const answer = takeMessage(server);
      expect(extensions).toBe(wanted ? "permessage-deflate; server_max_window_bits=12" : "");
      // Absent, not empty: Safari fails on an empty one.
      expect(field(answer, "Sec-WebSocket-Extensions")).toBe(wanted ? extensions : undefined);
    }
  });

  it("tell the client what the server rejected it with", async () => {
    const client = await ClientHandshake.create(URL_PARTS, {}, 0);
    const server = new ServerHandshake({}, 0);
    server.receive(join(client.takeOutput()), 0);
    server.reject(403, { "X-Reason": "full" }, "come back later");
    for (const chunk of server.takeOutput()) client.receive(chunk, 0);
    expect(client.failure?.answer).toMatchObject({ status: 403, statusText: "Forbidden" });
    expect(client.failure?.answer?.headers).toContainEqual(["X-Reason", "full"]);
    expect(new TextDecoder().decode(client.failure?.answer?.body)).toBe("come back later");
  });
});

describe("HANDSHAKE_FAULTS", () => {
  // What no head can break: the faults of time, of the transport's end, and of bytes behind a head.
  // They have tests by name.
  const ELSEWHERE: readonly HandshakeFault[] = [
    "request-overdue",
    "request-incomplete",
    "decision-overdue",
    "early-data-too-large",
    "chunk-malformed",
    "status-not-101",
    "answer-overdue",
    "answer-incomplete",
  ];

  it("has a vector for every row", () => {
    const covered = new Set<string>([
      ...ELSEWHERE,
      ...REQUESTS.map((row) => row.outcome),
      ...ANSWERS.map((row) => row.outcome),
    ]);
    expect(Object.keys(HANDSHAKE_FAULTS).filter((fault) => !covered.has(fault))).toEqual([]);
  });

  // RFC 9110 §15.5 and §15.6, RFC 6585 §5: all others are a 400, or a client's.
  const BY_STATUS: Readonly<Record<number, readonly HandshakeFault[]>> = {
    405: ["method-not-get"],
    408: ["request-overdue"],
    414: ["request-line-too-long"],
    426: ["upgrade-missing", "version-missing", "version-unsupported"],
    431: ["head-too-large", "line-too-long", "too-many-fields"],
    501: ["transfer-encoding-unsupported"],
    503: ["decision-overdue"],
    505: ["http-version-unsupported"],
  };

  it("has another status than 400 just where HTTP has one for it", () => {
    const special = Object.entries(HANDSHAKE_FAULTS).filter(([, { status }]) =>
      status !== undefined && status !== 400
    );
    const expected = Object.entries(BY_STATUS).flatMap(([status, faults]) =>
      faults.map((fault) => `${fault} ${status}`)
    );
    expect(special.map(([fault, { status }]) => `${fault} ${status}`).sort()).toEqual(
      expected.sort(),
    );
  });

  it.each(Object.entries(HANDSHAKE_FAULTS))(
    "%s names a section and an error status, or is a client's",
    (fault, rule) => {
      expect(rule.section).toMatch(/^RFC \d{4} §\d+(\.\d+)*$/);
      expect(rule.message).toMatch(/^\w.*[^.]$/);
      const asked = REQUESTS.some(({ outcome }) => outcome === fault);
      if (asked) expect(rule.status).toBeGreaterThanOrEqual(400);
      if (rule.status !== undefined) {
        expect([400, 405, 408, 414, 426, 431, 501, 503, 505]).toContain(rule.status);
      }
    },
  );
});
