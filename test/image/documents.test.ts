import { describe, expect, test } from 'vitest';
import { describeComponents, describeProvenance } from '../../scripts/image/documents.ts';
import type { ImageInputs } from '../../scripts/image/inputs.ts';

const pinned = (name: string, use: 'kernel' | 'library' | 'compiler') => ({
  name,
  use,
  version: '1',
  sha256: `${use}-digest`,
});
const INPUTS: ImageInputs = {
  kernel: '/kernel/vmlinuz',
  modules: '/kernel/modules',
  root: '/root',
  packages: [pinned('linux-image', 'kernel'), pinned('libc6', 'library'), pinned('gcc', 'compiler')],
};
const BUNDLE = { code: new Uint8Array(), sources: [{ path: 'enclave/main.ts', bytes: 1 }] };
const IDENTITY = { sha256: 'image-digest', measurements: { PCR0: '00' } };
const GIVEN = [
  { name: 'kernel', sha256: 'given-kernel' },
  { name: 'modules/nsm.ko', sha256: 'given-module' },
];

describe.each([
  ['list of components', (inputs: ImageInputs) => describeComponents(inputs, BUNDLE, IDENTITY)],
  ['provenance', (inputs: ImageInputs) => describeProvenance('enclave/main.ts', inputs, BUNDLE, IDENTITY)],
])('the %s of an image', (_, describeImage) => {
  test('names the pinned kernel', () => {
    const text = JSON.stringify(describeImage(INPUTS));
    expect(text).toContain('kernel-digest');
    expect(text).toContain('library-digest');
  });

  test('names the kernel that was given in its place, and not the pinned one', () => {
    const text = JSON.stringify(describeImage({ ...INPUTS, given: GIVEN }));
    expect(text).not.toContain('kernel-digest');
    expect(text).toContain('given-kernel');
    expect(text).toContain('given-module');
    expect(text).toContain('library-digest');
  });
});
