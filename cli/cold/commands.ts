import type { Command } from '../common/command.ts';

import { identity, initialise } from './node.ts';
import { openResponse } from './open.ts';
import { request } from './request.ts';
import { sign } from './sign.ts';

export const commands: readonly Command[] = [initialise, identity, request, sign, openResponse];
