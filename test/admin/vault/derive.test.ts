import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  deriveConfiguration,
  deriveManifest,
  deriveStacks,
  encodeConfiguration,
  measureManifest,
  readNodeManifest,
  type VaultDocument,
} from '../../../admin/vault/index.ts';
import type { NodeManifest } from '../../../admin/quorum/index.ts';
import { lintConfiguration } from '../../../policy/analysis/index.ts';
import { createPolicyState, decide, makeRequest, preparePolicy } from '../../../policy/index.ts';
import { parseConfiguration } from '../../../shared/documents/configuration.ts';
import { parseManifest } from '../../../shared/documents/manifest.ts';
import type { Operation } from '../../../shared/operations.ts';
import { ACCOUNTS, parseSample, sampleKey, type SampleVault } from './sample-vault.ts';

const NOW = Date.parse('2026-12-01T00:00:00Z');
const UNTIL = '2026-12-02T00:00:00Z';
const keyOf = (node: number, region = 'eu-central-1', account: string = ACCOUNTS[node] ?? '') =>
  `arn:aws:kms:${region}:${account}:key/0000000${node}-1234-1234-1234-123456789012`;
const IMAGE = {
  pcrs: new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)] as const)),
  notAfter: null,
};

function manifestsOf(document: VaultDocument): NodeManifest[] {
  return document.nodes.map(({ node }) =>
    measureManifest(deriveManifest(document, node, { keyArn: keyOf(node), signingKey: null })),
  );
}
const firstOf = (document: VaultDocument, node: number) =>
  deriveConfiguration(document, node, {
    version: 1,
    manifests: manifestsOf(document),
    images: [IMAGE],
    orderUntil: UNTIL,
  });
const documentOf = (change?: (vault: SampleVault) => void) => parseSample(change).document;

interface Parameter {
  readonly Type: string;
  readonly Default?: unknown;
  readonly AllowedPattern?: string;
}

/** Parameters of a template, as it declares them. */
function parametersOf(template: string): Record<string, Parameter | undefined> {
  const path = join(import.meta.dirname, `../../../deploy/stacks/${template}.yaml`);
  // Functions of CloudFormation are tags, which stand outside of parameters.
  const { Parameters } = parse(readFileSync(path, 'utf8'), { logLevel: 'silent' }) as {
    Parameters: Record<string, Parameter | undefined>;
  };
  return Parameters;
}

