import type { Command } from '../common/command.ts';
import { identity, initialise } from './node.ts';
import { sign } from './sign.ts';

/** Verbs on the machine of the node; the others are for its clients. */
export const commands: readonly Command[] = [initialise, identity, sign];
