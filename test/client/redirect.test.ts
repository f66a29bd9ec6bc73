// Redirects: where each leads and what goes along, and connect() over them.

import type { ConnectOptions, IncomingUpgrade } from "sansws";
import { connect, HandshakeError, UsageError } from "sansws";
import type { HeaderField } from "sansws/core";
import { describe, expect, it } from "vitest";
import {
  type Hop,
  nextHop,
  redirect,
  resolveRedirect,
} from "../../adapters/host/client/redirect.ts";
import { parseTarget } from "../../adapters/host/client/target.ts";
import { Mailbox, open, start, startEcho } from "../contract/suite.ts";
import { refusal } from "./answers.ts";

const { keep } = resolveRedirect(true);

function hop(url: string, more: Partial<Hop> = {}): Hop {
  return { target: parseTarget(url), headers: [], tls: undefined, left: 5, ...more };
}

function redirectTo(location: string, status = 302): HandshakeError {
  return refusal(status, [["Location", location]]);
}

function follow(from: string, location: string): string {
  return nextHop(hop(from), redirectTo(location), keep).target.url.href;
}

describe("a redirect leads", () => {
  it.each([
    ["ws://a.test/x/y", "/z?q", "ws://a.test/z?q"],
    ["ws://a.test/x/y", "z", "ws://a.test/x/z"],
    ["ws://a.test/x?q", "?r", "ws://a.test/x?r"],
    ["ws://a.test/", "//b.test/z", "ws://b.test/z"],
    ["ws://a.test/", "ws://b.test:81/z", "ws://b.test:81/z"],
    ["ws://a.test/", "http://b.test/z", "http://b.test/z"],
    ["ws://a.test/", "wss://b.test/", "wss://b.test/"],
    ["wss://a.test/", "https://a.test/z", "https://a.test/z"],
    ["ws://a.test/", "/z#there", "ws://a.test/z"],
  ])("from %s by %s to %s", (from, location, to) => {
    expect(follow(from, location)).toBe(to);
  });

  it.each([301, 302, 303, 307, 308])("with status %i", (status) => {
    expect(nextHop(hop("ws://a.test/"), redirectTo("/z", status), keep).target.url.pathname).toBe(
      "/z",
    );
  });

  it("on the same unix socket", () => {
    const next = nextHop(hop("ws+unix:/a.sock:/x"), redirectTo("/y"), keep);
    expect(next.target).toMatchObject({ path: "/a.sock" });
    expect(next.target.url.pathname).toBe("/y");
  });
});

describe("a redirect is not followed", () => {
  it.each([
    ["wss://a.test/", "ws://a.test/", "it leads from wss: to ws:"],
    ["wss://a.test/", "http://b.test/", "it leads from wss: to ws:"],
    ["ws://a.test/", "ftp://b.test/", "its Location is not the URL of a WebSocket"],
    ["ws://a.test/", "ws+unix:/run/docker.sock:/", "its Location is not the URL of a WebSocket"],
    ["ws://a.test/", "http://[::1", "its Location is not the URL of a WebSocket"],
    ["ws+unix:/a.sock", "ws://b.test/", "it leads away from a unix socket"],
  ])("from %s to %s", (from, location, why) => {
    const failed = (): Hop => nextHop(hop(from), redirectTo(location), keep);
    expect(failed).toThrow(HandshakeError);
    expect(failed).toThrow(`302, not followed because ${why}`);
  });

  it("without a Location, or with two of them", () => {
    expect(() => nextHop(hop("ws://a.test/"), refusal(302), keep)).toThrow(
      "not the URL of a WebSocket",
    );
    const both = refusal(302, [["Location", "/a"], ["location", "/b"]]);
    expect(() => nextHop(hop("ws://a.test/"), both, keep)).toThrow("not the URL of a WebSocket");
  });

  it("beyond the bound, and has the answer then", () => {
    const failure = redirectTo("/z");
    const next = nextHop(hop("ws://a.test/", { left: 1 }), failure, keep);
    expect(next.left).toBe(0);
    expect(() => nextHop(next, failure, keep)).toThrow("there were too many in a row");
    expect(() => nextHop(next, failure, keep)).toThrow(
      expect.objectContaining({ answer: failure.answer }),
    );
  });

  it("when none is to be: what failed is thrown as it is", () => {
    const failure = redirectTo("/z");
    expect(() => nextHop(hop("ws://a.test/", { left: undefined }), failure, keep)).toThrow(failure);
  });

  it.each([
    ["another status", redirectTo("/z", 304)],
    ["another failure", new HandshakeError("answer-overdue")],
    ["another error", new Error("no way")],
  ])("for %s, which is thrown as it is", (_what, failure) => {
    expect(() => nextHop(hop("ws://a.test/"), failure, keep)).toThrow(failure);
  });
});

