import { describe, expect, test } from 'vitest';
import {
  type Approval,
  ApprovalError,
  type ApprovalStatement,
  encodeStatement,
  type ExpectedApproval,
  verifyApproval,
} from '../../../policy/approvals/index.ts';
import { type Behaviour, SoftwareAuthenticator, UP, UV } from '../../shared/webauthn/authenticator.ts';
import { KeyHolder, PasskeyHolder } from './people.ts';

const alice = new PasskeyHolder('alice');
const bob = new KeyHolder('bob');
const carol = new PasskeyHolder('carol', 'EdDSA');
const stranger = new KeyHolder('stranger');
const requester = new KeyHolder('erin');

const NOW = 1_800_000_000_000;
const EXPECTED: ExpectedApproval = {
  request: { id: '0f'.repeat(16), digest: 'ab'.repeat(32) },
  manifest: 'cd'.repeat(48),
  configuration: { version: 7, digest: 'ef'.repeat(48) },
  rule: 'large-transfers',
  expires: NOW + 60_000,
  asked: ['alice', 'bob', 'carol', 'erin'],
  requester: { publicKey: '11'.repeat(32), person: 'erin' },
  votes: [],
};
const APPROVERS = [alice, bob, carol, requester].map(({ entry }) => entry);

function statementOf(approver: string, change: Partial<ApprovalStatement> = {}): ApprovalStatement {
  const { request, manifest, configuration, rule, expires } = EXPECTED;
  return {
    format: 'holdfast-approval/1',
    decision: 'approve',
    request,
    manifest,
    configuration,
    rule,
    approver,
    expires,
    ...change,
  };
}

interface Circumstances {
  readonly expected?: Partial<ExpectedApproval>;
  readonly now?: number;
  readonly lastCounter?: number;
  readonly approvers?: readonly (typeof APPROVERS)[number][];
}

function verify(approval: Approval, circumstances: Circumstances = {}) {
  const { expected, now = NOW, lastCounter = 0, approvers = APPROVERS } = circumstances;
  return verifyApproval(
    approval,
    { ...EXPECTED, ...expected },
    { approvers, now, lastCounter: () => lastCounter },
  );
}

function codeOf(approval: Approval, circumstances: Circumstances = {}): string {
  try {
    verify(approval, circumstances);
  } catch (error) {
    if (error instanceof ApprovalError) return error.code;
    throw error;
  }
  return 'accepted';
}

const sign = (person: KeyHolder | PasskeyHolder, change: Partial<ApprovalStatement> = {}) =>
  person.sign(encodeStatement(statementOf(person.id, change)));

describe.each([
  ['a passkey of ES256', alice],
  ['a key file', bob],
  ['a passkey of EdDSA', carol],
] as const)('a vote by %s', (_, person) => {
  test('counts', () => {
    expect(verify(sign(person))).toMatchObject({
      approver: person.id,
      decision: 'approve',
      credential: { type: person instanceof KeyHolder ? 'ed25519' : 'passkey' },
      counter: person instanceof KeyHolder ? null : person.authenticator.counter,
    });
    expect(verify(sign(person, { decision: 'reject' })).decision).toBe('reject');
  });

  test.each<[string, Partial<ApprovalStatement>, string]>([
    ['another request', { request: { ...EXPECTED.request, id: '00'.repeat(16) } }, 'APPROVAL_OTHER_REQUEST'],
    [
      'an altered transaction',
      { request: { ...EXPECTED.request, digest: '00'.repeat(32) } },
      'APPROVAL_OTHER_REQUEST',
    ],
    ['another node', { manifest: '00'.repeat(48) }, 'APPROVAL_OTHER_NODE'],
    ['another rule', { rule: 'small-transfers' }, 'APPROVAL_OTHER_RULE'],
    [
      'another configuration',
      { configuration: { version: 7, digest: '00'.repeat(48) } },
      'APPROVAL_OTHER_RULE',
    ],
    [
      'an older configuration',
      { configuration: { ...EXPECTED.configuration, version: 6 } },
      'APPROVAL_OTHER_RULE',
    ],
    ['a later end', { expires: EXPECTED.expires + 1 }, 'APPROVAL_EXPIRED'],
    ['an earlier end', { expires: EXPECTED.expires - 1 }, 'APPROVAL_EXPIRED'],
  ])('is refused for %s', (_name, change, code) => {
    expect(codeOf(sign(person, change))).toBe(code);
  });

  test('is refused once the request has expired', () => {
    const approval = sign(person);
    expect(codeOf(approval, { now: EXPECTED.expires - 1 })).toBe('accepted');
    expect(codeOf(approval, { now: EXPECTED.expires })).toBe('APPROVAL_EXPIRED');
    expect(codeOf(approval, { now: Number.NaN })).toBe('APPROVAL_EXPIRED');
  });

  test('is refused a second time, but for a rejection after an approval', () => {
    const after = (before: 'approve' | 'reject', decision: 'approve' | 'reject') =>
      codeOf(sign(person, { decision }), {
        expected: { votes: [{ approver: person.id, decision: before }] },
      });
    expect(after('approve', 'approve')).toBe('APPROVAL_REPEATED');
    expect(after('reject', 'approve')).toBe('APPROVAL_REPEATED');
    expect(after('reject', 'reject')).toBe('APPROVAL_REPEATED');
    expect(after('approve', 'reject')).toBe('accepted');
  });

  test('is refused of a person whom the rule does not ask', () => {
    expect(codeOf(sign(person), { expected: { asked: ['erin'] } })).toBe('APPROVER_NOT_ASKED');
    expect(codeOf(sign(person, { decision: 'reject' }), { expected: { asked: [] } })).toBe(
      'APPROVER_NOT_ASKED',
    );
  });

  test('is refused of the person behind the client', () => {
    const expected = { requester: { publicKey: '11'.repeat(32), person: person.id } };
    expect(codeOf(sign(person), { expected })).toBe('APPROVER_IS_REQUESTER');
  });

  test('is refused in the name of another', () => {
    const other = person === bob ? 'alice' : 'bob';
    expect(codeOf(person.sign(encodeStatement(statementOf(other))))).toBe('APPROVER_UNKNOWN');
    expect(codeOf(person.sign(encodeStatement(statementOf('nobody'))))).toBe('APPROVER_UNKNOWN');
  });

  test('is refused with the signature of another statement', () => {
    const { proof } = sign(person, { decision: 'reject' });
    const { statement } = sign(person);
    const code = person === bob ? 'APPROVAL_SIGNATURE_INVALID' : 'APPROVAL_OTHER_REQUEST';
    expect(codeOf({ statement, proof })).toBe(code);
  });

  test('is refused where any byte of the statement is another', () => {
    const { statement, proof } = sign(person);
    for (let index = 0; index < statement.length; index += 1) {
      const changed = new Uint8Array(statement);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(codeOf({ statement: changed, proof })).not.toBe('accepted');
    }
  });

  test('is refused for other bytes of the same statement', () => {
    const text = new TextDecoder().decode(encodeStatement(statementOf(person.id)));
    const reordered = JSON.stringify(statementOf(person.id));
    for (const bytes of [
      `${text} `,
      text.replace(':', ': '),
      reordered,
      text.replace('{', '{"x":1,'),
      '{}',
      '',
    ]) {
      expect(codeOf(person.sign(new TextEncoder().encode(bytes)))).toBe('APPROVAL_MALFORMED');
    }
  });
});

