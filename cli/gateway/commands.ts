import type { Command } from '../common/command.ts';
import { kmsCommand } from './kms.ts';
import { statusCommand } from './status.ts';

export const commands: readonly Command[] = [kmsCommand, statusCommand];
