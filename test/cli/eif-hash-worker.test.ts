import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES, createHashWorker, type HashWorker } from '../../attestation/eif/index.ts';
import { startHashWorker } from '../../cli/eif/hash-worker.ts';

const ON_A_THREAD = 1024 ** 3;

async function feed(work: HashWorker): Promise<{ crc32: number; application: string }> {
  for (let index = 0; index < 20; index += 1) {
    const chunk = new Uint8Array(index % 3 === 0 ? CHUNK_BYTES : 1000 + index).fill(index);
    await work.update(chunk, index > 4);
    // The caller may use its buffer again.
    chunk.fill(0xff);
  }
  const { crc32, application } = await work.finish();
  return { crc32, application: Buffer.from(application).toString('hex') };
}

describe('hash worker on a thread', () => {
  it('gives what it gives here', async () => {
    await using thread = startHashWorker(ON_A_THREAD);
    expect(await feed(thread)).toEqual(await feed(createHashWorker()));
  });

  it('can be given up at any time', async () => {
    const thread = startHashWorker(ON_A_THREAD);
    await thread.update(new Uint8Array(CHUNK_BYTES), true);
    await expect(thread[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });

  it('is not started for a small image', async () => {
    await using small = startHashWorker(1000);
    expect(small.update(new Uint8Array(10), true)).toBeUndefined();
  });
});
