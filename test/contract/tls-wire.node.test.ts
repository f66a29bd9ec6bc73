// A TLS option that is accepted is honoured on the wire. One that a runtime lacks is refused by
// name. Each option, in both roles, on each runtime: what the peer sees of it.

import { networkInterfaces } from "node:os";
import type { ConnectOptions, TlsClientOptions, TlsServerOptions } from "sansws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS, Program, RUNTIMES } from "../processes.ts";
import { type Certificates, hasOpenssl, makeCertificates } from "./certificates.ts";
import { socketPath } from "./suite.ts";
import type { Order, Result } from "./tls-agent.ts";
import { listenAsProxy, listenForHello, listenForTls, look, order } from "./tls-wire.ts";

const { ca, server, client, stranger, encrypted } =
  (hasOpenssl ? makeCertificates() : {}) as Certificates;
const hasIPv6 = Object.values(networkInterfaces()).flat().some((each) => each?.family === "IPv6");

const TLS12 = 0x0303;
const TLS13 = 0x0304;
const LONG = "x".repeat(256);
const REFUSED = { error: "ConnectError" };
const USAGE = "UsageError";

type Row<Expected> = readonly [rule: string, tls: TlsClientOptions, expected: Expected];

describe.runIf(hasOpenssl).each(RUNTIMES)("TLS on the wire: %s", (runtime) => {
  const program = new Program([...COMMANDS[runtime], "test/contract/tls-agent.ts"]);
  let control = 0;
  beforeAll(async () => {
    control = await program.takeJson();
  });
  afterAll(() => program.kill());

  const tell = (what: Order): Promise<Result> => order(program, control, what);
  const connect = (url: string, options: ConnectOptions): Promise<Result> =>
    tell({ connect: url, options });
  const lacks = (option: string): object => ({
    error: USAGE,
    message: expect.stringContaining(`${runtime} has no support for tls.${option}`),
  });
  /** What a runtime that lacks the option says, and what comes of it on the others. */
  const unlessDeno = <T>(option: string, expected: T): T | object =>
    runtime === "Deno" ? lacks(option) : expected;

  describe("a ClientHello", () => {
    it("offers TLS 1.3 and 1.2, http/1.1 and the name of the host, by default", async () => {
      const { port, hello } = await listenForHello("localhost");
      await connect(`wss://localhost:${port}/`, {});
      expect(await hello).toEqual({
        names: ["localhost"],
        protocols: ["http/1.1"],
        versions: [TLS13, TLS12],
      });
    });

    it.each(["127.0.0.1", ...hasIPv6 ? ["::1"] : []])(
      "names no address (RFC 6066 §3): %s",
      async (address) => {
        const { port, hello } = await listenForHello(address);
        const host = address.includes(":") ? `[${address}]` : address;
        await connect(`wss://${host}:${port}/`, {});
        expect((await hello).names).toBeUndefined();
      },
    );

    it.each([["localhost", ["localhost"]], ["127.0.0.1", undefined]] as const)(
      "behind a proxy has the name of the target, and no address: %s",
      async (host, names) => {
        const { port, hello } = await listenForHello("127.0.0.1");
        const proxy = await listenAsProxy("127.0.0.1", { port, host: "127.0.0.1" });
        await connect(`wss://${host}:1/`, { proxy });
        expect((await hello).names).toEqual(names);
      },
    );

    it.each(
      [
        ["serverName", { serverName: "server.test" }, ["server.test"]],
        ["serverName without a trailing dot", { serverName: "server.test." }, ["server.test"]],
        ["no serverName that is an address", { serverName: "127.0.0.2" }, undefined],
        ["no serverName that is an IPv6 address", { serverName: "::1" }, undefined],
      ] satisfies Row<string[] | undefined>[],
    )("has %s", async (_, tls, names) => {
      const { port, hello } = await listenForHello("127.0.0.1");
      await connect(`wss://127.0.0.1:${port}/`, { tls });
      expect((await hello).names).toEqual(names);
    });

    it.each(
      [
        ["alpnProtocols in order", { alpnProtocols: ["z", "http/1.1", "a"] }, [
          "z",
          "http/1.1",
          "a",
        ]],
        ["alpnProtocols of 255 bytes", { alpnProtocols: [LONG.slice(1)] }, [LONG.slice(1)]],
        ["no protocols for an empty list", { alpnProtocols: [] }, undefined],
      ] satisfies Row<string[] | undefined>[],
    )("has %s", async (_, tls, protocols) => {
      for (const proxied of [false, true]) {
        const { port, hello } = await listenForHello("127.0.0.1");
        const proxy = proxied && await listenAsProxy("127.0.0.1", { port, host: "127.0.0.1" });
        await connect(`wss://127.0.0.1:${port}/`, { tls, proxy });
        expect((await hello).protocols).toEqual(protocols);
      }
    });

    it.each(
      [
        ["serverName", { serverName: "a b" }],
        ["serverName", { serverName: "*.test" }],
        ["serverName", { serverName: "bücher.test" }],
        ["serverName", { serverName: "1::2::3" }],
        ["alpnProtocols", { alpnProtocols: [LONG] }],
      ] satisfies [string, TlsClientOptions][],
    )("is never sent with what TLS cannot carry: %s %j", async (name, tls) => {
      for (const proxy of [false, "http://127.0.0.1:1"] as const) {
        const result = await connect("wss://127.0.0.1:1/", { tls, proxy });
        expect(result).toMatchObject({ error: USAGE });
        expect(result).toMatchObject({ message: expect.stringContaining(`tls.${name}`) });
      }
    });
  });

  describe("a client", () => {
    it.each(
      [
        ["trusts ca", { ca }, "open"],
        ["trusts each ca of a list", { ca: [stranger.cert, ca] }, "open"],
        ["trusts each ca of a text", { ca: stranger.cert + ca }, "open"],
        ["trusts no server without its ca", {}, REFUSED],
        ["trusts no server of another ca", { ca: stranger.cert }, REFUSED],
        [
          "trusts any server: rejectUnauthorized",
          { rejectUnauthorized: false },
          unlessDeno("rejectUnauthorized", "open"),
        ],
        ["checks serverName", { ca, serverName: "server.test" }, "open"],
        ["checks serverName without its dot", { ca, serverName: "server.test." }, "open"],
        ["checks serverName, not the host", { ca, serverName: "other.test" }, REFUSED],
        ["checks a serverName that is an address", { ca, serverName: "::1" }, "open"],
        ["checks the address in serverName", { ca, serverName: "127.0.0.2" }, REFUSED],
      ] satisfies Row<unknown>[],
    )("%s", async (_, tls, expected) => {
      const { port } = await listenForTls(server);
      const result = await connect(`wss://127.0.0.1:${port}/`, { tls });
      if (expected === "open") expect(result).toBe("open");
      else expect(result).toMatchObject(expected as object);
    });

    it("checks the address of its URL", async () => {
      const { port } = await listenForTls(server, { host: "127.0.0.2" });
      const url = `wss://127.0.0.2:${port}/`;
      expect(await connect(url, { tls: { ca } })).toMatchObject(REFUSED);
      expect(await connect(url, { tls: { ca, serverName: "127.0.0.1" } })).toBe("open");
    });

    it("behind a proxy checks the address of its URL, not that of the proxy", async () => {
      const { port } = await listenForTls(server);
      const through = async (host: string, url: string): Promise<Result> => {
        const proxy = await listenAsProxy(host, { port, host: "127.0.0.1" });
        return connect(url, { tls: { ca }, proxy });
      };
      expect(await through("127.0.0.1", "wss://127.0.0.2/")).toMatchObject(REFUSED);
      expect(await through("127.0.0.2", "wss://127.0.0.1/")).toBe("open");
      expect(await through("127.0.0.2", "wss://localhost/")).toBe("open");
      expect(await through("127.0.0.1", "wss://other.test/")).toMatchObject(REFUSED);
    });

    it.skipIf(runtime === "Deno")("on a unix socket checks the host of its URL", async () => {
      const path = socketPath();
      await listenForTls(server, { path });
      for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
        expect(await connect(`wss://${host}/`, { path, tls: { ca } })).toBe("open");
      }
      for (const host of ["other.test", "127.0.0.2"]) {
        expect(await connect(`wss://${host}/`, { path, tls: { ca } })).toMatchObject(REFUSED);
      }
    });

    const secret = { ...encrypted, passphrase: "secret" };
    it.each(
      [
        ["shows no certificate without cert", {}, "open", []],
        ["shows cert, with key", client, "open", ["client"]],
        ["shows the chain in cert", { ...client, cert: client.cert + ca }, "open", [
          "client",
          "ca",
        ]],
        ["shows cert, with passphrase", secret, unlessDeno("passphrase", "open"), ["server"]],
      ] satisfies (readonly [...Row<unknown>, readonly string[]])[],
    )("%s", async (_, tls, expected, chain) => {
      const { port, chains } = await listenForTls(server);
      const result = await connect(`wss://127.0.0.1:${port}/`, { tls: { ca, ...tls } });
      if (expected !== "open") return expect(result).toMatchObject(expected as object);
      expect(result).toBe("open");
      // Node and Bun complete the chain from `ca`.
      return expect(chains[0]!.slice(0, chain.length || undefined)).toEqual(chain);
    });

    it.each(
      [
        ["a key of another certificate", { cert: client.cert, key: server.key }],
        ["an encrypted key without passphrase", encrypted],
      ] satisfies [string, TlsClientOptions][],
    )("does not connect with %s", async (_, tls) => {
      const { port, chains } = await listenForTls(server);
      const result = await connect(`wss://127.0.0.1:${port}/`, { tls: { ca, ...tls } });
      expect(result).toMatchObject({ error: expect.stringMatching(/^(Connect|Usage)Error$/) });
      expect(chains).toEqual([]);
    });

    it("accepts the protocol that the server picks", async () => {
      const seen = await listenForTls({ ...server, ALPNProtocols: ["b", "a"] });
      const tls = { ca, alpnProtocols: ["a", "b"] };
      expect(await connect(`wss://127.0.0.1:${seen.port}/`, { tls })).toBe("open");
      expect(seen.protocols).toEqual(["b"]);
    });
  });

  describe("a server", () => {
    const serve = async (tls: Partial<TlsServerOptions>): Promise<number> => {
      const result = await tell({ serve: { ...server, ...tls } });
      expect(result).toEqual({ port: expect.any(Number) });
      return (result as { port: number; }).port;
    };
    const refused = (sight: unknown): void => expect(sight).toEqual(expect.any(String));

    it("shows the chain in cert", async () => {
      const port = await serve({ cert: server.cert + ca });
      expect(await look(port, {})).toMatchObject({ chain: ["server", "ca"] });
    });

    it.each(
      [
        ["passphrase", { ...encrypted, passphrase: "secret" }],
        ["requestCert", { requestCert: true }],
      ] satisfies [string, Partial<TlsServerOptions>][],
    )("on Deno refuses %s by name, and elsewhere takes it", async (name, tls) => {
      if (runtime !== "Deno") await serve(tls);
      else expect(await tell({ serve: { ...server, ...tls } })).toMatchObject(lacks(name));
    });

    it.each(
      [
        ["ca", { ca }],
        ["rejectUnauthorized", { rejectUnauthorized: false }],
        ["rejectUnauthorized", { rejectUnauthorized: true, requestCert: false }],
      ] satisfies [string, Partial<TlsServerOptions>][],
    )("refuses %s where no client is asked for a certificate (%#)", async (name, tls) => {
      const useless = {
        error: USAGE,
        message: `tls.${name} has no effect without tls.requestCert: true`,
      };
      const expected = runtime === "Deno" ? { error: USAGE } : useless;
      expect(await tell({ serve: { ...server, ...tls } })).toMatchObject(expected);
    });

    it.skipIf(runtime === "Deno")("shows cert, with passphrase", async () => {
      const port = await serve({ ...encrypted, passphrase: "secret" });
      expect(await look(port, {})).toMatchObject({ chain: ["server"] });
    });

    it.each(
      [
        ["a wrong passphrase", { ...encrypted, passphrase: "wrong" }],
        ["an encrypted key without passphrase", encrypted],
        ["a key of another certificate", { key: client.key }],
        ["a protocol of 256 bytes", { alpnProtocols: [LONG] }],
      ] satisfies [string, Partial<TlsServerOptions>][],
    )("does not begin with %s", async (_, tls) => {
      expect(await tell({ serve: { ...server, ...tls } })).toHaveProperty("error");
    });

    it.skipIf(runtime === "Deno").each(["TLSv1.2", "TLSv1.3"] as const)(
      "with requestCert takes the clients of ca alone: %s",
      async (version) => {
        const port = await serve({ ca, requestCert: true });
        const versions = { minVersion: version, maxVersion: version };
        expect(await look(port, { ...versions, ...client })).toMatchObject({
          chain: ["server", "ca"],
        });
        refused(await look(port, versions));
        refused(await look(port, { ...versions, ...stranger }));
      },
    );

    it.skipIf(runtime === "Deno")(
      "with requestCert and rejectUnauthorized: false takes any client",
      async () => {
        const port = await serve({ ca, requestCert: true, rejectUnauthorized: false });
        for (const identity of [client, stranger, {}]) {
          expect(await look(port, identity)).not.toEqual(expect.any(String));
        }
      },
    );

    it.each(
      [
        ["its own preference", ["b", "a"], ["a", "b"], "b"],
        ["the one that both have", ["c", "a"], ["a", "b"], "a"],
        ["none for a client that offers none", ["a"], undefined, false],
        ["none without alpnProtocols", undefined, ["http/1.1", "h2"], false],
        ["none for an empty list", [], ["http/1.1", "h2"], false],
      ] as const,
    )("picks a protocol: %s", async (_, alpnProtocols, offer, protocol) => {
      const port = await serve({ alpnProtocols });
      const offered = offer === undefined ? {} : { ALPNProtocols: [...offer] };
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        expect(await look(port, { maxVersion, ...offered })).toMatchObject({ protocol });
      }
    });

    it("refuses a client without a protocol in common (RFC 7301 §3.2)", async () => {
      const port = await serve({ alpnProtocols: ["a"] });
      expect(await look(port, { ALPNProtocols: ["b"] })).toMatch(/no.application.protocol/i);
    });
  });
});
