import type { Command } from './command.ts';
import { diffCommand, lintCommand } from './key-policy-read.ts';
import { gateCommand, renderCommand } from './key-policy-write.ts';

export const commands: readonly Command[] = [renderCommand, lintCommand, diffCommand, gateCommand];
