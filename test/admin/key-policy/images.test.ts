import { expect, it } from 'vitest';
import { pinManifest, pinManifestIfUnnamed } from '../../../admin/key-policy/index.ts';

const [PCR0, OURS, THEIRS] = [1, 2, 3].map((byte) => new Uint8Array(48).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

it('pins an image that names no manifest to the one of the node', () => {
  expect([...pinManifest(new Map([[0, PCR0]]), OURS)]).toEqual([
    [0, PCR0],
    [16, OURS],
  ]);
  expect(pinManifestIfUnnamed(new Map([[0, PCR0]]), OURS).get(16)).toEqual(OURS);
});

it('refuses to admit an image of another manifest', () => {
  expect(() => pinManifest(new Map([[16, THEIRS]]), OURS)).toThrow(
    expect.objectContaining({ name: 'AdminError', code: 'MANIFEST_PCR_MISMATCH' }),
  );
});

it('leaves an image that may stay with the manifest that it names', () => {
  expect(pinManifestIfUnnamed(new Map([[16, THEIRS]]), OURS).get(16)).toEqual(THEIRS);
});
