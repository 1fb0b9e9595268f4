import type { Command } from './command.ts';
import { verifyRecordCommand } from './key-policy/verify-record.ts';
import { diffCommand, lintCommand } from './key-policy-read.ts';
import { closeCommand, gateCommand, renderCommand } from './key-policy-write.ts';

export const commands: readonly Command[] = [
  renderCommand,
  closeCommand,
  lintCommand,
  diffCommand,
  gateCommand,
  verifyRecordCommand,
];
