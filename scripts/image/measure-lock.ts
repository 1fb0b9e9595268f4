import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePcrFile } from '../../attestation/pcr-file.ts';
import { ImageError } from './errors.ts';
import { LOCK_VARIABLE, ROOT } from './lock.ts';

function measure(text: string): ReadonlyMap<number, Uint8Array> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-measure-'));
  try {
    const lock = join(folder, 'inputs.lock');
    writeFileSync(lock, text);
    const { status } = spawnSync(join(ROOT, 'scripts/build-eif'), ['--out', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, [LOCK_VARIABLE]: lock },
    });
    return status === 0 ? parsePcrFile(readFileSync(join(folder, 'pcr.json'))) : undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Builds the image with each of two lock files, as far as their packages can be had, and describes how its PCRs differ.
 * @throws ImageError `IMAGE_NOT_BUILT` with the second
 */
export function measureLock(before: string, after: string): string[] {
  const now = measure(after);
  if (now === undefined)
    throw new ImageError('IMAGE_NOT_BUILT', 'the image cannot be built with the new lock file, see above');
  const old = before === after ? now : measure(before);
  const hex = (pcrs: ReadonlyMap<number, Uint8Array> | undefined, index: number) =>
    pcrs === undefined
      ? 'unknown: the old inputs cannot be had'
      : Buffer.from(pcrs.get(index) ?? []).toString('hex');
  return [0, 1, 2].flatMap((index) => {
    const values = [hex(old, index), hex(now, index)] as const;
    return values[0] === values[1]
      ? [`PCR${index} stays    ${values[1]}`]
      : [`PCR${index} old      ${values[0]}`, `     new      ${values[1]}`];
  });
}
