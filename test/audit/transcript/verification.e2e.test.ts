import { beforeAll, describe, expect, it } from 'vitest';
import {
  decodeTranscript,
  encodeTranscript,
  type Transcript,
  type TranscriptTrust,
  verifyChain,
  type VerifiedTranscript,
  verifyTranscript,
} from '../../../audit/transcript/index.ts';
import { createNsmClient } from '../../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../local/nsm/index.ts';
import { nobleSuites } from '../../../shared/frost/index.ts';
import { createVerifierKey, formatVerifierKey } from '../../../audit/log/index.ts';
import { MemoryQuorum, type QuorumNode, toySuites } from '../../enclave/quorum/ceremonies/quorum.ts';

const INSTANCE = 'i-0123456789abcdef0';
const PCRS = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)]));
const manifestOf = (node: number) => new Uint8Array(48).fill(node);
const LOG_KEY = formatVerifierKey(createVerifierKey('log', 'ed25519', new Uint8Array(32).fill(1)));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

let root: NitroRoot;

/** Has an emulated NSM attest for a node; `change` says otherwise of it than is true. */
async function attestAs(
  { node, receiptKey }: Pick<QuorumNode, 'node' | 'receiptKey'>,
  session: string,
  nonce: Uint8Array,
  change: Record<string, unknown> = {},
): Promise<Uint8Array> {
  const nsm = createNsmClient(
    new EmulatedNsm({
      root,
      instanceId: INSTANCE,
      moduleId: `${INSTANCE}-enc0123456789abcdef`,
      measured: PCRS,
      clock: Date.now,
    }),
  );
  await nsm.extendPcr(16, manifestOf(node));
  await nsm.lockPcr(16);
  const binding = {
    format: 'holdfast-node/2',
    session,
    configuration: 1,
    importKey: '44'.repeat(32),
    log: { origin: 'log', key: LOG_KEY },
    receiptKey: hex(receiptKey.publicKey),
    witnesses: null,
    ...change,
  };
  return await nsm.attest({ nonce, userData: Buffer.from(JSON.stringify(binding)) });
}

let transcript: Transcript;
let refreshes: readonly (Uint8Array | undefined)[];
let trust: TranscriptTrust;
let publicKey: string;

beforeAll(async () => {
  root = await NitroRoot.create(Date.now());
  const quorum = await MemoryQuorum.start({
    suites: nobleSuites,
    manifestOf,
    attest: attestAs,
  });
  const outcome = await quorum.run(quorum.node(1).lead(quorum.order('generate')));
  publicKey = hex(outcome.publicKeys[0] ?? new Uint8Array());
  const bytes = await quorum.node(2).ceremonies?.getTranscript('shared', 1);
  if (bytes === undefined) throw new RangeError('expected a transcript');
  transcript = decodeTranscript(bytes);
  await quorum.run(quorum.node(2).lead(quorum.order('refresh')));
  await quorum.run(quorum.node(3).lead(quorum.order('refresh')));
  refreshes = await Promise.all(
    [2, 3].map(async (epoch) => await quorum.node(1).ceremonies?.getTranscript('shared', epoch)),
  );
  trust = {
    root: root.certificate,
    images: [PCRS],
    manifests: [1, 2, 3].map((node) => hex(manifestOf(node))),
    suites: nobleSuites,
  };
});

const codeOf = (changes: Partial<Transcript>, trusted: Partial<TranscriptTrust> = {}): unknown => {
  try {
    verifyTranscript(encodeTranscript({ ...transcript, ...changes }), { ...trust, ...trusted });
    return 'none';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('the transcript of a ceremony', () => {
  it('verifies with root, images and manifests alone', () => {
    const { keys, plan } = verifyTranscript(encodeTranscript(transcript), trust);
    expect(keys.map((key) => hex(key.publicKey))).toEqual([publicKey]);
    expect(plan.holders).toEqual([1, 2, 3]);
  });

  it('is refused with other images, manifests, messages, results or confirmations', () => {
    expect(codeOf({}, { manifests: [hex(manifestOf(1))] })).toBe('CEREMONY_DOCUMENT_WRONG');
    expect(codeOf({}, { images: [new Map([[0, new Uint8Array(48).fill(9)]])] })).toBe(
      'CEREMONY_DOCUMENT_WRONG',
    );
    expect(codeOf({ confirmations: transcript.confirmations.slice(1) })).toBe('CEREMONY_SENDERS_WRONG');
    expect(codeOf({ confirmations: [] })).toBe('CEREMONY_SENDERS_WRONG');
    expect(codeOf({ commits: transcript.commits.slice(1) })).toBe('CEREMONY_SENDERS_WRONG');
    expect(codeOf({ deals: transcript.deals.toReversed() })).toBe('CEREMONY_SENDERS_WRONG');
    const [first = new Uint8Array(32), second = new Uint8Array(32)] = transcript.result[0] ?? [];
    expect(codeOf({ result: [[second, first]] })).toBe('CEREMONY_RESULT_WRONG');
    const forged = transcript.confirmations.map((one) => ({ ...one, signature: new Uint8Array(64) }));
    expect(codeOf({ confirmations: forged })).toBe('CEREMONY_SIGNATURE_INVALID');
    const altered = transcript.commits.map((one) => ({ ...one, signature: new Uint8Array(64) }));
    expect(codeOf({ commits: altered })).toBe('CEREMONY_SIGNATURE_INVALID');
  });

  it.each([
    ['another boot', { session: '0f'.repeat(16) }],
    ['another receipt key', { receiptKey: '0f'.repeat(32) }],
    ['no key at all', { format: 'holdfast-peer/1' }],
  ])('is refused where the document of a node names %s', async (_, change) => {
    const quorum = await MemoryQuorum.start({
      manifestOf,
      attest: (node, session, nonce) => attestAs(node, session, nonce, node.node === 3 ? change : {}),
    });
    await quorum.run(quorum.node(1).lead(quorum.order('generate')));
    const bytes = await quorum.node(2).ceremonies?.getTranscript('shared', 1);
    expect(() => verifyTranscript(bytes ?? new Uint8Array(), { ...trust, suites: toySuites })).toThrow(
      expect.objectContaining({ code: 'CEREMONY_DOCUMENT_WRONG', details: { node: 3 } }),
    );
  });

  it('follows the one before, and no other', () => {
    const [first, second, third] = [encodeTranscript(transcript), ...refreshes].map((bytes) =>
      verifyTranscript(bytes ?? new Uint8Array(), trust),
    ) as [VerifiedTranscript, VerifiedTranscript, VerifiedTranscript];
    expect(() => verifyChain([third, first, second])).not.toThrow();
    expect(() => verifyChain([second])).not.toThrow();
    const unendorsed = expect.objectContaining({ code: 'CEREMONY_UNENDORSED' });
    expect(() => verifyChain([first, third])).toThrow(unendorsed);
    expect(() => verifyChain([second, second])).toThrow(unendorsed);
    const [key] = second.keys;
    const otherGroup = {
      ...second,
      keys: [{ ...key, commitments: third.keys[0]?.commitments } as VerifiedTranscript['keys'][number]],
    };
    expect(() => verifyChain([otherGroup, third])).toThrow(unendorsed);
    const otherNodes = {
      ...first,
      plan: {
        ...first.plan,
        members: first.plan.members.map((member) => ({ ...member, manifest: manifestOf(9) })),
      },
    };
    expect(() => verifyChain([otherNodes, second])).toThrow(unendorsed);
  });
});
