import type { Command } from './command.ts';
import { diffCommand, lintCommand } from './key-policy-read.ts';
import { closeCommand, gateCommand, renderCommand } from './key-policy-write.ts';

export const commands: readonly Command[] = [
  renderCommand,
  closeCommand,
  lintCommand,
  diffCommand,
  gateCommand,
];
