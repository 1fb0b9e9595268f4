import type { Stack } from '@aws-sdk/client-cloudformation';
import { beforeEach, describe, expect, it } from 'vitest';
import { askAws } from '../../../../admin/aws/index.ts';
import { deriveManifest } from '../../../../admin/vault/index.ts';
import type { StepContext } from '../../../../admin/vault/steps/context.ts';
import { assertOwnAccount } from '../../../../admin/vault/steps/account.ts';
import { describeNodeKey, putKeyPolicy, renderNodePolicy } from '../../../../admin/vault/steps/key-policy.ts';
import { nodeGate } from '../../../../admin/vault/steps/node-gate.ts';
import { nodeNarrow } from '../../../../admin/vault/steps/node-narrow.ts';
import {
  assertOneRelease,
  describeRelease,
  nodeRelease,
} from '../../../../admin/vault/steps/node-release.ts';
import { executeChangeSet } from '../../../../admin/vault/steps/stack/change-set.ts';
import { applyStack, inspectStack } from '../../../../admin/vault/steps/stack/index.ts';
import { renderClosedKeyPolicy } from '../../../../attestation/key-policy/index.ts';
import { ACCOUNTS, parseSample } from '../sample-vault.ts';

const { document: vault } = parseSample();
const NOW = Date.parse('2026-12-01T00:00:00Z');
const KEY_ARN = `arn:aws:kms:eu-central-1:${ACCOUNTS[1]}:key/00000001-1234-1234-1234-123456789012`;
const PCR_JSON = Buffer.from(
  JSON.stringify({
    Measurements: {
      HashAlgorithm: 'Sha384 { ... }',
      ...Object.fromEntries([0, 1, 2].map((index) => [`PCR${index}`, `0${index + 1}`.repeat(48)])),
    },
  }),
);
const ORDER = {
  name: 'acme-production-node-1',
  region: 'eu-central-1',
  template: 'Resources: {}\n',
  policy: '{"Statement":[]}',
  parameters: {},
};

type Answer = (input: Record<string, unknown>) => unknown;
/** What AWS answers, by the name of the command. */
let answers: Record<string, Answer>;
/** Names of the commands that were sent, in order. */
let sent: string[];
let statements: Map<string, unknown>;
let journal: Map<string, unknown>;
let now: number;
let context: StepContext;

const client = {
  send: (command: { readonly input: Record<string, unknown> }) => {
    const name = command.constructor.name.replace(/Command$/, '');
    sent.push(name);
    return Promise.resolve().then(() => answers[name]?.(command.input));
  },
};

function fail(name: string): never {
  throw Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } });
}

beforeEach(() => {
  answers = {};
  sent = [];
  journal = new Map();
  statements = new Map<string, unknown>([
    ['node-1/kms-stack', { facts: { keyArn: KEY_ARN } }],
    ['node-1/manifest', { role: 'node-1', facts: {} }],
    ['node-1/nonce', { facts: { nonce: '07'.repeat(32) } }],
    [
      'infrastructure/attestations',
      { facts: { documents: [{ node: 1, nonce: '07'.repeat(32), sha384: '00'.repeat(48) }] } },
    ],
  ]);
  now = NOW;
  const manifest = deriveManifest(vault, 1, { keyArn: KEY_ARN, signingKey: null });
  const open = () => Promise.resolve(client);
  context = {
    vault,
    role: 'node-1',
    exchange: {
      statement: (role: string, step: string) => Promise.resolve(statements.get(`${role}/${step}`)),
      file: () => Promise.resolve(manifest),
    },
    journal: {
      get: (name: string) => journal.get(name),
      set: (name: string, value: unknown) => {
        journal.set(name, value);
        return Promise.resolve();
      },
    },
    aws: { cloudFormation: open, kms: open, s3: open, ssm: open, sts: open },
    release: () => Promise.resolve({ version: '1.4.0', pcrJson: PCR_JSON }),
    attest: () => Promise.reject(new TypeError('expected nothing to be attested')),
    clock: () => now,
    random: (bytes: number) => new Uint8Array(bytes).fill(7),
    sleep: (milliseconds: number) => {
      now += milliseconds;
      return Promise.resolve();
    },
    signal: new AbortController().signal,
    progress: () => undefined,
  } as unknown as StepContext;
});