describe("a node's manifest", () => {
  it('is made of vault.yaml and the keys of its stack, and always of the same bytes', () => {
    const document = documentOf((vault) => {
      for (const node of vault.nodes)
        node.configurationAuthority = { ...node.configurationAuthority, threshold: 2, function: true };
    });
    const keys = { keyArn: keyOf(2), signingKey: sampleKey('function 2') };
    const bytes = deriveManifest(document, 2, keys);
    expect(parseManifest(bytes)).toEqual({
      format: 'holdfast-manifest/1',
      namespace: 'acme',
      environment: 'production',
      node: 2,
      quorum: { size: 3, threshold: 2 },
      kms: { keyArn: keyOf(2), region: 'eu-central-1' },
      configurationAuthority: { threshold: 2, keys: [sampleKey('authority 2'), sampleKey('function 2')] },
      emergencyRecovery: { publicKey: sampleKey('recovery', 'x25519') },
    });
    expect(deriveManifest(document, 2, keys)).toEqual(bytes);
    // PCR16 by the definition: extended once, from zeros.
    const digest = createHash('sha384').update(bytes).digest();
    expect(measureManifest(bytes).digest).toBe(digest.toString('hex'));
    expect(measureManifest(bytes).pcr16).toBe(
      createHash('sha384').update(Buffer.alloc(48)).update(digest).digest('hex'),
    );
  });

  it.each([
    ["in infrastructure's account", keyOf(1, 'eu-central-1', ACCOUNTS[0]), 'account'],
    ["in another node's account", keyOf(1, 'eu-central-1', ACCOUNTS[2]), 'account'],
    ['in another Region', keyOf(1, 'eu-west-1'), 'region'],
  ])('is not made with a KMS key %s', (_, keyArn, field) => {
    expect(() => deriveManifest(documentOf(), 1, { keyArn, signingKey: null })).toThrow(
      expect.objectContaining({
        code: 'VAULT_KEY_MISPLACED',
        details: expect.objectContaining({ field }) as unknown,
      }),
    );
  });

  it('is not made with an alias or a multi-Region key', () => {
    for (const resource of ['alias/node', 'key/mrk-1234abcd12ab34cd56ef1234567890ab']) {
      const keyArn = `arn:aws:kms:eu-central-1:${ACCOUNTS[1]}:${resource}`;
      expect(() => deriveManifest(documentOf(), 1, { keyArn, signingKey: null })).toThrow(
        expect.objectContaining({ code: 'MANIFEST_MALFORMED' }),
      );
    }
  });

  it('is not made with a signing key that nobody asked for, that is missing, or that somebody holds', () => {
    const withFunction = documentOf((vault) => {
      const [first] = vault.nodes;
      if (first !== undefined) first.configurationAuthority.function = true;
    });
    const derive = (document: VaultDocument, signingKey: string | null) => () =>
      deriveManifest(document, 1, { keyArn: keyOf(1), signingKey });
    const misplaced = expect.objectContaining({ code: 'VAULT_KEY_MISPLACED' }) as Error;
    expect(derive(documentOf(), sampleKey('function 1'))).toThrow(misplaced);
    expect(derive(withFunction, null)).toThrow(misplaced);
    expect(derive(withFunction, sampleKey('statement 1'))).toThrow(misplaced);
    expect(derive(withFunction, sampleKey('authority 2'))).toThrow(misplaced);
    expect(derive(withFunction, sampleKey('function 1'))).not.toThrow();
  });

  it('that somebody hands over is taken as it was made, and in no other form', () => {
    const document = documentOf();
    const bytes = deriveManifest(document, 1, { keyArn: keyOf(1), signingKey: null });
    expect(readNodeManifest(document, 1, bytes)).toEqual(measureManifest(bytes));
    const value = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    const altered: readonly unknown[] = [
      { ...value, environment: 'staging' },
      { ...value, quorum: { size: 3, threshold: 1 } },
      { ...value, configurationAuthority: { threshold: 1, keys: [sampleKey('stranger')] } },
      {
        ...value,
        configurationAuthority: { threshold: 1, keys: [sampleKey('authority 1'), sampleKey('stranger')] },
      },
      { ...value, emergencyRecovery: { publicKey: sampleKey('stranger', 'x25519') } },
      { ...value, kms: { keyArn: keyOf(1, 'eu-central-1', ACCOUNTS[0]), region: 'eu-central-1' } },
      { ...value, node: 2 },
    ];
    for (const other of [
      ...altered.map((each) => JSON.stringify(each, undefined, 2)),
      JSON.stringify(value),
    ]) {
      expect(() => readNodeManifest(document, 1, Buffer.from(other))).toThrow(
        expect.objectContaining({ code: 'VAULT_MANIFEST_DIFFERS' }),
      );
    }
  });
});

