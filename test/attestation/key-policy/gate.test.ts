import { generateKeyPairSync, createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { AttestationError } from '../../../attestation/index.ts';
import {
  GATE_RECORD_FORMAT,
  GATE_RECORD_TYPE,
  gateKeyPolicy,
  KeyPolicyError,
  renderKeyPolicy,
  type AdmittedImage,
  type GateOptions,
} from '../../../attestation/key-policy/index.ts';
import { createNsmClient } from '../../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../local/nsm/index.ts';
import {
  createEnvelope,
  ed25519PublicKeyHex,
  verifyEnvelope,
  signEnvelope,
} from '../../../shared/dsse/index.ts';
import { ACCOUNT, KEY_ARN, NODE_ROLE_ARN, ROOT_ARN } from './policies.ts';

const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`;
const CONTEXT = { 'holdfast:node': '1' };
const NOW = Date.now();
const NONCE = Buffer.from('a nonce made for this decision');
const MANIFEST = Buffer.from('the manifest');
const image = (fill: number): ReadonlyMap<number, Uint8Array> =>
  new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(fill + index)]));

let root: NitroRoot;
/** What a running enclave of an image answers, its manifest in PCR16, and its PCRs. */
async function live(
  measured: ReadonlyMap<number, Uint8Array>,
  { nonce = NONCE, now = NOW, under = root }: { nonce?: Uint8Array; now?: number; under?: NitroRoot } = {},
): Promise<{ document: Uint8Array; pcrs: Map<number, Uint8Array> }> {
  const nsm = createNsmClient(
    new EmulatedNsm({
      root: under,
      instanceId: 'i-0123456789abcdef0',
      moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
      measured,
      clock: () => now,
    }),
  );
  const manifest = await nsm.extendPcr(16, MANIFEST);
  await nsm.lockPcr(16);
  return { document: await nsm.attest({ nonce }), pcrs: new Map([...measured, [16, manifest]]) };
}

let base: GateOptions;
const render = (...images: [AdmittedImage, ...AdmittedImage[]]): string =>
  renderKeyPolicy({ nodeRole: NODE_ROLE_ARN, admins: [ADMIN], images, encryptionContext: CONTEXT });

beforeAll(async () => {
  root = await NitroRoot.create(NOW);
  const { document, pcrs } = await live(image(0x20));
  base = {
    policy: render({ pcrs }),
    keyArn: KEY_ARN,
    nodeRole: NODE_ROLE_ARN,
    admins: [ADMIN],
    encryptionContext: CONTEXT,
    expected: pcrs,
    document,
    nonce: NONCE,
    root: root.certificate,
    now: NOW,
    maxAgeMs: 300_000,
  };
});

/** The code under which the gate refuses, or `passed`. */
function gate(more: Partial<GateOptions> = {}): string {
  try {
    gateKeyPolicy({ ...base, ...more });
    return 'passed';
  } catch (error) {
    if (error instanceof AttestationError || error instanceof KeyPolicyError) return error.code;
    throw error;
  }
}

describe('the gate', () => {
  it('lets a policy pass for an enclave that has shown itself', () => {
    const { document, findings, difference } = gateKeyPolicy(base);
    expect(document.moduleId).toContain('i-0123456789abcdef0');
    expect(findings).toEqual([]);
    expect(difference.gained).toContainEqual(
      expect.objectContaining({ caller: NODE_ROLE_ARN, action: 'kms:Decrypt', attestation: 'enclave' }),
    );
  });

  it('refuses measurements that only a build has printed', async () => {
    const { document } = await live(image(0x30));
    expect(gate({ document })).toBe('PCR_MISMATCH');
  });

  it('refuses a document that is old, was made for another decision or under another root', async () => {
    expect(gate({ document: (await live(image(0x20), { now: NOW - 301_000 })).document })).toBe(
      'DOCUMENT_TOO_OLD',
    );
    expect(gate({ document: (await live(image(0x20), { nonce: Buffer.alloc(16) })).document })).toBe(
      'NONCE_MISMATCH',
    );
    const under = await NitroRoot.create(NOW);
    expect(gate({ document: (await live(image(0x20), { under })).document })).toMatch(/ROOT/);
    const changed = new Uint8Array(base.document);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(gate({ document: changed })).not.toBe('passed');
  });

  it('refuses a debug enclave', async () => {
    const zero = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48)]));
    const { document, pcrs } = await live(zero);
    expect(gate({ document, expected: pcrs })).toBe('DEBUG_ENCLAVE');
  });

  it('refuses a policy that does not admit the enclave', async () => {
    const other = await live(image(0x30));
    expect(gate({ policy: render({ pcrs: other.pcrs }), others: [{ pcrs: other.pcrs }] })).toBe(
      'GATE_NOT_ADMITTED',
    );
    const elsewhere = base.policy.replaceAll('role/node', 'role/other');
    expect(gate({ policy: elsewhere })).not.toBe('passed');
  });

  it('refuses a policy with a finding, and one that admits an image that nobody named', async () => {
    const { Statement } = JSON.parse(base.policy) as { Statement: object[] };
    const back = { Effect: 'Allow', Principal: { AWS: ROOT_ARN }, Action: 'kms:PutKeyPolicy', Resource: '*' };
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [...Statement, back] });
    expect(gate({ policy })).toBe('GATE_FINDINGS');
    const other = await live(image(0x30));
    const both = render({ pcrs: base.expected }, { pcrs: other.pcrs });
    expect(gate({ policy: both })).toBe('GATE_FINDINGS');
    expect(gate({ policy: both, others: [{ pcrs: other.pcrs }] })).toBe('passed');
  });

  describe('passes nothing but what render writes', () => {
    const edited = (edit: (statements: Record<string, unknown>[]) => void): string => {
      const { Statement } = JSON.parse(base.policy) as { Statement: Record<string, unknown>[] };
      edit(Statement);
      return JSON.stringify({ Version: '2012-10-17', Statement });
    };
    const push = (...more: Record<string, unknown>[]): string =>
      edited((statements) => void statements.push(...more));
    const extra = (more: object) => ({
      Sid: 'Extra',
      Effect: 'Allow',
      Principal: { AWS: ADMIN },
      Resource: '*',
      ...more,
    });

    it('or what is harmless by its form', () => {
      for (const policy of [
        push(extra({ Effect: 'Deny', NotPrincipal: undefined, Principal: '*', Action: 'kms:Sign' })),
        push(extra({ Principal: { AWS: ROOT_ARN }, Action: ['kms:DescribeKey', 'kms:GetKeyPolicy'] })),
        edited(([, image]) => {
          const { Condition: condition } = image as { Condition: { StringEquals: object } };
          Object.assign(condition.StringEquals, { 'aws:SourceVpc': 'vpc-1' });
        }),
        edited(([administration]) => Object.assign(administration ?? {}, { Action: 'kms:PutKeyPolicy' })),
      ]) {
        expect([policy, gate({ policy })]).toEqual([policy, 'passed']);
      }
    });

    it('not a statement that the linter has nothing to say of, a date that was not stated, or a Deny that is gone', async () => {
      expect(
        gate({ policy: push(extra({ Action: 'kms:EnableKey', Principal: { AWS: `${ADMIN}-2` } })) }),
      ).toBe('GATE_UNPROVEN');
      expect(gate({ policy: push(extra({ Action: 'kms:RotateKeyOnDemand' })) })).toBe('GATE_UNPROVEN');
      expect(gate({ policy: push(extra({ Action: 'kms:List*' })) })).toBe('GATE_UNPROVEN');
      expect(
        gate({
          policy: push(extra({ Principal: { Service: 'rds.amazonaws.com' }, Action: 'kms:DescribeKey' })),
        }),
      ).toBe('GATE_UNPROVEN');
      expect(gate({ policy: edited((statements) => void statements.splice(2, 1)) })).toBe('GATE_UNPROVEN');
      const other = await live(image(0x30));
      const until = NOW + 3_600_000;
      const both = render({ pcrs: base.expected }, { pcrs: other.pcrs, until });
      expect(gate({ policy: both, others: [{ pcrs: other.pcrs, until }] })).toBe('passed');
      expect(gate({ policy: both, others: [{ pcrs: other.pcrs, until: until + 1000 }] })).toBe(
        'GATE_UNPROVEN',
      );
      expect(
        gate({
          policy: render({ pcrs: base.expected }, { pcrs: other.pcrs }),
          others: [{ pcrs: other.pcrs, until }],
        }),
      ).toBe('GATE_UNPROVEN');
    });

    it('and refuses every policy that a variable, an id or another Region opens', () => {
      for (const more of [
        { Principal: { AWS: 'AROAEXAMPLEOFAROLEID1' }, Action: 'kms:*' },
        { Principal: '*', Action: 'kms:ReplicateKey' },
        { Action: 'kms:GenerateDataKeyPairWithoutPlaintext', Principal: { AWS: NODE_ROLE_ARN } },
      ]) {
        const policy = edited((statements) => void statements.splice(2, 2, extra(more)));
        expect(gate({ policy })).toBe('GATE_FINDINGS');
      }
    });

    it('but for an exception that names the statement and says why, which the record keeps', () => {
      const policy = push(extra({ Action: 'kms:RotateKeyOnDemand' }));
      const refused = ((): unknown => {
        try {
          return gateKeyPolicy({ ...base, policy });
        } catch (error) {
          return error;
        }
      })();
      const sha256 = (refused as KeyPolicyError).details['unproven'];
      expect(sha256).toMatchObject([
        { index: 5, sid: 'Extra', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ]);
      const [{ sha256: digest }] = sha256 as [{ sha256: string }];
      for (const statement of ['Extra', digest]) {
        const { record } = gateKeyPolicy({
          ...base,
          policy,
          exceptions: [{ statement, reason: 'rotation by hand' }],
        });
        expect(JSON.parse(Buffer.from(record).toString())).toMatchObject({
          exceptions: [{ statement: { index: 5, sid: 'Extra', sha256: digest }, reason: 'rotation by hand' }],
        });
      }
      for (const exception of [
        { statement: 'Else', reason: 'x' },
        { statement: 'Extra', reason: ' ' },
      ]) {
        expect(gate({ policy, exceptions: [exception] })).toBe('GATE_EXCEPTION');
      }
      const twice = push(extra({ Action: 'kms:RotateKeyOnDemand' }), extra({ Action: 'kms:UpdateAlias' }));
      expect(gate({ policy: twice, exceptions: [{ statement: 'Extra', reason: 'x' }] })).toBe(
        'GATE_EXCEPTION',
      );
    });

    it('and an exception excuses findings of its statement, but no critical one', () => {
      const minting = push(extra({ Action: 'kms:Encrypt', Principal: { AWS: `${ADMIN}-2` } }));
      const exceptions = [{ statement: 'Extra', reason: 'asked for by the auditors' }];
      expect(gate({ policy: minting })).toBe('GATE_FINDINGS');
      expect(gate({ policy: minting, exceptions })).toBe('passed');
      const open = edited((statements) => void statements.splice(2, 1, extra({ Action: 'kms:Decrypt' })));
      expect(gate({ policy: open, exceptions })).toBe('GATE_FINDINGS');
    });
  });

  it('tells what changes against the policy in force', async () => {
    const before = await live(image(0x10));
    const current = render({ pcrs: before.pcrs });
    const { difference } = gateKeyPolicy({ ...base, current });
    const pcr0 = (change?: { context: Readonly<Record<string, string>> }) =>
      change?.context['kms:recipientattestation:pcr0'];
    expect(difference.gained.map(pcr0)).toEqual(['20'.repeat(48)]);
    expect(difference.lost.map(pcr0)).toEqual(['10'.repeat(48)]);
  });

  it('wants a nonce that nobody could guess', () => {
    expect(() => gateKeyPolicy({ ...base, nonce: Buffer.alloc(8) })).toThrow(RangeError);
  });

  it('writes a record that an admin signs, the same for the same decision', () => {
    const { record } = gateKeyPolicy(base);
    expect(gateKeyPolicy(base).record).toEqual(record);
    const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
    expect(JSON.parse(Buffer.from(record).toString())).toMatchObject({
      format: GATE_RECORD_FORMAT,
      keyArn: KEY_ARN,
      policySha256: sha256(base.policy),
      replacesSha256: null,
      document: {
        sha256: sha256(base.document),
        root: { name: expect.stringContaining('CN='), sha256: sha256(base.root), isAws: false },
        nonce: NONCE.toString('hex'),
        instanceId: null,
        pcrs: { PCR0: '20'.repeat(48) },
      },
    });
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const envelope = signEnvelope(createEnvelope(GATE_RECORD_TYPE, record), privateKey);
    const expected = { payloadType: GATE_RECORD_TYPE, keys: [ed25519PublicKeyHex(publicKey)], threshold: 1 };
    expect(Buffer.from(verifyEnvelope(envelope, expected).payload)).toEqual(Buffer.from(record));
  });
});
