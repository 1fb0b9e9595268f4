/** Where the bytes of one artifact come from: `null` when there is none, which is not the same as not to be had now. */
export type ArtifactSource = (signal: AbortSignal) => Promise<Uint8Array | null>;
