// Where a redirect leads, and what may go there: RFC 9110 §15.4 for the answer, and for the rest
// what browsers and advisories about other clients have taught. Pure decisions; client.ts takes the
// next step.
//
// Whatever the caller gave may be meant for one server alone. So another origin (RFC 6454 §4) gets
// none of it: no credentials from the URL or the headers, no cookies, no header of a name that
// nobody knows, and no client certificate.

import { refuseUnknown } from "../../../core/limits.ts";
import type { HandshakeAnswer, HeaderField } from "../../../core/mod.ts";
import { HandshakeError, HeaderFields, UsageError } from "../../../core/mod.ts";
import type { TlsClientOptions } from "../transport.ts";
import { parseTarget, type Target } from "./target.ts";

/** Whether, and how far, redirects are followed. */
export interface RedirectOptions {
  /** So many in a row. Default 5. */
  readonly max?: number | undefined;
  /** Names of header fields that other origins may have, too. */
  readonly keepHeaders?: readonly string[] | undefined;
}

/** `true` follows redirects by the defaults of {@linkcode RedirectOptions}. */
export type RedirectChoice = boolean | RedirectOptions;

/** One request on the way through redirects. */
export interface Hop {
  readonly target: Target;
  readonly headers: readonly HeaderField[];
  readonly tls: TlsClientOptions | undefined;
  /** How many more redirects are followed; `undefined` when none ever was to be. */
  readonly left: number | undefined;
}

const DEFAULT_MAX = 5;

/**
 * RFC 9110 §15.4: those that name another place. A 303 changes the method to GET, which it is
 * already.
 */
const STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** What says nothing about the caller that another origin should not know. */
const HARMLESS: readonly string[] = ["user-agent", "accept-language", "origin"];

/**
 * How many redirects are followed, and the header fields, in lower case, that go along to other
 * origins.
 *
 * @throws {UsageError} for an unknown name or an illegal value
 */
export function resolveRedirect(
  choice: RedirectChoice = false,
): { max: number | undefined; keep: readonly string[]; } {
  const options = typeof choice === "boolean" ? {} : choice;
  refuseUnknown("redirect", options, ["max", "keepHeaders"]);
  const { max = DEFAULT_MAX, keepHeaders = [] } = options;
  if (!Number.isInteger(max) || max < 1) {
    throw new UsageError(`redirect.max is ${max}; it takes a positive integer`);
  }
  return {
    max: choice === false ? undefined : max,
    keep: [...HARMLESS, ...keepHeaders.map((name) => name.toLowerCase())],
  };
}

/**
 * The next hop after the failure of one.
 *
 * @param keep the header fields that go along to another origin, in lower case
 * @throws the failure itself when it is no redirect, or none is to be followed
 * @throws {HandshakeError} saying why, when this one is not
 */
export function nextHop(hop: Hop, failure: unknown, keep: readonly string[]): Hop {
  const answer = redirectIn(failure);
  if (answer === undefined || hop.left === undefined) throw failure;
  const next = follow(hop, new HeaderFields(answer.headers), keep);
  if (typeof next !== "string") return next;
  throw new HandshakeError(
    "status-not-101",
    `${answer.status}, not followed because ${next}`,
    answer,
  );
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
    return { target: withCredentialsOf(target, next), headers, tls, left: left - 1 };
  }
  if (target.path !== undefined) return "it leads away from a unix socket";
  const kept = headers.filter(([name]) => keep.includes(name.toLowerCase()));
  return {
    target: withoutCredentials(next),
    headers: kept,
    tls: tls && withoutIdentity(tls),
    left: left - 1,
  };
}

// RFC 9110 §10.2.2: a URI reference, relative to the request's. Servers write http: and https:,
// which are ws: and wss: here.
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

function withCredentialsOf(origin: Target, next: Target): Target {
  const url = new URL(next.url);
  url.username = origin.url.username;
  url.password = origin.url.password;
  return { ...next, url };
}

function withoutCredentials(next: Target): Target {
  const url = new URL(next.url);
  url.username = url.password = "";
  return { ...next, url };
}

function withoutIdentity(
  { cert: _cert, key: _key, passphrase: _passphrase, serverName: _name, ...rest }: TlsClientOptions,
): TlsClientOptions {
  return rest;
}
