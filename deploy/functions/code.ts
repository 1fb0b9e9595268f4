import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeZip } from './zip.ts';

/** A Lambda function of this folder. */
export type FunctionName = 'config-signing' | 'populate-secret';

/** What Lambda runs. */
export interface FunctionCode {
  /** One file of JavaScript, CommonJS, that exports `handler`; the AWS SDK is the runtime's. */
  readonly source: string;
  /** Archive with `source` as index.js: the same bytes for the same source. */
  readonly zip: Uint8Array;
  /** Key of the archive in the bucket of the stack: its SHA-256 is its name. */
  readonly key: string;
}

/** Reads a function: as it was built with the package, or, in a working copy, built now. */
export async function readFunction(name: FunctionName): Promise<FunctionCode> {
  const source = (await readBuilt(name)) ?? (await buildNow(name));
  const zip = writeZip([{ name: 'index.js', content: Buffer.from(source) }]);
  return { source, zip, key: `functions/${createHash('sha256').update(zip).digest('hex')}.zip` };
}

async function readBuilt(name: FunctionName): Promise<string | undefined> {
  try {
    return await readFile(join(import.meta.dirname, 'built', `${name}.js`), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function buildNow(name: FunctionName): Promise<string> {
  const { buildFunction } = await import('./build.ts');
  return await buildFunction(name);
}
