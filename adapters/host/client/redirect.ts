// Where a redirect leads and what is sent there (RFC 9110 §15.4). Pure decisions: connect.ts makes
// the next request.
//
// What the caller gave may be meant for one server only. Another origin (RFC 6454 §4) gets none of
// it: no credentials of the URL or the headers, no cookies, no unknown header, no client
// certificate. The RFC leaves this open; browsers and advisories about other clients do not.

import type { HandshakeAnswer, HeaderField, HeaderFields } from "../../../core/mod.ts";
import { HandshakeError } from "../../../core/mod.ts";
import { type Check, checkOptions, type Checks, takes } from "../check.ts";
import type { TlsClientOptions } from "../transport.ts";
import { parseTarget, type Target } from "./target.ts";

/** Whether, and how far, redirects are followed. */
export interface RedirectOptions {
  /** The most redirects in a row. Default 5. */
  readonly max?: number | undefined;
  /** Names of header fields to send to other origins, too. */
  readonly keepHeaders?: readonly string[] | undefined;
}

/** `true` follows redirects by the defaults of {@linkcode RedirectOptions}. */
export type RedirectChoice = boolean | RedirectOptions;

/** One request in a chain of redirects. */
export interface Hop {
  readonly target: Target;
  readonly headers: readonly HeaderField[];
  readonly tls: TlsClientOptions | undefined;
  /** How many more redirects are followed; `undefined` when redirects are off. */
  readonly left: number | undefined;
}

const DEFAULT_MAX = 5;

// RFC 9110 §15.4. A 303 changes the method to GET, which the request has anyway.
const STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** Header fields that tell another origin nothing confidential. */
const HARMLESS: readonly string[] = ["user-agent", "accept-language", "origin"];

const REDIRECT: Checks<RedirectOptions> = {
  max: takes("a positive integer", (value) => Number.isInteger(value) && (value as number) > 0),
  keepHeaders: takes("an array of header names", (value) => {
    return Array.isArray(value) && value.every((name) => typeof name === "string");
  }),
};

/** Whether redirects are followed. */
export const redirect: Check = (value, path) => {
  if (typeof value !== "boolean") checkOptions(value as RedirectOptions, REDIRECT, path);
};

/** How many redirects are followed, and the lower-case names of what other origins get, too. */
export function resolveRedirect(
  choice: RedirectChoice = false,
): { max: number | undefined; keep: readonly string[]; } {
  const { max = DEFAULT_MAX, keepHeaders = [] } = typeof choice === "boolean" ? {} : choice;
  return {
    max: choice === false ? undefined : max,
    keep: [...HARMLESS, ...keepHeaders.map((name) => name.toLowerCase())],
  };
}

/**
 * The next hop after the failure of one.
 *
 * @param keep the header fields that other origins get, in lower case
 * @throws the failure itself when it is no redirect, or redirects are off
 * @throws {HandshakeError} with the reason, when this redirect must not be followed
 */
export function nextHop(hop: Hop, failure: unknown, keep: readonly string[]): Hop {
  const answer = redirectIn(failure);
  if (answer === undefined || hop.left === undefined) throw failure;
  const next = follow(hop, answer.headers, keep);
  if (typeof next !== "string") return next;
  const message = `${answer.status}, not followed because ${next}`;
  throw new HandshakeError("status-not-101", message, answer);
}

function redirectIn(failure: unknown): HandshakeAnswer | undefined {
  if (!(failure instanceof HandshakeError) || failure.answer === undefined) return undefined;
  return STATUSES.includes(failure.answer.status) ? failure.answer : undefined;
}

/** The next hop, or why there is none. */
function follow(
  { target, headers, tls, left = 0 }: Hop,
  answer: HeaderFields,
  keep: readonly string[],
): Hop | string {
  if (left === 0) return "there were too many in a row";
  const url = parseLocation(answer, target.url);
  if (url === undefined) return "its Location is not the URL of a WebSocket";
  const next = parseTarget(url, target.path);
  if (target.secure && !next.secure) return "it leads from wss: to ws:";
  if (isSameOrigin(target, next)) {
    return { target: withCredentials(next, target.url), headers, tls, left: left - 1 };
  }
  if (target.path !== undefined) return "it leads away from a unix socket";
  return {
    target: withCredentials(next, { username: "", password: "" }),
    headers: headers.filter(([name]) => keep.includes(name.toLowerCase())),
    tls: tls && withoutIdentity(tls),
    left: left - 1,
  };
}

// RFC 9110 §10.2.2: a URI reference, relative to the request's. Servers write http: and https: for
// ws: and wss:.
function parseLocation(answer: HeaderFields, base: URL): URL | undefined {
  const location = answer.get("location");
  if (location === undefined || answer.repeats("location") || !URL.canParse(location, base)) {
    return undefined;
  }
  const url = new URL(location, base);
  url.hash = "";
  return /^(?:ws|http)s?:$/.test(url.protocol) ? url : undefined;
}

function isSameOrigin(a: Target, b: Target): boolean {
  return a.secure === b.secure && a.hostname === b.hostname && a.port === b.port;
}

function withCredentials(target: Target, from: Pick<URL, "username" | "password">): Target {
  const url = new URL(target.url);
  url.username = from.username;
  url.password = from.password;
  return { ...target, url };
}

function withoutIdentity(
  { cert: _cert, key: _key, passphrase: _passphrase, serverName: _name, ...rest }: TlsClientOptions,
): TlsClientOptions {
  return rest;
}
