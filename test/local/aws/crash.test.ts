import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { StateStore } from '../../../local/aws/plumbing.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const STATE = fileURLToPath(new URL('../../../local/aws/state.ts', import.meta.url));
/** Puts records for ever, and says which after each has been kept. */
const WRITER = `
  const { StateStore } = await import(${JSON.stringify(STATE)});
  const store = new StateStore(process.argv[1]);
  for (let number = 0; ; number += 1) {
    store.put('number', String(number).padStart(8, '0'), { number, filler: 'x'.repeat(number % 4096) });
    process.stdout.write(number + '\\n');
  }
`;

/** Runs the writer until it has kept some records, kills it, and says which it was the last to tell of. */
function writeAndKill(directory: string, enough: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', WRITER, directory]);
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (told.split('\n').length > enough) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('exit', () => resolve(Number(told.split('\n').at(-2))));
  });
}

it('what was kept before a crash is there after it, and the state opens again', async () => {
  const directory = temporaryFolder();
  for (const enough of [1, 25, 60]) {
    const last = await writeAndKill(directory, enough);
    const store = new StateStore(directory);
    const kept = store.list('number').map(({ value }) => (value as { number: number }).number);
    store.close();
    expect(last).toBeGreaterThanOrEqual(enough - 1);
    expect(kept.slice(0, last + 1)).toEqual(Array.from({ length: last + 1 }, (_, number) => number));
  }
});
