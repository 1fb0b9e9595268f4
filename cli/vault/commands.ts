import type { Command } from '../common/command.ts';
import { fetchCommand, mirrorCommand } from './fetch.ts';

export const commands: readonly Command[] = [fetchCommand, mirrorCommand];