describe("what goes along", () => {
  const headers: readonly HeaderField[] = [
    ["Authorization", "Bearer secret"],
    ["Cookie", "a=b"],
    ["X-Api-Key", "secret"],
    ["User-Agent", "test"],
    ["Origin", "https://a.test"],
  ];
  const tls = {
    ca: "CA",
    cert: "CERT",
    key: "KEY",
    passphrase: "P",
    serverName: "a.test",
    alpnProtocols: ["http/1.1"],
  };

  it("to the same origin is everything", () => {
    const first = hop("wss://me:pass@a.test/", { headers, tls });
    for (
      const location of ["/z", "wss://a.test/z", "https://a.test:443/z", "wss://you:other@a.test/z"]
    ) {
      const next = nextHop(first, redirectTo(location), keep);
      expect(next.headers).toEqual(headers);
      expect(next.tls).toEqual(tls);
      expect([next.target.url.username, next.target.url.password]).toEqual(["me", "pass"]);
    }
  });

  it.each(["wss://b.test/", "wss://a.test:444/", "wss://sub.a.test/", "wss://you:other@b.test/"])(
    "to another origin is nothing that could be a secret: %s",
    (location) => {
      const next = nextHop(
        hop("wss://me:pass@a.test/", { headers, tls }),
        redirectTo(location),
        keep,
      );
      expect(next.headers.map(([name]) => name)).toEqual(["User-Agent", "Origin"]);
      expect(next.tls).toEqual({ ca: "CA", alpnProtocols: ["http/1.1"] });
      expect([next.target.url.username, next.target.url.password]).toEqual(["", ""]);
    },
  );

  it("from ws: to wss: of the same host is as to another origin", () => {
    const next = nextHop(
      hop("ws://me:pass@a.test/", { headers }),
      redirectTo("wss://a.test/"),
      keep,
    );
    expect(next.headers.map(([name]) => name)).toEqual(["User-Agent", "Origin"]);
    expect(next.target.url.username).toBe("");
  });

  it("does not come back with a redirect back", () => {
    const away = nextHop(
      hop("ws://me:pass@a.test/", { headers }),
      redirectTo("ws://b.test/"),
      keep,
    );
    const back = nextHop(away, redirectTo("ws://a.test/"), keep);
    expect(back.headers.map(([name]) => name)).toEqual(["User-Agent", "Origin"]);
    expect(back.target.url.username).toBe("");
  });

  it("has besides what the caller names", () => {
    const named = resolveRedirect({ keepHeaders: ["X-API-Key"] }).keep;
    const next = nextHop(hop("ws://a.test/", { headers }), redirectTo("ws://b.test/"), named);
    expect(next.headers.map(([name]) => name)).toEqual(["X-Api-Key", "User-Agent", "Origin"]);
  });
});

describe("resolveRedirect", () => {
  it("follows none by default, and five when asked to", () => {
    expect(resolveRedirect().max).toBeUndefined();
    expect(resolveRedirect(false).max).toBeUndefined();
    expect(resolveRedirect(true).max).toBe(5);
    expect(resolveRedirect({ max: 1 }).max).toBe(1);
  });

  it.each([{ max: 0 }, { max: 1.5 }, { max: NaN }, { most: 3 } as object])(
    "refuses %o",
    (options) => {
      expect(() => redirect(options, "redirect")).toThrow(UsageError);
    },
  );
});

describe("connect with redirect", () => {
  /** A server that redirects every request, and its URL. */
  async function startRedirect(
    location: () => string,
    seen?: Mailbox<IncomingUpgrade>,
  ): Promise<string> {
    const { url } = await start({
      upgrade: (request) => {
        seen?.put(request);
        return { status: 307, headers: { Location: location() } };
      },
    });
    return url;
  }

  const secrets: ConnectOptions = {
    headers: { Cookie: "a=b", "X-Api-Key": "secret" },
    protocols: ["chat"],
  };

  it("asks the other server, with the protocols and without the secrets", async () => {
    const seen = new Mailbox<IncomingUpgrade>();
    const target = await startEcho({
      upgrade: (request) => seen.put(request),
      protocols: ["chat"],
    });
    const from = (await startRedirect(() => target.url, seen)).replace("ws://", "ws://me:pass@");
    const socket = await open(from, { ...secrets, redirect: true });
    const [first, second] = await seen.takeAll(2);
    expect(["authorization", "cookie", "x-api-key"].map((name) => first!.headers.has(name)))
      .toEqual([
        true,
        true,
        true,
      ]);
    expect(["authorization", "cookie", "x-api-key"].map((name) => second!.headers.has(name)))
      .toEqual([
        false,
        false,
        false,
      ]);
    expect(socket.protocol).toBe("chat");
  });

  it("is asked for: without it the redirect is the answer", async () => {
    const from = await startRedirect(() => "ws://other.test/");
    await expect(connect(from)).rejects.toMatchObject({
      name: "HandshakeError",
      answer: { status: 307 },
    });
  });

  it("ends a loop", async () => {
    const seen = new Mailbox<IncomingUpgrade>();
    const from = await startRedirect(() => from, seen);
    await expect(connect(from, { redirect: { max: 3 } })).rejects.toThrow("too many in a row");
    expect(seen.all).toHaveLength(4);
  });

  it("needs a stream for each request", async () => {
    const stream = {
      readable: new ReadableStream<Uint8Array>(),
      writable: new WritableStream<Uint8Array>(),
    };
    await expect(connect("ws://a.test/", { redirect: true, stream })).rejects.toThrow(UsageError);
  });
});
