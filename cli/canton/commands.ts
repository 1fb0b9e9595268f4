import type { Command } from '../common/command.ts';
import { renderCommand } from './render.ts';

export const commands: readonly Command[] = [renderCommand];
