import type { z } from 'zod';
import {
  acknowledgementRequestSchema,
  type acknowledgementResponseSchema,
  backupRequestSchema,
  type backupResponseSchema,
} from '../../shared/api/recovery.ts';
import type { RecoveryOperations } from '../signing/index.ts';
import type { Route } from './router.ts';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/**
 * Creates the routes to backups; shared/api/recovery.ts lists them. Each translates between JSON and the pipeline, which
 * decides.
 *
 * @param configuration version of the configuration in force
 */
export function createRecoveryRoutes(
  recovery: RecoveryOperations | undefined,
  configuration: number,
): Route[] {
  if (recovery === undefined) return [];
  const path = (rest: string) => new RegExp(`^/v1/recovery${rest}$`);
  return [
    { method: 'GET', path: path(''), isSigned: true, act: () => recovery.status() },
    {
      method: 'POST',
      path: path('/backup'),
      isSigned: true,
      act: async ({ client, parse }): Promise<z.infer<typeof backupResponseSchema>> => {
        const { result, rule, receipt } = await recovery.backUp(client, parse(backupRequestSchema));
        return {
          statement: base64(result.statement),
          document: base64(result.document),
          ciphertexts: result.ciphertexts.map(base64),
          rule,
          configuration,
          receipt,
        };
      },
    },
    {
      method: 'POST',
      path: path('/acknowledgement'),
      isSigned: true,
      act: async ({ client, parse }): Promise<z.infer<typeof acknowledgementResponseSchema>> => {
        const body = parse(acknowledgementRequestSchema);
        const { result, rule, receipt } = await recovery.acknowledge(client, body);
        const { statement, keeper } = result;
        return { statement, keeper: keeper.id, rule, configuration, receipt };
      },
    },
  ];
}
