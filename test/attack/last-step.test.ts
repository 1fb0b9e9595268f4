import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askSession } from '../../local/demo/raw-request.ts';
import { Stage } from '../../local/demo/stage.ts';

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-last-'));
  stage = await Stage.open(directory);
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true, force: true });
});

describe('P50 a node whose parent takes no note of its serving', () => {
  it('ends, and nobody can ask it any more', { timeout: 60_000 }, async () => {
    const node = await stage.start({
      onControl: ({ request, honest }) =>
        request.type === 'status' && request.phase === 'serving' ? 'silence' : honest(),
    });
    expect(node.phase).toBe('failed');
    await expect(node.enclave.exited).resolves.toMatchObject({ code: 1 });
    await expect(askSession(node.url)).rejects.toBeInstanceOf(Error);
    await node.stop();
  });
});
