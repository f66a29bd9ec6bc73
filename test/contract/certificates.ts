// Certificates for the TLS tests, made anew by the openssl program: an authority, a server and a client signed by it, and a
// server whose authority nobody knows.

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
}

const NAMES = "subjectAltName=DNS:localhost,DNS:server.test,IP:127.0.0.1,IP:::1";

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
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const authority = (name: string): void => {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
    openssl("req", "-x509", ...curve, ...files, "-days", "2", "-subj", `/CN=${name}`);
  };
  const signed = (name: string, by: string, extensions: string): Identity => {
    openssl("req", ...curve, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    writeFileSync(join(folder, "extensions"), extensions);
    const signing = ["-CA", `${by}.crt`, "-CAkey", `${by}.key`, "-CAcreateserial", "-extfile", "extensions"];
    openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, "-days", "2", ...signing);
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
  };
  authority("ca");
  authority("other");
  return {
    ca: read("ca.crt"),
    server: signed("server", "ca", NAMES),
    client: signed("client", "ca", "extendedKeyUsage=clientAuth"),
    stranger: signed("stranger", "other", NAMES),
  };
}
