import type { Command } from '../common/command.ts';
import { verifyRecordCommand } from './verify-record.ts';
import { diffCommand, lintCommand } from './read.ts';
import { closeCommand, gateCommand, renderCommand } from './write.ts';

export const commands: readonly Command[] = [
  renderCommand,
  closeCommand,
  lintCommand,
  diffCommand,
  gateCommand,
  verifyRecordCommand,
];
