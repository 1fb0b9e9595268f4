import type { RecordedApproval } from '../../../audit/receipt/approval.ts';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { computeManifestPcr, MANIFEST_PCR, verifyAttestationDocument } from '../../../attestation/index.ts';
import {
  type Receipt,
  type ReceiptExpectations,
  readReceiptNode,
  unsafeParseReceipt,
  verifyReceipt,
} from '../../../audit/receipt/index.ts';
import { verifyByNode } from '../../../audit/log/node-signatures.ts';
import { openConfiguration } from '../../../shared/documents/configuration.ts';
import { parseManifest } from '../../../shared/documents/manifest.ts';
import {
  attest,
  configuration,
  makeConfiguration,
  makeReceipt,
  manifestDigest,
  manifestText,
  PCRS,
  people,
  type ReceiptChanges,
  requestDigest,
  root,
  SIGNATURE,
  signConfiguration,
  vote,
  witnesses,
} from './sample-node.ts';

const manifest = Buffer.from(manifestText);
const open = (file: string) =>
  openConfiguration(Buffer.from(file), {
    manifest: parseManifest(manifest),
    digest: Buffer.from(manifestDigest, 'hex'),
  });
const signed = open(configuration.file);
const verifyDocument = (document: Uint8Array) =>
  verifyAttestationDocument(document, {
    root: root.certificate,
    at: 'document',
    pcrs: new Map([...PCRS, [MANIFEST_PCR, computeManifestPcr(manifest)]]),
  });
const node = readReceiptNode(verifyDocument(await attest()), manifestDigest);
const ALL: ReceiptExpectations = {
  requestDigest,
  signatureDigest: createHash('sha256').update(SIGNATURE).digest('hex'),
  signed,
  isInclusionRequired: true,
};
const verify = (receipt: Receipt, expectations: ReceiptExpectations = ALL, from = node) =>
  verifyReceipt(unsafeParseReceipt(Buffer.from(JSON.stringify(receipt))), from, expectations, verifyByNode);
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'TAKEN';
};

