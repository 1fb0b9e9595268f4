import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { bootNode } from '../../enclave/boot/index.ts';
import { openNitroPlatform } from '../../enclave/platform/index.ts';
import { createBootTimer } from '../../local/boot-times.ts';
import { report } from '../../test/emulated/programs/report.ts';
import { betweenGuests } from '../../test/emulated/programs/small-writes.ts';

// Program of the image, which reports the times of its own start when it serves, and in the end how much memory it
// needed; its writes are as small as the emulated vsock wants them, and it believes the stand-in for KMS.
const platform = openNitroPlatform();
const { times, observer } = createBootTimer();
const node = await bootNode(
  {
    ...platform,
    transport: betweenGuests(platform.transport),
    kmsRoots: [readFileSync('/app/kms-roots.pem', 'utf8')],
  },
  observer,
);
report('ready', {
  times,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  usedBytes: totalmem() - freemem(),
});
await node.ended;
