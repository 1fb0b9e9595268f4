import { beforeAll, describe, expect, test } from 'vitest';
import { unsafeParseAttestationDocument } from '../../../attestation/index.ts';
import {
  createStatement,
  parseReview,
  parseStatement,
  presentReview,
  ReviewError,
  verifyReview,
} from '../../../policy/approvals/index.ts';
import type { PendingRequestDocument, ReviewResponse } from '../../../shared/api/requests.ts';
import { CAROL, DAVE, makeTransfer, type NodeChanges, WaitingNode } from '../../approvals/waiting-node.ts';
import { KeyHolder } from './people.ts';

const alice = new KeyHolder('alice');
const TRANSFER = makeTransfer(CAROL, 12_500_000_000_000_000_000n);
let honest: WaitingNode;
let id: string;
let review: ReviewResponse;

beforeAll(async () => {
  honest = await WaitingNode.start([alice.entry]);
  id = honest.ask(TRANSFER);
  review = await honest.review(id);
});

interface Circumstances {
  readonly node?: WaitingNode;
  readonly id?: string | undefined;
  readonly now?: number;
}

function verify(given: ReviewResponse, circumstances: Circumstances = {}) {
  const { node = honest, now = Date.now() } = circumstances;
  const document = Buffer.from(given.document, 'base64');
  const { pcrs, userData } = unsafeParseAttestationDocument(new Uint8Array(document)).payload;
  return verifyReview(given, {
    manifest: node.manifest,
    node: { attested: { pcr16: pcrs.get(16), userData }, expectedPcr16: node.expectedPcr16 },
    id: 'id' in circumstances ? circumstances.id : undefined,
    now,
  });
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ReviewError) return error.code;
    throw error;
  }
  return 'accepted';
}

/** The code with which a review of a node that errs or lies is refused. */
async function refusalOf(changes: NodeChanges): Promise<string> {
  const node = await WaitingNode.start([alice.entry], changes);
  const given = await node.review(node.ask(TRANSFER));
  return codeOf(() => verify(given, { node }));
}

describe('a review', () => {
  test('is shown with what the reader has decoded, and its label from the configuration', () => {
    const verified = verify(parseReview(Buffer.from(JSON.stringify(review))), { id });
    const { effects, warnings } = presentReview(verified);
    expect(effects[0]?.sentence).toBe('Sends 12.5 ETH');
    expect(effects[0]?.facts).toContainEqual({ name: 'To', value: CAROL, label: 'Carol & Sons (suppliers)' });
    expect(warnings).toEqual([]);
    const statement = parseStatement(createStatement(verified, 'alice', 'approve'));
    expect(statement).toMatchObject({ approver: 'alice', request: { id }, decision: 'approve' });
  });

  test('warns of a recipient whom no address book has', async () => {
    const other = honest.ask(makeTransfer(DAVE, 1n));
    const { warnings, effects } = presentReview(verify(await honest.review(other)));
    expect(warnings).toContain('A recipient is in no address book of this node.');
    expect(effects[0]?.sentence).toBe('Sends 0.000000000000000001 ETH');
  });

  test.each<[string, NodeChanges, string]>([
    ['an enclave with another manifest', { measured: Uint8Array.of(1) }, 'REVIEW_OTHER_NODE'],
    [
      'user_data without a receipt key',
      { userData: { format: 'holdfast-node/1', receiptKey: '33'.repeat(32) } },
      'REVIEW_KEY_UNATTESTED',
    ],
    [
      'another receipt key',
      { userData: { format: 'holdfast-node/2', receiptKey: '33'.repeat(32) } },
      'REVIEW_SIGNATURE_INVALID',
    ],
    [
      'another payload than its digest says',
      { alter: withPayload(makeTransfer(DAVE, 1n)) },
      'REVIEW_OTHER_REQUEST',
    ],
    [
      'a summary that shows another recipient',
      { alter: (pending) => JSON.parse(JSON.stringify(pending).replaceAll(CAROL, DAVE)) as typeof pending },
      'REVIEW_READINGS_DIFFER',
    ],
    ['another node in the request', { alter: with_({ manifest: '00'.repeat(48) }) }, 'REVIEW_OTHER_NODE'],
    [
      'another configuration than it names',
      { alter: with_({ configuration: { version: 4, digest: '00'.repeat(48) } }) },
      'REVIEW_CONFIGURATION',
    ],
    [
      'other networks of the key',
      { alter: (pending) => ({ ...pending, context: { ...pending.context, networks: ['eip155:5'] } }) },
      'REVIEW_READINGS_DIFFER',
    ],
    ['a member too much', { alter: with_({ extra: 1 } as never) }, 'REVIEW_MALFORMED'],
  ])('is refused for %s', async (_, changes, code) => {
    expect(await refusalOf(changes)).toBe(code);
  });

  test('is refused as another request than the one asked for, and after its end', () => {
    expect(codeOf(() => verify(review, { id: '00'.repeat(16) }))).toBe('REVIEW_OTHER_REQUEST');
    expect(codeOf(() => verify(review, { now: Date.now() + 600_001 }))).toBe('REVIEW_EXPIRED');
  });

  test('is refused with any part of another node', async () => {
    const other = await WaitingNode.start([alice.entry]);
    const theirs = await other.review(other.ask(TRANSFER));
    expect(codeOf(() => verify({ ...review, envelope: theirs.envelope }))).toBe('REVIEW_SIGNATURE_INVALID');
    expect(codeOf(() => verify({ ...review, document: theirs.document }))).toBe('REVIEW_OTHER_NODE');
    expect(codeOf(() => verify({ ...review, configuration: theirs.configuration }))).toBe(
      'REVIEW_CONFIGURATION',
    );
  });

  test('shows nothing that could change how other text is read', async () => {
    const node = await WaitingNode.start([alice.entry]);
    const given = await node.review(node.ask(makeTransfer(CAROL, 1n)));
    const verified = verify(given, { node });
    const [effect] = verified.transaction.effects;
    if (effect === undefined) throw new Error('expected an effect');
    const odd = { ...effect, details: { note: 'a\u202Egpj.exe\u0000\n\u2066b' } };
    const { effects } = presentReview({
      ...verified,
      transaction: { ...verified.transaction, effects: [odd] },
    });
    expect(effects[0]?.facts.at(-1)?.value).toBe(
      'a\u27E8U+202E\u27E9gpj.exe\u27E8U+0000\u27E9\u27E8U+000A\u27E9\u27E8U+2066\u27E9b',
    );
  });
});

function with_(change: Partial<PendingRequestDocument>) {
  return (pending: PendingRequestDocument): PendingRequestDocument => ({ ...pending, ...change });
}

function withPayload(payload: PendingRequestDocument['request']['payload']) {
  return (pending: PendingRequestDocument): PendingRequestDocument => ({
    ...pending,
    request: { ...pending.request, payload },
  });
}
