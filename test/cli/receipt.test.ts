import { describe, expect, it } from 'vitest';
import { formatPcrFile } from '../../attestation/index.ts';
import { formatVerifierKey } from '../../audit/log/index.ts';
import {
  attest,
  configuration,
  makeReceipt,
  manifestText,
  PCRS,
  REQUEST,
  root,
  SIGNATURE,
  witnesses,
} from '../audit/receipt/sample-node.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder, makeManifest } from './node-files.ts';

const { write } = makeFolder();
const document = await attest();
const pcrs = write('pcr.json', formatPcrFile(PCRS));
const manifest = write('manifest.json', manifestText);
const own = write('receipt.json', JSON.stringify(makeReceipt({ document })));
const bare = write('bare.json', JSON.stringify(makeReceipt()));
const unproven = write('unproven.json', JSON.stringify(makeReceipt({ document, hasProof: false })));
const otherBoot = write(
  'boot.json',
  JSON.stringify(makeReceipt({ document, decision: { session: '0c'.repeat(16) } })),
);
const rootFile = write('root.der', root.certificate);
const trustIn = (pcrsFile: string, manifestFile: string) => [
  '--pcrs',
  pcrsFile,
  '--manifest',
  manifestFile,
  '--root',
  rootFile,
];
const trust = trustIn(pcrs, manifest);
const signed = write('signed.json', configuration.file);
const request = write('request.json', JSON.stringify(REQUEST));
const run = (...args: string[]) => runHoldfast(['receipt', 'verify', ...args]);
const refusal = async (...args: string[]) => refusalIn(await run(...args, '--json'));

