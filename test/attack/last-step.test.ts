import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askSession } from '../../local/attacks/raw-request.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
});

afterAll(async () => {
  await scenario.close();
});

describe('a node whose parent takes no note of its serving', () => {
  it('ends, and nobody can ask it any more', { timeout: 120_000 }, async () => {
    const node = await scenario.start({
      onControl: ({ request, honest }) =>
        request.type === 'status' && request.phase === 'serving' ? 'silence' : honest(),
    });
    expect(node.phase).toBe('failed');
    await expect(node.enclave.exited).resolves.toMatchObject({ code: 1 });
    await expect(askSession(node.url)).rejects.toBeInstanceOf(Error);
    await node.stop();
  });
});
