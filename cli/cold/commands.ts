import type { Command } from '../common/command.ts';
import { bundle } from './bundle.ts';
import { commands as machineCommands } from './machine-commands.ts';
import { openResponse } from './open.ts';
import { request } from './request.ts';

export const commands: readonly Command[] = [bundle, ...machineCommands, request, openResponse];
