import type { Command } from '../common/command.ts';
import { checkCommand } from './check.ts';
import { initCommand } from './init.ts';
import { joinCommand } from './join.ts';
import { populateCommand } from './populate.ts';
import { sheetsCommand } from './sheets.ts';

/** Verbs of the noun, each in a file of its own, in the order in which people meet them. */
export const commands: readonly Command[] = [
  joinCommand,
  initCommand,
  checkCommand,
  sheetsCommand,
  populateCommand,
];
