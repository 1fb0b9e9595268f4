import type { Command } from '../common/command.ts';
import { applyCommand } from './apply.ts';
import { checkCommand } from './check.ts';
import { configureApplyCommand, configurePlanCommand } from './configure/run.ts';
import { fetchCommand, mirrorCommand } from './fetch.ts';
import { initCommand } from './init.ts';
import { joinCommand } from './join.ts';
import { keyCommand } from './key.ts';
import { planCommand } from './plan.ts';
import { populateCommand } from './populate.ts';
import { profilesCommand } from './profiles.ts';
import { sheetsCommand } from './sheets.ts';
import { statusCommand } from './status.ts';
import {
  upgradeApplyCommand,
  upgradePlanCommand,
  upgradeResumeCommand,
  upgradeRollbackCommand,
} from './upgrade/run.ts';
import { upgradeStatusCommand } from './upgrade/status.ts';

/** Verbs of the noun, each in a file of its own, in the order in which people meet them. */
export const commands: readonly Command[] = [
  keyCommand,
  joinCommand,
  initCommand,
  checkCommand,
  sheetsCommand,
  fetchCommand,
  mirrorCommand,
  populateCommand,
  planCommand,
  applyCommand,
  statusCommand,
  profilesCommand,
  configurePlanCommand,
  configureApplyCommand,
  upgradePlanCommand,
  upgradeApplyCommand,
  upgradeStatusCommand,
  upgradeRollbackCommand,
  upgradeResumeCommand,
];
