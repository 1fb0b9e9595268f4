import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findMadeOrSay } from '../../support/find-made.ts';
import type { ShareType } from '../../../shared/algorithms.ts';

/** Asks the Zcash Foundation's crates; what they refuse is thrown. */
export type ZcashPeer = (request: Readonly<Record<string, unknown>>) => unknown;

/** Finds the participant in Rust; undefined, said loudly, where scripts/frost-peer.sh could make none. */
export function findZcashPeer(): ZcashPeer | undefined {
  const folder = findMadeOrSay("nothing was signed with the Zcash Foundation's crates", 'frost-peer.sh');
  if (folder === undefined) return undefined;
  const program = join(folder, 'frost-peer');
  return (request) => {
    const result = spawnSync(program, { input: `${JSON.stringify(request)}\n`, encoding: 'utf8' });
    const response = JSON.parse(result.stdout) as { ok?: unknown; error?: string };
    if (response.ok === undefined) throw new Error(response.error ?? result.stderr);
    return response.ok;
  };
}

/** Headers of containers: 00, then the CRC-32 of the suite's id. */
const HEADERS: Readonly<Record<ShareType, string>> = {
  'frost-ed25519': '00b169f0da',
  'frost-ristretto255': '00d76ecff5',
  'frost-p256': '00a132f0c9',
  'frost-secp256k1-taproot': '00230f8ab3',
};

const HEX_OF_SCALAR = 64;

/** The crates' containers in hex, of values in hex. */
export function createContainers(type: ShareType, elementBytes: number, isLittleEndian: boolean) {
  const header = HEADERS[type];
  const element = 2 * elementBytes;
  const proof = type === 'frost-secp256k1-taproot' ? 2 * HEX_OF_SCALAR : element + HEX_OF_SCALAR;
  // Numbers below 128 are one byte of a varint.
  const varint = (value: number) => value.toString(16).padStart(2, '0');
  const id = (number: number) =>
    isLittleEndian ? varint(number).padEnd(HEX_OF_SCALAR, '0') : varint(number).padStart(HEX_OF_SCALAR, '0');
  const take = (container: string, start: string, ...lengths: readonly number[]): string[] => {
    if (!container.startsWith(start)) throw new RangeError('expected a container of the suite');
    let offset = start.length;
    const parts = lengths.map((length) => container.slice(offset, (offset += length)));
    if (offset !== container.length) throw new RangeError('expected a container of this length');
    return parts;
  };
  const commitments = (hiding: string, binding: string) => header + hiding + binding;
  return {
    firstPackage: (elements: readonly string[], proofOfKnowledge: string) =>
      header + varint(elements.length) + elements.join('') + varint(proof / 2) + proofOfKnowledge,
    openFirstPackage(container: string, count: number) {
      const lengths = Array.from({ length: count }, () => element);
      const parts = take(container, header + varint(count), ...lengths, 2, proof);
      return { elements: parts.slice(0, count), proof: parts[count + 1] ?? '' };
    },
    secondPackage: (scalar: string) => header + scalar,
    openSecondPackage: (container: string) => take(container, header, HEX_OF_SCALAR)[0] ?? '',
    commitments,
    openCommitments: (container: string) => take(container, header, element, element),
    signingPackage: (
      list: readonly { readonly number: number; readonly hiding: string; readonly binding: string }[],
      message: string,
    ) =>
      header +
      varint(list.length) +
      list.map(({ number, hiding, binding }) => id(number) + commitments(hiding, binding)).join('') +
      varint(message.length / 2) +
      message,
    keyPackage: (number: number, share: string, verifyingShare: string, key: string, threshold: number) =>
      header + id(number) + share + verifyingShare + key + varint(threshold),
    openKeyPackage: (container: string) => take(container, header, 64, 64, element, element, 2),
    publicPackage: (
      verifyingShares: readonly (readonly [number, string])[],
      key: string,
      threshold: number,
    ) =>
      header +
      varint(verifyingShares.length) +
      verifyingShares.map(([number, share]) => id(number) + share).join('') +
      key +
      `01${varint(threshold)}`,
  };
}