describe('a step', () => {
  it('asks nothing of an account that is not the one of its role', async () => {
    answers['GetCallerIdentity'] = () => ({ Account: ACCOUNTS[2] });
    await expect(assertOwnAccount(context)).rejects.toMatchObject({
      code: 'VAULT_OTHER_ACCOUNT',
      details: { expected: ACCOUNTS[1], actual: ACCOUNTS[2] },
    });
    answers['GetCallerIdentity'] = () => ({ Account: ACCOUNTS[1] });
    await expect(assertOwnAccount(context)).resolves.toBeUndefined();
  });

  it.each(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'])(
    'says that credentials have expired where AWS says %s',
    async (name) => {
      const answer = Promise.resolve().then(() => fail(name));
      await expect(askAws('kms:PutKeyPolicy', answer)).rejects.toMatchObject({
        code: 'AWS_CREDENTIALS_EXPIRED',
      });
    },
  );

  it('goes on with no node whose admin vouches for another release', async () => {
    const facts = await describeRelease(context);
    for (const node of [1, 2, 3]) statements.set(`node-${node}/release`, { facts });
    await expect(assertOneRelease(context)).resolves.toEqual(facts);
    for (const other of [
      { ...facts, version: '1.3.9' },
      { ...facts, pcrs: { ...facts.pcrs, 2: 'ff'.repeat(48) } },
      { ...facts, pcrJson: 'ff'.repeat(48) },
    ]) {
      statements.set('node-2/release', { facts: other });
      await expect(assertOneRelease(context)).rejects.toMatchObject({
        code: 'VAULT_RELEASE_DIFFERS',
        details: { node: 2 },
      });
    }
  });
});

describe('the release of a vault whose images are rebuilt', () => {
  const step = nodeRelease(1);
  const missing = { code: 'VAULT_REBUILD_MISSING', details: { node: 1 } };

  it('is vouched for by nobody who has not rebuilt it', async () => {
    const strict = { ...vault, release: { ...vault.release, rebuilds: 'required' as const } };
    const wanted = { ...context, vault: strict, isRebuilt: () => Promise.resolve(false) };
    await expect(step.inspect(wanted)).rejects.toMatchObject(missing);
    await expect(step.apply(wanted)).rejects.toMatchObject(missing);
    const rebuilt = { ...wanted, isRebuilt: () => Promise.resolve(true) };
    await expect(step.apply(rebuilt)).resolves.toMatchObject({ facts: await describeRelease(context) });
  });

  it('may be vouched for without where vault.yaml wants none', async () => {
    await expect(step.apply({ ...context, isRebuilt: () => Promise.resolve(false) })).resolves.toBeDefined();
  });
});

describe('a key policy', () => {
  const inForce = (policy: string) => {
    answers['GetKeyPolicy'] = () => ({ Policy: policy });
  };
  const code = { code: 'VAULT_KEY_POLICY_CHANGED' };

  it('is not opened to an enclave where somebody has opened it to another one', async () => {
    const key = await describeNodeKey(context, 1);
    const pcrs = new Map([...key.pcrs, [0, new Uint8Array(48).fill(9)] as const]);
    inForce(renderNodePolicy({ ...key, pcrs }, true));
    await expect(nodeGate(1).inspect(context)).rejects.toMatchObject({ code: 'VAULT_KEY_POLICY_CHANGED' });
    await expect(nodeGate(1).apply(context)).rejects.toMatchObject(code);
    expect(sent).not.toContain('PutKeyPolicy');
  });

  it('is not narrowed where it is not the one that the gate has put', async () => {
    const { admins } = await describeNodeKey(context, 1);
    inForce(renderClosedKeyPolicy(admins));
    await expect(nodeNarrow(1).inspect(context)).rejects.toMatchObject(code);
    await expect(nodeNarrow(1).apply(context)).rejects.toMatchObject(code);
    expect(sent).not.toContain('PutKeyPolicy');
  });

  it('is in force when KMS gives it back, and not before', async () => {
    const key = await describeNodeKey(context, 1);
    const policy = renderNodePolicy(key, false);
    inForce(renderNodePolicy(key, true));
    await expect(putKeyPolicy(key, policy, context)).rejects.toMatchObject(code);
    inForce(policy);
    await expect(putKeyPolicy(key, policy, context)).resolves.toBeUndefined();
  });
});

