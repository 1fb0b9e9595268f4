import { generateKeyPairSync } from 'node:crypto';
import type { STSClient } from '@aws-sdk/client-sts';
import { beforeEach, describe, expect, it } from 'vitest';
import { Exchange, type Statement } from '../../../../admin/vault/exchange/index.ts';
import {
  applyRole,
  describeStatus,
  planRole,
  type StepContext,
  StepError,
} from '../../../../admin/vault/steps/index.ts';
import type { Ceremony, Step } from '../../../../admin/vault/steps/step.ts';
import { ed25519PublicKeyHex } from '../../../../shared/dsse/index.ts';
import { ACCOUNTS, parseSample } from '../sample-vault.ts';

const vault = parseSample().document;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const keys = new Map(
  (['infrastructure', 'node-1', 'node-2', 'node-3'] as const).map((role) => [
    role,
    ed25519PublicKeyHex(publicKey),
  ]),
);

let exchange: Exchange;
let applied: string[];

beforeEach(() => {
  applied = [];
  const [files, seen] = [
    new Map<string, Uint8Array>(),
    new Map<string, { readonly sequence: number; readonly sha384: string }>(),
  ];
  exchange = new Exchange(
    {
      read: (path) => Promise.resolve(files.get(path)),
      write: (path, bytes) => Promise.resolve(void files.set(path, bytes)),
    },
    { get: (id) => seen.get(id), set: (id, one) => Promise.resolve(void seen.set(id, one)) },
    { vault: 'a'.repeat(96), keys },
  );
});

function contextOf(role: 'node-1' | 'node-2'): StepContext {
  const account = ACCOUNTS[role === 'node-1' ? 1 : 2];
  const sts = { send: () => Promise.resolve({ Account: account }) } as unknown as STSClient;
  const context: Partial<StepContext> = {
    vault,
    role,
    exchange,
    statementKey: privateKey,
    aws: { sts: () => Promise.resolve(sts) } as unknown as StepContext['aws'],
    clock: () => Date.UTC(2027, 0, 1),
    signal: new AbortController().signal,
  };
  return context as StepContext;
}

/** Ceremony of two nodes about one nonce, in which statements about another nonce do not count. */
function ceremonyOf(nonce: string): Ceremony {
  const step = (role: 'node-1' | 'node-2', needs: readonly string[]): Step<'nonce'> => ({
    id: `${role}/nonce`,
    role,
    name: 'nonce',
    stage: 2,
    summary: 'tell a nonce',
    needs,
    inspect: () => Promise.resolve({ state: 'done' }),
    apply: () => {
      applied.push(`${role} ${nonce.slice(0, 2)}`);
      return Promise.resolve({ facts: { nonce }, files: [] });
    },
  });
  return {
    steps: [step('node-1', []), step('node-2', ['node-1/nonce'])],
    counts: ({ facts }: Statement) => 'nonce' in facts && facts.nonce === nonce,
  };
}

const [former, next] = [ceremonyOf('11'.repeat(32)), ceremonyOf('22'.repeat(32))];

describe('a run of a ceremony', () => {
  it('does the steps of the list that it is given, and no others', async () => {
    expect(await applyRole(contextOf('node-1'), () => undefined, { ceremony: former })).toEqual({
      done: ['node-1/nonce'],
      waitsFor: [],
      left: [],
      isComplete: true,
    });
    expect((await describeStatus(vault, exchange, former)).steps.map(({ state }) => state)).toEqual([
      'done',
      'ready',
    ]);
  });

  it('takes no statement of an earlier ceremony for its own, and publishes after it', async () => {
    await applyRole(contextOf('node-1'), () => undefined, { ceremony: former });
    await applyRole(contextOf('node-2'), () => undefined, { ceremony: former });
    const [waiting] = await planRole(contextOf('node-2'), next);
    expect(waiting?.state).toEqual({
      state: 'waiting',
      waitsFor: [{ role: 'node-1', step: 'node-1/nonce' }],
    });
    expect(await applyRole(contextOf('node-2'), () => undefined, { ceremony: next })).toMatchObject({
      done: [],
    });
    expect((await describeStatus(vault, exchange, next)).steps.map(({ state }) => state)).toEqual([
      'ready',
      'waiting',
    ]);
    await applyRole(contextOf('node-1'), () => undefined, { ceremony: next });
    await applyRole(contextOf('node-2'), () => undefined, { ceremony: next });
    expect(applied).toEqual(['node-1 11', 'node-2 11', 'node-1 22', 'node-2 22']);
    expect(await exchange.statement('node-1', 'nonce')).toMatchObject({ sequence: 2 });
    expect((await describeStatus(vault, exchange, next)).isComplete).toBe(true);
  });
});

