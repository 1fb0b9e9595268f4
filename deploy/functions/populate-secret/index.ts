import { randomBytes } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { writeLog } from '../lambda.ts';
import { createHandler } from './handler.ts';

/** The entry that Lambda calls. */
export const handler = createHandler({
  client: new SecretsManagerClient({}),
  random: randomBytes,
  log: writeLog,
});
