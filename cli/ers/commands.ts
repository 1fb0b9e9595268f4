import type { Command } from '../common/command.ts';
import { acknowledgeCommand, submitCommand } from './acknowledge.ts';
import { backupCommand, statusCommand } from './backup.ts';
import { drillCommand } from './drill.ts';
import { keygenCommand } from './keygen.ts';
import { recoverCommand } from './recover.ts';
import { verifyCommand } from './verify.ts';

export const commands: readonly Command[] = [
  keygenCommand,
  verifyCommand,
  backupCommand,
  acknowledgeCommand,
  submitCommand,
  statusCommand,
  recoverCommand,
  drillCommand,
];
