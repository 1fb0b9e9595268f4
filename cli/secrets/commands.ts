import type { Command } from '../common/command.ts';
import { generateCommand } from './generate.ts';
import { populateCommand } from './populate.ts';

export const commands: readonly Command[] = [generateCommand, populateCommand];