describe('a run of one stage', () => {
  /** A role's step of each stage, the second of which needs the first. */
  function stagedCeremony(stage: 1 | 2 | undefined, isReady = true): Ceremony {
    const step = (name: 'manifest' | 'nonce', of: 1 | 2, needs: readonly string[]) =>
      ({
        id: `node-1/${name}`,
        role: 'node-1',
        name,
        stage: of,
        summary: name,
        needs,
        inspect: () =>
          Promise.resolve(
            isReady ? { state: 'ready', changes: [`does ${name}`] } : { state: 'waiting', waitsFor: [] },
          ),
        apply: () => {
          applied.push(name);
          return Promise.resolve({ facts: { nonce: '11'.repeat(32) }, files: [] });
        },
      }) as unknown as Step;
    const steps = [step('manifest', 1, []), step('nonce', 2, ['node-1/manifest'])];
    return { steps, counts: () => true, ...(stage === undefined ? {} : { stage }) };
  }

  it('shows and does the steps of that stage, and leaves a later one alone', async () => {
    const planned = await planRole(contextOf('node-1'), stagedCeremony(1));
    expect(planned.map(({ step }) => step.id)).toEqual(['node-1/manifest']);
    const outcome = applyRole(contextOf('node-1'), () => undefined, { ceremony: stagedCeremony(1) });
    // The facts are none of a manifest: what is looked at here is which step was begun.
    await outcome.catch(() => undefined);
    expect(applied).toEqual(['manifest']);
  });

  it('waits for what an earlier stage of the role lacks, and does nothing of it', async () => {
    const [waiting] = await planRole(contextOf('node-1'), stagedCeremony(2));
    const missing = [{ role: 'node-1', step: 'node-1/manifest' }];
    expect(waiting).toMatchObject({
      step: { id: 'node-1/nonce' },
      state: { state: 'waiting', waitsFor: missing },
    });
    expect(await applyRole(contextOf('node-1'), () => undefined, { ceremony: stagedCeremony(2) })).toEqual({
      done: [],
      waitsFor: missing,
      left: [],
      isComplete: false,
      isStageComplete: false,
    });
    expect(applied).toEqual([]);
  });
});

describe('a run without credentials', () => {
  const withoutCredentials = (role: 'node-1', release: StepContext['release']): StepContext => {
    const failing = {
      send: () => Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' })),
    };
    return {
      ...contextOf(role),
      release,
      aws: { sts: () => Promise.resolve(failing) } as unknown as StepContext['aws'],
    };
  };
  const missing = () => Promise.reject(new StepError('VAULT_RELEASE_KEY_UNKNOWN', 'none'));

  it('says first what it knows without them', async () => {
    const plan = async (release: StepContext['release']) =>
      await planRole(withoutCredentials('node-1', release));
    await expect(plan(missing)).rejects.toMatchObject({ code: 'VAULT_RELEASE_KEY_UNKNOWN' });
    const there = () => Promise.resolve({} as Awaited<ReturnType<StepContext['release']>>);
    await expect(plan(there)).rejects.toMatchObject({ code: 'AWS_CREDENTIALS' });
  });

  it('asks for no release where its steps need none', async () => {
    const other = planRole(withoutCredentials('node-1', missing), ceremonyOf('b'.repeat(64)));
    await expect(other).rejects.toMatchObject({ code: 'AWS_CREDENTIALS' });
  });
});