describe('a receipt', () => {
  it('says who decided what, under which rule, who consented, and where it lies in the log', () => {
    const verified = verify(makeReceipt());
    expect(verified).toMatchObject({
      isOfSameBoot: true,
      entry: { predicate: { outcome: 'permitted', rule: 'transfers' } },
      inclusion: { index: 7, checkpoint: { size: 20 } },
      witnesses: 2,
      consents: [
        { approver: 'first', decision: 'approve', credential: 'ed25519' },
        { approver: 'second', decision: 'approve', credential: 'passkey' },
      ],
    });
  });

  it('says what nobody compared', () => {
    expect(verify(makeReceipt({ hasProof: false }), {})).toMatchObject({
      consents: null,
      inclusion: null,
      witnesses: null,
    });
    // The log's own signature is verified, and no witness's.
    expect(verify(makeReceipt({ decision: { witnesses: null } }), {})).toMatchObject({
      inclusion: { index: 7 },
      witnesses: null,
    });
  });

  const flipped = makeReceipt();
  const [{ sig }] = flipped.envelope.signatures;
  const other = generateKeyPairSync('ed25519');
  const short = { ...flipped.envelope, signatures: [{ ...flipped.envelope.signatures[0], sig: 'AAAA' }] };
  it.each<[string, string, Receipt, Partial<ReceiptExpectations>?]>([
    ['another signer', 'RECEIPT_OTHER_KEY', makeReceipt({ signer: other })],
    [
      'a short signature',
      'RECEIPT_SIGNATURE_INVALID',
      { ...flipped, envelope: short as Receipt['envelope'] },
    ],
    [
      'the signature of another entry',
      'RECEIPT_SIGNATURE_INVALID',
      {
        ...flipped,
        envelope: {
          ...makeReceipt({ decision: { rule: 'others' } }).envelope,
          signatures: [{ ...flipped.envelope.signatures[0], sig }],
        },
      },
    ],
    [
      'another node',
      'RECEIPT_OTHER_NODE',
      makeReceipt({
        decision: {
          node: { manifest: '77'.repeat(48), namespace: 'acme', environment: 'production', index: 2 },
        },
      }),
    ],
    ['another boot', 'RECEIPT_OTHER_BOOT', makeReceipt({ decision: { session: '0c'.repeat(16) } })],
    ['another request', 'RECEIPT_OTHER_REQUEST', makeReceipt({ digest: '99'.repeat(32) })],
    ['another signature', 'RECEIPT_OTHER_SIGNATURE', makeReceipt({ decision: { signatures: [] } })],
    [
      'another version of the configuration',
      'RECEIPT_OTHER_CONFIGURATION',
      makeReceipt({ decision: { configuration: { version: 5, digest: configuration.digest } } }),
    ],
    [
      'another configuration of the same version',
      'RECEIPT_OTHER_CONFIGURATION',
      makeReceipt({ decision: { configuration: { version: 4, digest: '66'.repeat(48) } } }),
    ],
    [
      'a rule that there is not',
      'RECEIPT_CONTRADICTS_CONFIGURATION',
      makeReceipt({ decision: { rule: 'others' } }),
    ],
    [
      'fewer witnesses than the configuration names',
      'RECEIPT_CONTRADICTS_CONFIGURATION',
      makeReceipt({ decision: { witnesses: { threshold: 1, of: 3 } } }),
    ],
    [
      'no witnesses though the configuration names some',
      'RECEIPT_CONTRADICTS_CONFIGURATION',
      makeReceipt({ decision: { witnesses: null } }),
    ],
    ['no proof', 'RECEIPT_UNPROVEN', makeReceipt({ hasProof: false })],
    [
      'no proof though witnesses are named',
      'RECEIPT_UNPROVEN',
      makeReceipt({ hasProof: false }),
      { isInclusionRequired: false },
    ],
    ['a proof of another place', 'RECEIPT_OTHER_PLACE', makeReceipt({ place: 8 })],
    ['a proof of another entry', 'INCLUSION_PROOF_INVALID', makeReceipt({ logged: Buffer.from('another') })],
    ['one cosignature of two', 'CHECKPOINT_UNDER_COSIGNED', makeReceipt({ cosigned: 1 })],
    [
      'fewer witnesses than the node wants',
      'RECEIPT_UNDER_WITNESSED',
      makeReceipt(),
      { witnesses: { keys: witnesses.map(({ key }) => key), threshold: 1 } },
    ],
  ])('is refused with %s', (_, code, receipt, changes) => {
    expect(codeOf(() => verify(receipt, { ...ALL, ...changes }))).toBe(code);
  });

  it('is taken of another boot where that is asked for, and says so', () => {
    const receipt = makeReceipt({ decision: { session: '0c'.repeat(16) } });
    expect(verify(receipt, { ...ALL, isOtherBootTaken: true }).isOfSameBoot).toBe(false);
  });

  const { first, second, third } = people;
  const approvals = (...votes: NonNullable<ReceiptChanges['decision']>['approvals'] & object) =>
    makeReceipt({ decision: { approvals: votes } });
  it.each<[string, string, Receipt]>([
    [
      'of another request',
      'APPROVAL_OTHER_REQUEST',
      approvals(vote(first, { request: { id: '0e'.repeat(16), digest: '99'.repeat(32) } })),
    ],
    [
      'under another id',
      'APPROVAL_OTHER_REQUEST',
      approvals(vote(first, { request: { id: '0f'.repeat(16), digest: requestDigest } })),
    ],
    ['for another node', 'APPROVAL_OTHER_NODE', approvals(vote(first, { manifest: '77'.repeat(48) }))],
    ['under another rule', 'APPROVAL_OTHER_RULE', approvals(vote(first, { rule: 'others' }))],
    [
      'under another configuration',
      'APPROVAL_OTHER_RULE',
      approvals(vote(first, { configuration: { version: 3, digest: configuration.digest } })),
    ],
    ['twice by one person', 'APPROVAL_REPEATED', approvals(vote(first), vote(first))],
    [
      'by whom the configuration does not name',
      'APPROVER_UNKNOWN',
      approvals(vote(first, { approver: 'stranger' })),
    ],
    ['by another person’s key', 'APPROVER_UNKNOWN', approvals(vote(first, { approver: 'second' }))],
    ['by the person behind the client', 'APPROVER_IS_REQUESTER', approvals(vote(third))],
    ['that had expired', 'APPROVAL_EXPIRED', approvals(vote(first, { expires: 1 }))],
    [
      'with another expiry than the others',
      'APPROVAL_EXPIRED',
      approvals(vote(first), vote(second, { expires: 2_000_000_000_000 })),
    ],
    [
      'with another statement under its signature',
      'APPROVAL_SIGNATURE_INVALID',
      approvals({
        ...vote(first),
        statement: vote(first, { decision: 'reject' }).statement,
        decision: 'reject',
      }),
    ],
    [
      'by another person than the entry says',
      'RECEIPT_CONSENT',
      approvals({ ...vote(first), approver: 'second' }),
    ],
    [
      'that the entry calls an approval, and is none',
      'RECEIPT_CONSENT',
      approvals({ ...vote(first, { decision: 'reject' }), decision: 'approve' }),
    ],
    ['that rejects what was permitted', 'RECEIPT_CONSENT', approvals(vote(first, { decision: 'reject' }))],
  ])('is refused with a vote %s', (_, code, receipt) => {
    expect(codeOf(() => verify(receipt))).toBe(code);
  });

  it('of a denial may carry the rejection', () => {
    const decision = {
      outcome: 'denied',
      code: 'REJECTED',
      signatures: [],
      approvals: [vote(first), vote(second, { decision: 'reject' })],
    } as const;
    const { signatureDigest: _, ...rest } = ALL;
    const { consents } = verify(
      makeReceipt({ decision: { ...decision, approvals: [...decision.approvals], signatures: [] } }),
      rest,
    );
    expect(consents).toMatchObject([{ decision: 'approve' }, { decision: 'reject' }]);
  });

  it('of a denial, which no rule made, is about the rule that was asked for', () => {
    const { signatureDigest: _, ...rest } = ALL;
    const denied = (...approvals: RecordedApproval[]) =>
      makeReceipt({
        decision: { outcome: 'denied', code: 'RATE_LIMITED', rule: null, signatures: [], approvals },
      });
    expect(verify(denied(vote(first), vote(second)), rest).consents).toHaveLength(2);
    expect(codeOf(() => verify(denied(vote(first), vote(second, { rule: 'others' })), rest))).toBe(
      'APPROVAL_OTHER_RULE',
    );
  });

  it('is of a rule that permits, for the key of the request', () => {
    const denies = signConfiguration(
      makeConfiguration({
        keys: [
          { id: 'hot', type: 'ed25519', networks: [] },
          { id: 'cold', type: 'ed25519', networks: [] },
        ],
        rules: makeConfiguration().rules.map((rule) => ({ ...rule, keys: ['cold'] })),
      }),
    );
    const receipt = makeReceipt({
      decision: { approvals: [], configuration: { version: 4, digest: denies.digest } },
    });
    expect(codeOf(() => verify(receipt, { ...ALL, signed: open(denies.file) }))).toBe(
      'RECEIPT_CONTRADICTS_CONFIGURATION',
    );
  });

  it.each([
    ['the binding of an older node', { format: 'holdfast-node/1' }],
    ['a member too many', { also: 1 }],
    ['no key of receipts', { receiptKey: undefined }],
    ['a short key of receipts', { receiptKey: '00' }],
  ])('has no node in a document with %s', async (_, changes) => {
    const document = verifyDocument(await attest(changes));
    expect(codeOf(() => readReceiptNode(document, manifestDigest))).toBe('RECEIPT_UNBOUND');
  });

  it('has no node in a document without user_data', () => {
    expect(codeOf(() => readReceiptNode({ userData: null, timestamp: 0 }, manifestDigest))).toBe(
      'RECEIPT_UNBOUND',
    );
  });
});