describe('a stack', () => {
  const found = (fields: Partial<Stack>) => {
    answers['DescribeStacks'] = () => ({ Stacks: [{ StackName: ORDER.name, StackId: 'it', ...fields }] });
  };

  it.each([
    'CREATE_IN_PROGRESS',
    'UPDATE_IN_PROGRESS',
    'UPDATE_ROLLBACK_IN_PROGRESS',
    'DELETE_IN_PROGRESS',
  ] as const)('that somebody else is changing (%s) is left alone', async (StackStatus) => {
    found({ StackStatus, ChangeSetId: 'theirs' });
    await expect(inspectStack(ORDER, context)).rejects.toMatchObject({ code: 'VAULT_STACK_BUSY' });
    await expect(applyStack(ORDER, context)).rejects.toMatchObject({ code: 'VAULT_STACK_BUSY' });
    expect(new Set(sent)).toEqual(new Set(['DescribeStacks']));
  });

  it.each([
    ['Namespace', 'acme-production'],
    ['Environment', 'production-eu'],
  ])('of the same name that another vault has made is left alone (%s)', async (ParameterKey, other) => {
    const named = { ...ORDER, parameters: { Namespace: 'acme', Environment: 'production' } };
    const parameters = Object.entries(named.parameters).map(([key, value]) => ({
      ParameterKey: key,
      ParameterValue: key === ParameterKey ? other : value,
    }));
    for (const StackStatus of ['CREATE_COMPLETE', 'UPDATE_IN_PROGRESS', 'ROLLBACK_COMPLETE'] as const) {
      found({ StackStatus, Parameters: parameters });
      await expect(inspectStack(named, context)).rejects.toMatchObject({ code: 'VAULT_STACK_OTHER_VAULT' });
      await expect(applyStack(named, context)).rejects.toMatchObject({ code: 'VAULT_STACK_OTHER_VAULT' });
    }
    expect(new Set(sent)).toEqual(new Set(['DescribeStacks']));
  });

  it('that somebody has changed since the change was shown is left alone', async () => {
    answers['ExecuteChangeSet'] = () => fail('InvalidChangeSetStatus');
    await expect(
      executeChangeSet({ client: client as never, order: ORDER }, 'ours', context),
    ).rejects.toMatchObject({ code: 'VAULT_STACK_BUSY' });
  });

  it('that is not made in the time that a run waits is taken up by the next run', async () => {
    let changeSet = '';
    answers = {
      DescribeStacks: () => ({ Stacks: [] }),
      CreateChangeSet: () => ({ Id: 'ours' }),
      DescribeChangeSet: () => ({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE', Changes: [] }),
      ExecuteChangeSet: ({ ChangeSetName }) => {
        changeSet = String(ChangeSetName);
        found({ StackStatus: 'CREATE_IN_PROGRESS', ChangeSetId: changeSet });
        return {};
      },
      DescribeStackEvents: () => ({ StackEvents: [] }),
      GetStackPolicy: () => ({}),
      SetStackPolicy: () => ({}),
    };
    await expect(applyStack(ORDER, context)).rejects.toMatchObject({ code: 'VAULT_STEP_UNFINISHED' });
    expect(await inspectStack(ORDER, context)).toMatchObject({ kind: 'ours' });
    const begin = now;
    const { sleep } = context;
    const next = {
      ...context,
      sleep: async (milliseconds: number) => {
        if (now > begin) found({ StackStatus: 'CREATE_COMPLETE', ChangeSetId: changeSet });
        await sleep(milliseconds);
      },
    };
    expect(await applyStack(ORDER, next)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    expect(sent.filter((name) => name === 'ExecuteChangeSet')).toHaveLength(1);
    expect(sent.at(-1)).toBe('SetStackPolicy');
  });
});
