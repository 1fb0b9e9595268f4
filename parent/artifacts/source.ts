/** Source of one artifact's bytes. Resolves to `null` when there is no artifact; rejects when it cannot be had now. */
export type ArtifactSource = (signal: AbortSignal) => Promise<Uint8Array | null>;
