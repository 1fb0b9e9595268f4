import { freemem, totalmem } from 'node:os';
import { report } from '../../test/emulated/programs/report.ts';

// The program of an image that does nothing: what Node itself costs.
report('ready', {
  peakBytes: process.resourceUsage().maxRSS * 1024,
  usedBytes: totalmem() - freemem(),
});
process.exit(0);
