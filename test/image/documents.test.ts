import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeComponents, describeProvenance } from '../../scripts/image/documents.ts';
import type { ImageInputs } from '../../scripts/image/inputs.ts';
import { type LockedPackage, PINNED_LOCK } from '../../scripts/image/lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();

function write(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}
const digest = (content: string) => createHash('sha256').update(content).digest('hex');

const pinned = (name: string, use: LockedPackage['use']): LockedPackage => ({
  name,
  use,
  version: '1',
  sha256: `${use}-digest`,
});
const INPUTS: ImageInputs = {
  kernel: write('bzImage', 'the kernel'),
  kernelConfig: write('config', 'its configuration'),
  root: '/root',
  lock: write('inputs.lock', 'the lock file'),
  packages: [pinned('linux-source', 'kernel'), pinned('libc6', 'library'), pinned('gcc', 'compiler')],
};
const BUNDLE = { code: new Uint8Array(), sources: [{ path: 'enclave/main.ts', bytes: 1 }] };
const IDENTITY = { sha256: 'image-digest', measurements: { PCR0: '00' } };

test("the list of components names the kernel's source and what was built from it, and no tool", () => {
  const text = JSON.stringify(describeComponents(INPUTS, BUNDLE, IDENTITY));
  for (const named of ['kernel-digest', 'library-digest', digest('the kernel'), digest('its configuration')])
    expect(text).toContain(named);
  expect(text).toContain('pkg:github/bitcoin-core/secp256k1@v0.8.0');
  expect(text).toContain('pkg:github/jedisct1/libsodium@1.0.20-stable');
  for (const absent of ['compiler-digest', 'guest-digest']) expect(text).not.toContain(absent);
});

test('the provenance names all that the image was made with', () => {
  const text = JSON.stringify(describeProvenance('enclave/main.ts', INPUTS, BUNDLE, IDENTITY));
  const named = ['kernel-digest', 'library-digest', 'compiler-digest', 'docker/kernel.config'];
  named.push(digest('the lock file'));
  const compiled = ['init/init.c', 'addon/keys.c', 'vendor/secp256k1/src/secp256k1.c', 'cflags'];
  named.push(...compiled.map((name) => `shared/native/${name}`));
  for (const name of named) expect(text).toContain(name);
});

test('the provenance tells an image of the pinned packages from one of others', () => {
  const describe = (lock: string) =>
    JSON.stringify(describeProvenance('enclave/main.ts', { ...INPUTS, lock }, BUNDLE, IDENTITY));
  expect(describe(PINNED_LOCK)).toContain('"name":"docker/inputs.lock"');
  expect(describe(INPUTS.lock)).not.toContain('"name":"docker/inputs.lock"');
});
