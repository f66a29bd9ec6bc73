// Certificates for the TLS tests, made anew by the openssl program: an authority, a server and a
// client signed by it, and a server whose authority nobody knows.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its private key, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** The authority's certificate, PEM. */
  readonly ca: string;
  /** For localhost, server.test, 127.0.0.1 and ::1. */
  readonly server: Identity;
  readonly client: Identity;
  /** For the same names as the server, from an authority that nobody knows. */
  readonly stranger: Identity;
  /** The server's, with a key that needs the passphrase `secret`. */
  readonly encrypted: Identity;
  /** The server's, but it was valid in January 2020 only. */
  readonly expired: Identity;
}

const NAMES = "subjectAltName=DNS:localhost,DNS:server.test,IP:127.0.0.1,IP:::1";

const BOOKS = `[ca]
default_ca = books
[books]
database = index
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = anything
[anything]
commonName = supplied
`;

/** Whether certificates can be made here. */
export const hasOpenssl: boolean = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn("TLS is not tested: there is no openssl program to make certificates with");
    return false;
  }
})();

/** Makes them in a folder that is gone afterwards. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "sansws-certificates-"));
  try {
    return makeIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function makeIn(folder: string): Certificates {
  const openssl = (...args: string[]): void =>
    void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const authority = (name: string): void => {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
    openssl("req", "-x509", ...curve, ...files, "-days", "2", "-subj", `/CN=${name}`);
  };
  const signed = (name: string, by: string, extensions: string): Identity => {
    openssl(
      "req",
      ...curve,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    writeFileSync(join(folder, "extensions"), extensions);
    const signing = [
      "-CA",
      `${by}.crt`,
      "-CAkey",
      `${by}.key`,
      "-CAcreateserial",
      "-extfile",
      "extensions",
    ];
    openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, "-days", "2", ...signing);
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
  };
  const encrypted = ({ cert }: Identity, name: string): Identity => {
    openssl(
      "pkcs8",
      "-topk8",
      "-in",
      `${name}.key`,
      "-out",
      "encrypted.key",
      "-passout",
      "pass:secret",
    );
    return { cert, key: read("encrypted.key") };
  };
  // Only `openssl ca` can be told a time, and it wants to keep books.
  const expired = (name: string, by: string, extensions: string): Identity => {
    const { key } = signed(name, by, extensions);
    writeFileSync(join(folder, "index"), "");
    writeFileSync(join(folder, "config"), BOOKS);
    const time = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"];
    const signing = [
      "-cert",
      `${by}.crt`,
      "-keyfile",
      `${by}.key`,
      "-in",
      `${name}.csr`,
      "-extfile",
      "extensions",
    ];
    openssl(
      "ca",
      "-batch",
      "-config",
      "config",
      "-notext",
      ...signing,
      ...time,
      "-out",
      `${name}.crt`,
    );
    return { cert: read(`${name}.crt`), key };
  };
  authority("ca");
  authority("other");
  const server = signed("server", "ca", NAMES);
  return {
    ca: read("ca.crt"),
    server,
    encrypted: encrypted(server, "server"),
    client: signed("client", "ca", "extendedKeyUsage=clientAuth"),
    stranger: signed("stranger", "other", NAMES),
    expired: expired("expired", "ca", NAMES),
  };
}
