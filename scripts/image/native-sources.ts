import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './inputs.ts';

/** Folder of the C sources: each program has a folder of its own, and what both share lies above. */
export const NATIVE = join(ROOT, 'shared/native');

/** Folders of others' source that the addon finds headers in, relative to `NATIVE`. */
export const VENDORED = [
  'vendor/secp256k1',
  'vendor/secp256k1/include',
  'vendor/libsodium',
  'vendor/libsodium/include/sodium',
];

/** Lists the files that one of the two programs is compiled from, relative to `NATIVE`, in a fixed order. */
export function listNativeSources(program: 'addon' | 'init'): string[] {
  return ['', program]
    .flatMap((folder) => readdirSync(join(NATIVE, folder)).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.c'))
    .toSorted();
}

/** Lists every file that decides what the compiler makes, relative to the project. */
export function listNativeInputs(): string[] {
  return readdirSync(NATIVE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length + 1));
}
