import type { Command } from './command.ts';
import { generateCommand } from './secrets-generate.ts';
import { populateCommand } from './secrets-populate.ts';

export const commands: readonly Command[] = [generateCommand, populateCommand];