describe('the first configuration', () => {
  let document: VaultDocument;
  beforeAll(() => {
    document = documentOf();
  });

  it('is one that a node takes, names its manifest and peers, and orders to initialise', () => {
    const first = firstOf(document, 2);
    const manifests = manifestsOf(document);
    expect(parseConfiguration(encodeConfiguration(first))).toEqual(first);
    expect(first).toMatchObject({
      version: 1,
      manifest: manifests[1]?.digest,
      initialise: { notAfter: UNTIL, password: 'generated' },
    });
    expect(first.quorum?.peers.map(({ node, manifest }) => [node, manifest])).toEqual([
      [1, manifests[0]?.digest],
      [3, manifests[2]?.digest],
    ]);
    const errors = lintConfiguration(first, NOW, { size: 3, threshold: 2 }).filter(
      ({ severity }) => severity === 'error',
    );
    expect(errors).toEqual([]);
  });

  it('is followed by one without the order, in which the others cosign', () => {
    const vault = documentOf((sample) => {
      sample.parts['peerWitnesses'] = { threshold: 1, maxUncosignedSeconds: 0 };
    });
    const verifierKeys = [1, 2, 3].flatMap((node) =>
      ['log', 'witness'].map(
        (kind) =>
          `node-${node}.production.acme.holdfast.internal/${kind}+0000000${node}+${Buffer.from(`${kind} ${node}`.padEnd(12)).toString('base64')}`,
      ),
    );
    const inputs = { version: 2, manifests: manifestsOf(vault), images: [IMAGE], orderUntil: null };
    const next = deriveConfiguration(vault, 1, { ...inputs, verifierKeys });
    expect(next.initialise).toBeUndefined();
    expect(next.quorum?.witnesses).toEqual({ threshold: 1, maxUncosignedSeconds: 0 });
    expect(next.quorum?.peers.every(({ log, witness }) => log !== undefined && witness !== undefined)).toBe(
      true,
    );
    // The one between them has nodes cosign, and none be cosigned: the others do not know its log before they have it.
    const between = deriveConfiguration(vault, 1, { ...inputs, verifierKeys, isCosigned: false });
    expect(between.quorum).toEqual({ ...next.quorum, witnesses: undefined });
    // Nobody can cosign yet when the first one is written.
    expect(firstOf(vault, 1).quorum?.witnesses).toBeUndefined();
  });

  it('of a vault of one node has no quorum', () => {
    const alone = documentOf((vault) => {
      vault.threshold = 1;
      vault.nodes.splice(1);
    });
    expect(firstOf(alone, 1).quorum).toBeUndefined();
  });

  it('is not made of manifests of another vault', () => {
    const other = documentOf((vault) => {
      vault['namespace'] = 'other';
    });
    expect(() =>
      deriveConfiguration(document, 1, {
        version: 1,
        manifests: manifestsOf(other),
        images: [IMAGE],
        orderUntil: UNTIL,
      }),
    ).toThrow(expect.objectContaining({ code: 'VAULT_MANIFEST_DIFFERS' }));
  });

  /** Decides as a node does. */
  function decideOperation(vault: VaultDocument, client: string, operation: Operation, key = 'treasury') {
    const policy = preparePolicy(firstOf(vault, 1));
    const fields = { client, key };
    const algorithm = operation === 'backup' ? null : ('frost-ed25519' as const);
    const request = makeRequest({ ...fields, operation, algorithm, payload: 'message' });
    const time = (monotonic: number) => ({ now: NOW, monotonic });
    const decision = decide(policy, request, createPolicyState(policy, 0), time(3_600_000));
    return decision.outcome === 'denied' ? decision.code : decision.outcome;
  }

  it('lets owners alone administer keys', () => {
    for (const operation of ['generate', 'refresh', 'reshare', 'repair'] as const) {
      expect(decideOperation(document, 'operations', operation)).toBe('permitted');
      expect(decideOperation(document, 'wallet-backend', operation)).toBe('RULE_DENIED');
    }
    expect(decideOperation(document, 'wallet-backend', 'sign')).toBe('permitted');
    expect(decideOperation(document, 'operations', 'sign')).toBe('POLICY_DENIED');
  });

  it('lets owners alone have backups made, of every key', () => {
    expect(decideOperation(document, 'operations', 'backup')).toBe('permitted');
    expect(decideOperation(document, 'wallet-backend', 'backup')).not.toBe('permitted');
    const vault = documentOf((sample) => {
      sample.tenant['approvers'] = [
        { id: 'keeper', credentials: [{ type: 'ed25519', publicKey: sampleKey('keeper') }] },
      ];
      sample.tenant['approverGroups'] = [{ id: 'keepers', approvers: ['keeper'] }];
      sample.tenant['recovery'] = {
        required: ['treasury'],
        keepers: 'keepers',
        maxUncovered: [],
        graceSeconds: 0,
      };
    });
    expect(firstOf(vault, 1).recovery).toEqual(vault.tenant.recovery);
    const codes = lintConfiguration(firstOf(vault, 1), NOW).map(({ code }) => code);
    expect(codes).not.toContain('BACKUP_UNOBTAINABLE');
  });

  it('lets nobody bring a key that was whole somewhere', () => {
    for (const operation of ['import-key', 'import-share'] as const) {
      expect(decideOperation(document, 'operations', operation)).toBe('RULE_DENIED');
      expect(decideOperation(document, 'wallet-backend', operation)).toBe('RULE_DENIED');
    }
  });

  it('lets owners import the key that is to be recovered while it is pinned, and have no other made in its place', () => {
    const vault = documentOf((sample) => {
      sample.tenant.keys.push({
        id: 'lost',
        type: 'frost-ed25519',
        publicKey: sampleKey('lost'),
        networks: [],
      });
    });
    const decideOf = (key: string, client: string, operation: Operation) =>
      decideOperation(vault, client, operation, key);
    expect(decideOf('lost', 'operations', 'import-key')).toBe('permitted');
    expect(decideOf('lost', 'wallet-backend', 'import-key')).toBe('RULE_DENIED');
    for (const operation of ['generate', 'import-share'] as const)
      expect(decideOf('lost', 'operations', operation)).toBe('RULE_DENIED');
    for (const operation of ['refresh', 'reshare', 'repair', 'backup'] as const)
      expect(decideOf('lost', 'operations', operation)).toBe('permitted');
    // The other key stays one that nobody has ever seen whole.
    for (const operation of ['import-key', 'import-share'] as const)
      expect(decideOf('treasury', 'operations', operation)).toBe('RULE_DENIED');
    expect(decideOf('treasury', 'operations', 'generate')).toBe('permitted');
    expect(firstOf(vault, 1).keys.find(({ id }) => id === 'lost')?.publicKey).toBe(sampleKey('lost'));
  });

  it('denies administration even where a rule of the tenant would permit it', () => {
    // The check refuses such a rule; whoever goes round the check gains nothing.
    const vault = documentOf((sample) => {
      const [rule] = sample.tenant.rules;
      if (rule !== undefined) rule['operations'] = ['sign', 'reshare', 'import-share'];
    });
    expect(decideOperation(vault, 'wallet-backend', 'reshare')).toBe('RULE_DENIED');
    expect(decideOperation(vault, 'wallet-backend', 'import-share')).toBe('RULE_DENIED');
    expect(decideOperation(vault, 'wallet-backend', 'sign')).toBe('permitted');
  });
});

