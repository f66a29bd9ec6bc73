// Both handshakes against each other: what one writes the other reads, at every cut, and the
// connections understand each other.

import { describe, expect, it } from "vitest";
import { HANDSHAKE_FAULTS, type HandshakeFault } from "../../../core/faults.ts";
import type { ClientHandshakeEvent } from "../../../core/handshake/client.ts";
import { ServerHandshake } from "../../../core/handshake/server.ts";
import { ANSWERS } from "../../vectors/handshake-answers.ts";
import { REQUESTS, SAMPLE_ACCEPT } from "../../vectors/handshake-requests.ts";
import { cuts, join, receiveAll, takeBytes } from "../support.ts";
import { clientHandshake, failureOf, field, NO_CODEC, takeMessage } from "./support.ts";

type OpenedEvent = ClientHandshakeEvent & { readonly type: "opened"; };

describe("ClientHandshake and ServerHandshake", () => {
  it("open connections that understand each other, bytes with the heads included, at any cut", () => {
    const requestLength = takeBytes(clientHandshake({ protocols: ["a"] })).length;
    for (const { name, chunks } of cuts(new Uint8Array(requestLength))) {
      const client = clientHandshake({ protocols: ["a"] });
      const server = new ServerHandshake({}, 0);
      const bytes = takeBytes(client);
      let at = 0;
      for (const { length } of chunks) server.receive(bytes.slice(at, at += length), 0);
      const choice = { protocol: "a", headers: { "X-A": "1" } };
      const serverSide = server.accept(choice, SAMPLE_ACCEPT)!;
      // The server's first message leaves with the 101, as hosts do.
      serverSide.connection.sendText("first");
      const answer = [...server.takeOutput(), ...serverSide.connection.takeOutput()];
      const [clientSide] = client.receive(join(answer), 0) as readonly [OpenedEvent];
      expect(clientSide.protocol, name).toBe("a");
      expect(clientSide.headers.get("x-a"), name).toBe("1");
      const first = receiveAll(clientSide.connection, [clientSide.rest]);
      expect(first, name).toEqual([{ type: "text", data: "first" }]);
      clientSide.connection.sendBinary(Uint8Array.of(1, 2, 3));
      const [event] = receiveAll(serverSide.connection, clientSide.connection.takeOutput());
      expect(event, name).toEqual({ type: "binary", data: Uint8Array.of(1, 2, 3) });
    }
  });

  it("agree on permessage-deflate where both want it, and only there", () => {
    const deflate = { codec: NO_CODEC };
    for (const [offered, wanted] of [[true, true], [true, false], [false, true], [false, false]]) {
      const client = clientHandshake(offered ? { deflate } : {});
      const server = new ServerHandshake(wanted ? { deflate } : {}, 0);
      server.receive(takeBytes(client), 0);
      const { extensions } = server.accept({}, SAMPLE_ACCEPT)!;
      const bytes = takeBytes(server);
      const both = offered && wanted;
      expect(extensions).toBe(both ? "permessage-deflate; server_max_window_bits=12" : "");
      expect(client.receive(bytes.slice(), 0)).toMatchObject([{ type: "opened", extensions }]);
      // Absent, not empty: Safari fails on an empty one.
      const answer = takeMessage({ takeOutput: () => [bytes] });
      expect(field(answer, "Sec-WebSocket-Extensions")).toBe(both ? extensions : undefined);
    }
  });

  it("tell the client what the server rejected it with", () => {
    const client = clientHandshake();
    const server = new ServerHandshake({}, 0);
    server.receive(takeBytes(client), 0);
    server.reject(403, { "X-Reason": "full" }, "come back later");
    const answer = failureOf(receiveAll(client, server.takeOutput()))?.answer;
    expect(answer).toMatchObject({ status: 403, statusText: "Forbidden" });
    expect(answer?.headers.get("x-reason")).toBe("full");
    expect(answer?.text()).toBe("come back later");
  });
});

describe("HANDSHAKE_FAULTS", () => {
  // No head alone can break these: time, the transport's end, bytes behind a head. They have tests by
  // name.
  const ELSEWHERE: readonly HandshakeFault[] = [
    "request-overdue",
    "request-incomplete",
    "decision-overdue",
    "early-data-too-large",
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

  // RFC 9110 §15.5 and §15.6, RFC 6585 §5. All others are a 400, or a client's.
  const BY_STATUS: Readonly<Record<number, readonly HandshakeFault[]>> = {
    405: ["method-not-get", "method-not-allowed"],
    408: ["request-overdue"],
    414: ["request-line-too-long"],
    426: ["upgrade-http-version", "upgrade-missing", "version-missing", "version-unsupported"],
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
