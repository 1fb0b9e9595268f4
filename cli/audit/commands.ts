import type { Command } from '../common/command.ts';
import { exportCommand } from './export.ts';
import { tailCommand } from './tail.ts';
import { verifyCommand } from './verify.ts';
import { keygenCommand, witnessCommand } from './witness/commands.ts';

export const auditCommands: readonly Command[] = [
  verifyCommand,
  tailCommand,
  exportCommand,
  witnessCommand,
  keygenCommand,
];
