import type { Command } from '../common/command.ts';
import { ethereumCommand } from './ethereum.ts';
import { kmsCommand } from './kms.ts';
import { statusCommand } from './status.ts';
import { tezosCommand, tezosListCommand } from './tezos.ts';

export const commands: readonly Command[] = [
  kmsCommand,
  tezosCommand,
  tezosListCommand,
  ethereumCommand,
  statusCommand,
];