describe('the stacks', () => {
  it('give their templates every parameter that has no default, and none that is unknown', () => {
    for (const { template, parameters, initial, open } of deriveStacks(documentOf())) {
      const known = parametersOf(template);
      const given = [...Object.keys(parameters), ...Object.keys(initial), ...open];
      expect(given.filter((name) => known[name] === undefined)).toEqual([]);
      const needed = Object.keys(known).filter((name) => known[name]?.Default === undefined);
      expect(needed.filter((name) => !given.includes(name))).toEqual([]);
      for (const [name, value] of Object.entries(parameters)) {
        const { AllowedPattern: pattern, Type: type } = known[name] ?? {};
        const values = type === 'CommaDelimitedList' ? value.split(',') : [value];
        for (const each of values)
          expect([name, each]).toEqual([name, expect.stringMatching(`^(?:${pattern ?? '.*'})$`)]);
      }
    }
  });

  it('of nodes are made with a key that signs configurations where the function is an authority, and only there', () => {
    const made = (isAuthority: boolean) => {
      const { document } = parseSample(({ nodes: [first] }) => {
        if (first !== undefined) first.configurationAuthority.function = isAuthority;
      });
      return deriveStacks(document).find(({ role }) => role === 'node-1')?.initial;
    };
    expect(made(true)).toEqual({ ConfigSigningKey: 'yes' });
    expect(made(false)).toEqual({ ConfigSigningKey: 'no' });
  });

  it("are in their roles' accounts, keys apart from hosts", () => {
    const stacks = deriveStacks(documentOf());
    expect(stacks.map(({ name, role, account, stage }) => [name, role, account, stage])).toEqual([
      ['acme-production-infrastructure', 'infrastructure', ACCOUNTS[0], 1],
      ['acme-production-node-1', 'node-1', ACCOUNTS[1], 1],
      ['acme-production-node-2', 'node-2', ACCOUNTS[2], 1],
      ['acme-production-node-3', 'node-3', ACCOUNTS[3], 1],
      ['acme-production-host-1', 'infrastructure', ACCOUNTS[0], 2],
      ['acme-production-host-2', 'infrastructure', ACCOUNTS[0], 2],
      ['acme-production-host-3', 'infrastructure', ACCOUNTS[0], 2],
    ]);
  });
});
