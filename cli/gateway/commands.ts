import type { Command } from '../common/command.ts';
import { statusCommand } from './status.ts';

export const commands: readonly Command[] = [statusCommand];
