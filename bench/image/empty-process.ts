import { freemem, totalmem } from 'node:os';
import { report } from '../../test/emulated/programs/report.ts';

// Program of an image that does nothing: the cost of Node itself.
report('ready', {
  peakBytes: process.resourceUsage().maxRSS * 1024,
  usedBytes: totalmem() - freemem(),
});
process.exit(0);
