import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openNitroPlatform, runEnclave } from '../../../enclave/platform/index.ts';
import { countersignDocuments } from './countersigning-nsm.ts';
import type { QuorumNodeFile } from './quorum-files.ts';
import { betweenGuests } from './small-writes.ts';

// The program of the image but for what the other nodes of the quorum need, who run on stand-ins: it trusts their NSM's
// root and their KMS's authority in place of Amazon's, and signs its device's documents under that root. Writes are as small
// as the emulated vsock wants them. All of that lies in the image and is measured with it; the production image has no
// such file, and no code that reads one.
await runEnclave(() => {
  const platform = openNitroPlatform();
  const { kmsRoots, cabundle, certificate, privateKey } = JSON.parse(
    readFileSync('/app/quorum-node.json', 'utf8'),
  ) as QuorumNodeFile;
  const decode = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
  const authorities = cabundle.map(decode);
  const [nitroRoot] = authorities;
  if (nitroRoot === undefined) throw new TypeError('expected a root');
  return {
    ...platform,
    nsm: countersignDocuments(platform.nsm, {
      cabundle: authorities,
      certificate: decode(certificate),
      privateKey: createPrivateKey(privateKey),
    }),
    transport: betweenGuests(platform.transport),
    kmsRoots,
    nitroRoot,
  };
});
