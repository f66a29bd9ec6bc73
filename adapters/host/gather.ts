// Many chunks into one write: what a system call costs is more than what copying a few kilobytes does.

/** From this size on, chunks are written as they are: copying them would cost more than another write. */
export const GATHER_BELOW = 64 * 1024;

let scratch = new Uint8Array(GATHER_BELOW);

/** The number of bytes in the chunks. */
export function byteLength(chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  return total;
}

/**
 * The chunks, less than {@linkcode GATHER_BELOW} bytes in all, as one.
 * The result is only good until the next call; whoever needs it longer calls {@linkcode keepGathered}.
 */
export function gather(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  let offset = 0;
  for (const chunk of chunks) {
    scratch.set(chunk, offset);
    offset += chunk.length;
  }
  return scratch.subarray(0, offset);
}

/** Makes what `gather` returned last the caller's own. */
export function keepGathered(gathered: Uint8Array): void {
  if (gathered.buffer === scratch.buffer) scratch = new Uint8Array(GATHER_BELOW);
}
