import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario } from '../../local/testbed/scenario.ts';
import type { Credentials } from '../../shared/protocol/control.ts';
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

/** The code of a start whose parent answers with credentials like these. */
const startWith = (change: (honest: Credentials) => Credentials) =>
  scenario.attempt({
    onControl: async ({ request, honest }) => {
      const answer = await honest();
      return request.type === 'credentials' && answer.type === 'credentials'
        ? { ...answer, credentials: change(answer.credentials) }
        : answer;
    },
  });

describe('a parent that has no credentials to give', () => {
  it('is told apart from a KMS that cannot be reached', async () => {
    const code = await scenario.attempt({
      onControl: ({ request, honest }) =>
        request.type === 'credentials' ? { type: 'error', code: 'UNAVAILABLE' } : honest(),
    });
    expect(code).toBe('CONTROL_UNAVAILABLE');
  });

  it('ends a start by answering something else', async () => {
    const code = await scenario.attempt({
      onControl: ({ request, honest }) => (request.type === 'credentials' ? { type: 'status' } : honest()),
    });
    expect(code).toBe('CONTROL_ANSWER_INVALID');
  });

  it.each([
    ['accessKeyId', 'AKIA\r\nX-Amz-Target: TrentService.Encrypt'],
    ['accessKeyId', 'ключ'],
    ['sessionToken', 'token\n'],
    ['sessionToken', 'a b'],
  ] as const)('puts nothing into a header by its %s %j', async (field, value) => {
    expect(await startWith((honest) => ({ ...honest, [field]: value }))).toBe('CONTROL_ANSWER_INVALID');
  });

  it('gets no further with wrong ones', async () => {
    expect(await startWith((honest) => ({ ...honest, secretAccessKey: 'wrong' }))).toBe('KMS_REFUSED');
  });
});
