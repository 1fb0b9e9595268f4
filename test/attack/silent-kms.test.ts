import { type Duplex, duplexPair, PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario } from '../../local/testbed/scenario.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  await scenario.assertServes();
});

afterAll(async () => {
  await scenario.close();
});

/** A connection that takes everything and never says a word. */
function mute(): Duplex {
  const [ours, theirs] = duplexPair();
  theirs.pipe(new PassThrough().resume());
  return ours;
}

describe('a node ends with a code when the way to KMS', () => {
  it('is open and silent', { timeout: 120_000 }, async () => {
    expect(await scenario.attempt({ onEgress: () => mute() })).toBe('KMS_UNREACHABLE');
  });

  it.each([['stalls within the answer', 0.99]])('%s', { timeout: 120_000 }, async (_, part) => {
    const limit = Math.floor((await measureResponse()) * part);
    expect(await scenario.attempt({ onEgress: ({ honest }) => cutAfter(limit, honest) })).toBe(
      'KMS_UNREACHABLE',
    );
  });
});

/** The bytes that an honest KMS sends in one start. */
async function measureResponse(): Promise<number> {
  let bytes = 0;
  const code = await scenario.attempt({
    onEgress: async ({ honest }) => {
      const kms = await honest();
      const [ours, theirs] = duplexPair();
      theirs.pipe(kms);
      kms.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        theirs.write(chunk);
      });
      return ours;
    },
  });
  expect(code).toBe('SERVING');
  return bytes;
}

/** A connection that is the real one for so many bytes of its answer and then goes on without a word. */
async function cutAfter(limit: number, honest: () => Promise<Duplex>): Promise<Duplex> {
  const kms = await honest();
  const [ours, theirs] = duplexPair();
  let left = limit;
  theirs.pipe(kms);
  kms.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) theirs.write(part);
  });
  return ours;
}
