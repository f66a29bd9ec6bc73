// The files of core/ in groups, each with the tests that are about it. A mutant that no test
// notices costs a run of all the tests it is tried with, so these are few and quick ones: the
// simulation and the fuzzers are not among them.

export interface Group {
  /** Files, as patterns; what begins with `!` takes some away. */
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
      "!core/{connection,liveness,message,output,pieces,receiver,sender,utf8}.ts",
    ],
    tests: [
      "{bytes,close,closing,errors,limits,mod,prepared,topics,utf8,violations}",
      "handshake/offer",
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
      "{chunks,message,mod,receiver,sender,transitions,violations}",
    ],
  },
  messages: {
    mutate: ["core/{liveness,message,output,pieces,sender}.ts"],
    tests: [
      "{chunks,closing,liveness,message,mod,output,pieces,prepared,receiver,sender,transitions,violations}",
      "conformance/text",
      "frame/encoder",
    ],
  },
  connection: {
    mutate: ["core/{connection,receiver}.ts"],
    tests: [
      "{chunks,closing,liveness,message,mod,prepared,receiver,sender,transitions,violations}",
      "conformance/conversations",
    ],
  },
  deflate: {
    mutate: ["core/deflate/*.ts"],
    tests: ["deflate/*", "{errors,message,mod,prepared}"],
  },
  http: {
    mutate: ["core/http/*.ts"],
    tests: ["http/*", "handshake/{answers,offer,requests,server}", "mod"],
  },
  offers: {
    mutate: ["core/handshake/*.ts", "!core/handshake/{client,request,server}.ts"],
    tests: ["handshake/{accept,answers,offer,opened,pair}", "{errors,mod}"],
  },
  handshakes: {
    mutate: ["core/handshake/{client,request,server}.ts"],
    tests: ["handshake/{answers,offer,pair,requests,server}", "mod"],
  },
};
