import type { Command } from '../common/command.ts';
import { checkCommand } from './check.ts';
import { planCommand } from './plan.ts';
import { renderCommand } from './render.ts';

export const commands: readonly Command[] = [planCommand, renderCommand, checkCommand];
