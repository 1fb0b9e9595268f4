/** Wallet backends that each ask another node, none of which is one, to attest. */
import { readFileSync } from 'node:fs';
import { attestNode } from '../../../client/index.ts';
import { errorCode } from '../../../shared/errors.ts';
import { serveMeasurements } from './measured-process.ts';

const [url = '', attempts = '', root = ''] = process.argv.slice(2);
const trust = {
  root: new Uint8Array(readFileSync(root)),
  pcrs: new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(1)])),
  manifest: new Uint8Array(1),
};
serveMeasurements({});
await new Promise<void>((resolve) => {
  process.on('message', (told) => told === 'begin' && resolve());
});
const codes = await Promise.all(
  Array.from({ length: Number(attempts) }, () =>
    attestNode({ url, trust, timeoutMs: 3_000 }).then(() => 'attested', errorCode),
  ),
);
process.send?.({ ready: { codes } });
