import { auditLogChecks } from './audit-log.ts';
import type { Check } from './check.ts';
import { credentialChecks } from './credentials.ts';
import { clockChecks } from './clock.ts';
import { deviceChecks } from './devices.ts';
import { egressChecks } from './egress.ts';
import { fileChecks } from './files.ts';
import { instanceChecks } from './instance.ts';
import { nodeFileChecks } from './node-files.ts';
import { nodeChecks } from './node.ts';
import { peerChecks } from './peers.ts';
import { programChecks } from './program.ts';
import { resourceChecks } from './resources.ts';
import { roomChecks } from './room.ts';

/** All checks, in the order of the report. */
export const CHECKS: readonly Check[] = [
  ...instanceChecks,
  ...deviceChecks,
  ...resourceChecks,
  ...programChecks,
  ...nodeChecks,
  ...auditLogChecks,
  ...peerChecks,
  ...fileChecks,
  ...nodeFileChecks,
  ...clockChecks,
  ...credentialChecks,
  ...egressChecks,
  ...roomChecks,
];
