/** How an image was built, as far as neither checkout nor image say so. */
export interface RebuildOptions {
  readonly entry?: string | undefined;
  readonly kernel?: string | undefined;
  readonly modules?: string | undefined;
  readonly compression?: string | undefined;
  /** Trusts what an earlier build has packed. */
  readonly cache: boolean;
}

/**
 * The arguments of build-eif that make an image again.
 * @param signed the given image, where it is signed: only its key could make the signature
 */
export function rebuildArguments(options: RebuildOptions, signed: string | undefined, out: string): string[] {
  const { cache, entry, kernel, modules, compression } = options;
  const given = Object.entries({ entry, kernel, modules, compression, 'signature-of': signed, out });
  return [
    ...(cache ? [] : ['--no-cache']),
    ...given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
  ];
}