describe('holdfast receipt verify', () => {
  it('says what was decided, by which image and rule, who consented, and where it lies', async () => {
    const all = ['--configuration', signed, '--request', request, '--signature', SIGNATURE.toString('hex')];
    const { exit, out } = await run(own, ...trust, ...all, '--in-log');
    expect(exit).toBe(0);
    expect(out).toMatch(/^permitted by rule transfers$/m);
    expect(out).toMatch(/effect +transfer 1000000000 /);
    expect(out).toMatch(/image +the one of pcr\.json/);
    expect(out).toMatch(/consent +approve by first, verified \(ed25519\)/);
    expect(out).toMatch(/consent +approve by second, verified \(passkey\)/);
    expect(out).toMatch(/log +in holdfast\.invalid\/acme\/production\/2, among 20 entries/);
    expect(out).toMatch(/witnesses +2 at least have cosigned/);
    expect(out).not.toContain('WARNING');
  });

  it('says what it did not compare', async () => {
    const { exit, out } = await run(unproven, ...trust);
    expect(exit).toBe(0);
    expect(out).toMatch(/WARNING: 2 not verified/);
    expect(out).toMatch(/WARNING: no proof/);
  });

  it('gives the same as JSON', async () => {
    const { out } = await run(own, ...trust, '--configuration', signed, '--json');
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      verified: true,
      isOfSameBoot: true,
      entry: { predicate: { outcome: 'permitted' } },
      consents: [{ approver: 'first' }, { approver: 'second' }],
      inclusion: { index: 7, size: 20, cosignatures: 2 },
    });
  });

  it('takes a document beside the receipt, and witnesses on the command line', async () => {
    const keys = witnesses.flatMap(({ key }) => ['--witness', formatVerifierKey(key)]);
    const beside = ['--document', write('doc.b64', Buffer.from(document).toString('base64'))];
    expect((await run(bare, ...trust, ...beside, ...keys, '--threshold', '2')).exit).toBe(0);
    expect(await refusal(bare, ...trust, ...beside, ...keys)).toMatchObject({
      exit: 1,
      code: 'CHECKPOINT_UNDER_COSIGNED',
    });
  });

  it('takes another boot only where it is told to, and says that the image is not shown', async () => {
    expect(await refusal(otherBoot, ...trust)).toMatchObject({ exit: 1, code: 'RECEIPT_OTHER_BOOT' });
    expect((await run(otherBoot, ...trust, '--other-boot')).out).toMatch(/image +WARNING: not shown/);
  });

  const elsewhere = write('elsewhere.json', makeManifest(['ab'.repeat(32)]).text);
  const otherImage = write('image.json', formatPcrFile(new Map([...PCRS, [2, new Uint8Array(48).fill(9)]])));
  const otherPcr16 = write('pcr16.json', formatPcrFile(new Map([...PCRS, [16, new Uint8Array(48).fill(9)]])));
  const otherRequest = write('other.json', JSON.stringify({ ...REQUEST, key: 'cold' }));
  const noRequest = write('no-request.json', JSON.stringify({ ...REQUEST, operation: undefined }));
  it.each([
    ['without a document', 'RECEIPT_UNBOUND', [bare, ...trust]],
    ['another image', 'PCR_MISMATCH', [own, ...trustIn(otherImage, manifest)]],
    ['another manifest', 'PCR_MISMATCH', [own, ...trustIn(pcrs, elsewhere)]],
    ['a pcr.json of another node', 'MANIFEST_PCR_MISMATCH', [own, ...trustIn(otherPcr16, manifest)]],
    ['AWS’s root', 'ROOT_MISMATCH', [own, '--pcrs', pcrs, '--manifest', manifest]],
    ['another request', 'RECEIPT_OTHER_REQUEST', [own, ...trust, '--request', otherRequest]],
    ['what is no request', 'PAYLOAD_FILE_MALFORMED', [own, ...trust, '--request', noRequest]],
    ['another signature', 'RECEIPT_OTHER_SIGNATURE', [own, ...trust, '--signature', '00']],
    ['an unsigned configuration', 'CONFIGURATION_MALFORMED', [own, ...trust, '--configuration', manifest]],
    ['no place in the log', 'RECEIPT_UNPROVEN', [unproven, ...trust, '--in-log']],
    ['what is no receipt', 'RECEIPT_MALFORMED', [manifest, ...trust]],
    ['what is no witness', 'VERIFIER_KEY_MALFORMED', [own, ...trust, '--witness', 'one']],
  ])('refuses %s', async (_, code, args) => {
    expect(await refusal(...args)).toMatchObject({ exit: 1, code });
  });

  it.each([
    ['a threshold without witnesses', ['--threshold', '1']],
    ['a signature that is no hex', ['--signature', 'xyz']],
    [
      'a threshold of none',
      ['--witness', formatVerifierKey((witnesses[0] as (typeof witnesses)[number]).key), '--threshold', '0'],
    ],
  ])('takes %s for misuse', async (_, args) => {
    expect((await run(own, ...trust, ...args)).exit).toBe(2);
  });
});

describe('holdfast receipt inspect', () => {
  it('says first that nothing is verified', async () => {
    const { exit, out } = await runHoldfast(['receipt', 'inspect', bare]);
    expect(exit).toBe(0);
    expect(out).toMatch(/^NOT VERIFIED.*\npermitted by rule transfers/);
    const { out: json } = await runHoldfast(['receipt', 'inspect', bare, '--json']);
    expect(JSON.parse(json)).toMatchObject({ verified: false, hasProof: true, hasDocument: false });
  });

  it('shows denials in words', async () => {
    const decision = {
      outcome: 'denied' as const,
      code: 'POLICY_DENIED',
      rule: null,
      approvals: [],
      signatures: [],
      reasons: [{ rule: 'transfers', condition: 'amount', words: 'at most 10 \u001b[31m' }],
    };
    const path = write('denied.json', JSON.stringify(makeReceipt({ decision })));
    const { out } = await runHoldfast(['receipt', 'inspect', path]);
    expect(out).toMatch(/^denied POLICY_DENIED$/m);
    expect(out).toMatch(/reason +transfers: at most 10 \\u001b\[31m/);
  });
});
