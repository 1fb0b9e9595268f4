import type { Command } from '../common/command.ts';
import { ethereumCommand } from './ethereum.ts';
import { statusCommand } from './status.ts';
import { tezosCommand, tezosListCommand } from './tezos.ts';

export const commands: readonly Command[] = [statusCommand, tezosCommand, tezosListCommand, ethereumCommand];
