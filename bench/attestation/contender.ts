/** Contender of bench/attestation.ts, in a process of its own: prints how many documents a second it verifies. */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  AttestationVerifier,
  AWS_NITRO_ROOT_G1,
  unsafeParseAttestationDocument,
  verifyAttestationDocument,
} from '../../attestation/index.ts';

const [name = '', documents = '', seconds = '2'] = process.argv.slice(2);
const base64 = readFileSync(join(documents, 'evervault-ga.b64'), 'latin1').trim();
const document = Buffer.from(base64, 'base64');
const certificate = readFileSync(join(documents, 'evervault-ga-certificate.der'));
const peers = process.env['PEERS'] ?? '';
// The document is of a debug enclave.
const zero = '0'.repeat(96);

/** Part of the peers' API that is used. */
interface NativePeer {
  attestCage(certificate: Buffer, pcrs: readonly { pcr0: string }[], document: Buffer): boolean;
}

interface WasmPeer {
  initSync(options: { module: Uint8Array }): void;
  PCRs: { empty(): { pcr0?: string } };
  validateAttestationDocPcrs(document: string, pcrs: readonly { pcr0?: string }[]): boolean;
}

async function prepare(): Promise<() => boolean> {
  const { pcrs } = unsafeParseAttestationDocument(document).payload;
  const options = { root: AWS_NITRO_ROOT_G1, at: 'document', pcrs, allowDebug: true } as const;
  switch (name) {
    case 'cold':
      return () => verifyAttestationDocument(document, options).debug;
    case 'cached': {
      const verifier = new AttestationVerifier();
      return () => verifier.verify(document, options).debug;
    }
    case 'signatures': {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      const message = new Uint8Array(600);
      const signature = sign('sha384', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return () => verify('sha384', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
    }
    case 'native': {
      const load: (module: string) => unknown = createRequire(join(peers, 'package.json'));
      const peer = load('evervault-attestation-bindings') as NativePeer;
      return () => peer.attestCage(certificate, [{ pcr0: zero }], document);
    }
    case 'wasm': {
      const folder = join(peers, 'node_modules/@evervault/wasm-attestation-bindings');
      const module = (await import(pathToFileURL(join(folder, 'index.js')).href)) as WasmPeer;
      module.initSync({ module: readFileSync(join(folder, 'index_bg.wasm')) });
      return () => {
        const expected = module.PCRs.empty();
        expected.pcr0 = zero;
        return module.validateAttestationDocPcrs(base64, [expected]);
      };
    }
    default:
      throw new Error(`expected the name of a contender, found ${name}`);
  }
}

const run = await prepare();
// The wasm peer is slow: few turns warm it up.
const WARM_UP = name === 'wasm' ? 10 : 500;
// Warms up, and makes certain that the contender accepts the document.
for (let turn = 0; turn < WARM_UP; turn += 1) if (!run()) throw new Error(`${name} refuses the document`);
// Processor time, as openssl speed counts: on a busy machine the clock would measure the others.
const start = process.cpuUsage();
const elapsed = (): number => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};
let count = 0;
while (elapsed() < Number(seconds)) {
  for (let turn = 0; turn < 10; turn += 1) run();
  count += 10;
}
process.stdout.write(String(count / elapsed()));
