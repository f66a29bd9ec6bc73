// The files of core/ in groups, each with the tests that are about it. A mutant that no test notices
// costs a run of all its tests, so these are few and quick: no simulation, no fuzzers.

export interface Group {
  /** Files, as patterns; one that begins with `!` excludes files. */
  readonly mutate: readonly string[];
  /**
   * Test files below test/core, as patterns. `mod` is among them, so that a core which does not
   * load fails a test.
   */
  readonly tests: readonly string[];
}

export const GROUPS: Readonly<Record<string, Group>> = {
  small: {
    mutate: [
      "core/*.ts",
      "!core/{bytes,connection,liveness,message,output,sender,utf8}.ts",
    ],
    tests: [
      "{close,closing,errors,limits,machine,mod,prepared,utf8,violations}",
      "handshake/{pair,request}",
    ],
  },
  text: {
    mutate: ["core/utf8.ts"],
    tests: ["{message,mod,utf8}", "conformance/text"],
  },
  frame: {
    mutate: ["core/frame/*.ts"],
    tests: [
      "frame/{encoder,header,mask}",
      "{chunks,message,mod,sender,transitions,violations}",
    ],
  },
  messages: {
    mutate: ["core/{bytes,liveness,message,output,sender}.ts"],
    tests: [
      "{bytes,chunks,closing,liveness,message,mod,output,prepared,sender,transitions,violations}",
      "conformance/text",
      "frame/encoder",
    ],
  },
  connection: {
    mutate: ["core/connection.ts"],
    tests: [
      "{chunks,closing,liveness,machine,message,mod,prepared,sender,transitions,violations}",
      "conformance/conversations",
    ],
  },
  deflate: {
    mutate: ["core/deflate/*.ts"],
    tests: ["deflate/*", "{errors,message,mod,prepared}"],
  },
  http: {
    mutate: ["core/http/*.ts"],
    tests: ["http/*", "handshake/{client,request,response,server}", "mod"],
  },
  options: {
    mutate: ["core/handshake/{key,options,response}.ts"],
    tests: ["handshake/{client,key,options,pair,response,server}", "{errors,mod}"],
  },
  handshakes: {
    mutate: ["core/handshake/{client,request,server}.ts"],
    tests: ["handshake/{client,pair,request,response,server}", "{machine,mod}"],
  },
};
