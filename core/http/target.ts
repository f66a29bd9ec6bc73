// Request targets and hosts: RFC 9112 §3.2 and RFC 3986 §3.2.2, as far as a server and a client
// must agree on them.
//
// There is no URL parser here: an application that wants one has its runtime's.

/**
 * Whether the target may stand in a request line of that method: visible ASCII, no fragment, in one
 * of the forms of §3.2.
 */
export function isTarget(method: string, target: string): boolean {
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target)) return false; // all but "#"
  if (target.startsWith("/") || method === "CONNECT") return true;
  if (target === "*") return method === "OPTIONS";
  const authority = splitAbsoluteTarget(target)?.[0];
  return authority !== undefined && isHost(authority);
}

/**
 * The authority of a target in absolute form, and the path and query behind it; `undefined` for any
 * other form.
 */
export function splitAbsoluteTarget(
  target: string,
): readonly [authority: string, path: string] | undefined {
  const match = /^(?:http|ws)s?:\/\/([^/?]+)(.*)$/i.exec(target);
  if (match === null) return undefined;
  const path = match[2]!;
  return [match[1]!, path.startsWith("/") ? path : `/${path}`];
}

/** Whether the text is a name or an address, with or without a port. */
export function isHost(text: string): boolean {
  return /^(?:[\w\-.~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/.test(text);
}
