import { readFileSync } from 'node:fs';
import { openNitroPlatform, runEnclave } from '../../../enclave/platform/index.ts';
import { betweenGuests } from './small-writes.ts';

// The program of the image but for two things: the authority that may speak for KMS is the stand-in's, which lies in
// the image beside the program and is measured with it, and writes are as small as the emulated vsock wants them.
await runEnclave(() => {
  const platform = openNitroPlatform();
  return {
    ...platform,
    transport: betweenGuests(platform.transport),
    kmsRoots: [readFileSync('/app/kms-roots.pem', 'utf8')],
  };
});