describe('a passkey', () => {
  const attempt = (behaviour: Behaviour, lastCounter = 0) =>
    codeOf(alice.sign(encodeStatement(statementOf('alice')), behaviour), { lastCounter });

  test.each<[string, Behaviour, string]>([
    ['from another origin', { origin: 'https://evil.example' }, 'APPROVAL_ORIGIN'],
    ['from within a frame', { members: { crossOrigin: true } }, 'APPROVAL_ORIGIN'],
    ['for another relying party', { relyingParty: 'evil.example' }, 'APPROVAL_ORIGIN'],
    ['that nobody touched', { flags: UV }, 'APPROVAL_USER_NOT_VERIFIED'],
    ['without its PIN', { flags: UP }, 'APPROVAL_USER_NOT_VERIFIED'],
    ['that registers', { type: 'webauthn.create' }, 'APPROVAL_SIGNATURE_INVALID'],
    ['with another challenge', { challenge: 'AAAA' }, 'APPROVAL_OTHER_REQUEST'],
  ])('is refused %s', (_, behaviour, code) => {
    expect(attempt(behaviour)).toBe(code);
  });

  test('is refused when its counter does not grow', () => {
    expect(attempt({ counter: 5 }, 5)).toBe('APPROVAL_COUNTER_BACK');
    expect(attempt({ counter: 0 }, 5)).toBe('APPROVAL_COUNTER_BACK');
    expect(attempt({ counter: 6 }, 5)).toBe('accepted');
    expect(attempt({ counter: 0 }, 0)).toBe('accepted');
  });

  test("is refused with another passkey's signature", () => {
    const other = new SoftwareAuthenticator();
    const { statement, proof } = sign(alice);
    if (proof.type !== 'passkey') throw new Error('expected a passkey');
    const { signature } = other.assert(new Uint8Array(32), alice.site);
    expect(codeOf({ statement, proof: { ...proof, signature } })).toBe('APPROVAL_SIGNATURE_INVALID');
  });
});

describe('a key file', () => {
  test("is refused where it is the requesting client's own", () => {
    const expected = { requester: { publicKey: bob.publicKey, person: null } };
    expect(codeOf(sign(bob), { expected })).toBe('APPROVER_IS_REQUESTER');
    expect(codeOf(sign(alice), { expected })).toBe('accepted');
  });

  test('is refused that the configuration does not have', () => {
    expect(codeOf(sign(stranger))).toBe('APPROVER_UNKNOWN');
    const { statement } = sign(bob);
    const { proof } = stranger.sign(statement);
    expect(codeOf({ statement, proof })).toBe('APPROVER_UNKNOWN');
  });

  test('is refused with a signature that is cut off, longer or of the bare statement', () => {
    const { statement, proof } = sign(bob);
    for (const signature of [new Uint8Array(), proof.signature.subarray(1), new Uint8Array(65)]) {
      expect(codeOf({ statement, proof: { ...proof, signature } })).toBe('APPROVAL_SIGNATURE_INVALID');
    }
  });

  test('is refused where the configuration names a key that is no point', () => {
    const broken = 'ff'.repeat(32);
    const approvers = [{ id: 'bob', credentials: [{ type: 'ed25519' as const, publicKey: broken }] }];
    const { statement, proof } = sign(bob);
    const approval = { statement, proof: { ...proof, publicKey: broken } };
    expect(codeOf(approval, { approvers })).toBe('APPROVAL_SIGNATURE_INVALID');
  });
});

test('the person behind the client is refused even where the rule asks them', () => {
  expect(codeOf(sign(requester))).toBe('APPROVER_IS_REQUESTER');
});
