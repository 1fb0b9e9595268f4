import type { NodeTrust } from '../../client/index.ts';

/** What a node must prove to be, in the form that messages between processes have. */
export interface WireTrust {
  readonly root: string;
  readonly manifest: string;
  readonly pcrs: readonly (readonly [index: number, value: string])[];
}

export function toWireTrust({
  root,
  manifest,
  pcrs,
}: NodeTrust & { pcrs: ReadonlyMap<number, Uint8Array> }): WireTrust {
  return {
    root: encode(root),
    manifest: encode(manifest),
    pcrs: [...pcrs].map(([index, value]) => [index, encode(value)]),
  };
}

export function fromWireTrust({ root, manifest, pcrs }: WireTrust): NodeTrust {
  return {
    root: Buffer.from(root, 'base64'),
    manifest: Buffer.from(manifest, 'base64'),
    pcrs: new Map(pcrs.map(([index, value]) => [index, Buffer.from(value, 'base64')])),
  };
}

const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
