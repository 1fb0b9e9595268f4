import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { extendOnce } from '../nsm/index.ts';

/** Folders of the code that runs in the enclave: what nitro-cli would find in the image. */
const PROGRAM = ['attestation', 'audit', 'policy', 'enclave', 'shared'];
/** Files that the code runs on: the entry that hands in the stand-ins, and the exact packages. */
const BASE = ['local/enclave-main.ts', 'package-lock.json'];

/** Measures an enclave made of the files below `root`: PCR0, PCR1 and PCR2, 48 bytes each. */
export async function measureProgram(root: string): Promise<ReadonlyMap<number, Uint8Array>> {
  const program = (await Promise.all(PROGRAM.map((folder) => listFiles(root, folder)))).flat().sort();
  const base = await hashFiles(root, BASE);
  base.update(`node ${process.version}`);
  const basePart = base.digest();
  const programPart = (await hashFiles(root, program)).digest();
  return new Map([
    [0, extendOnce(Buffer.concat([basePart, programPart]))],
    [1, extendOnce(basePart)],
    [2, extendOnce(programPart)],
  ]);
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(?:ts|c)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

async function hashFiles(root: string, paths: readonly string[]) {
  const hash = createHash('sha384');
  for (const path of paths) {
    const content = await readFile(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash;
}
