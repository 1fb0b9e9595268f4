/**
 * Milliseconds of processor time for the verification of one receipt, on one core: of a node whose attestation document
 * was verified before, with inclusion and two cosignatures; the same with two approvals, a passkey's among them; and with
 * the document. Target: under 2 ms for the receipt.
 *
 * node bench/receipt.ts [--rounds N]     exits with 1 where the target is missed
 */
import { parseArgs } from 'node:util';
import { computeManifestPcr, MANIFEST_PCR, verifyAttestationDocument } from '../attestation/index.ts';
import { readReceiptNode, unsafeParseReceipt, verifyReceipt } from '../audit/receipt/index.ts';
import { verifyByNode } from '../audit/log/node-signatures.ts';
import { openConfiguration } from '../shared/documents/configuration.ts';
import { parseManifest } from '../shared/documents/manifest.ts';
import {
  attest,
  configuration,
  makeReceipt,
  manifestDigest,
  manifestText,
  PCRS,
  root,
  witnesses,
} from '../test/audit/receipt/sample-node.ts';

const TARGET_MILLISECONDS = 2;
const BATCH = 50;
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const say = (line: string) => process.stdout.write(`${line}\n`);

const manifest = Buffer.from(manifestText);
const document = await attest();
const pcrs = new Map([...PCRS, [MANIFEST_PCR, computeManifestPcr(manifest)]]);
const readNode = () =>
  readReceiptNode(
    verifyAttestationDocument(document, { root: root.certificate, at: 'document', pcrs }),
    manifestDigest,
  );
const node = readNode();
const signed = openConfiguration(Buffer.from(configuration.file), {
  manifest: parseManifest(manifest),
  digest: Buffer.from(manifestDigest, 'hex'),
});
const file = Buffer.from(JSON.stringify(makeReceipt()));
const cosigners = { keys: witnesses.map(({ key }) => key), threshold: 2 };
const verify = (from: typeof node, expectations: Parameters<typeof verifyReceipt>[2]) =>
  verifyReceipt(unsafeParseReceipt(file), from, expectations, verifyByNode);

/** The median of the rounds, each the mean of a batch, in milliseconds of processor time. */
function measure(act: () => unknown): number {
  const times: number[] = [];
  for (let count = 0; count < 4 * BATCH; count += 1) act();
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const before = process.cpuUsage();
    for (let count = 0; count < BATCH; count += 1) act();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000 / BATCH);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN;
}

const receipt = measure(() => verify(node, { witnesses: cosigners }));
say(`receipt of ${file.length} bytes, inclusion, two cosignatures   ${receipt.toFixed(2)} ms`);
say(
  `the same with two approvals, one a passkey's           ${measure(() => verify(node, { signed })).toFixed(2)} ms`,
);
say(
  `the same and the attestation document                  ${measure(() => verify(readNode(), { signed })).toFixed(2)} ms`,
);
if (!(receipt < TARGET_MILLISECONDS)) {
  say(`expected under ${TARGET_MILLISECONDS} ms`);
  process.exit(1);
}
