import { z } from 'zod';
import { type Check, configOf } from './check.ts';
import { type CheckResult, fail, ok, skip, warn } from './check-result.ts';

/** Schema of the parent's status page, as far as the check reads the page. */
const statusSchema = z.object({
  auditLog: z.object({
    size: z.number(),
    hasGap: z.boolean(),
    wanted: z.number(),
    cosigned: z.number(),
    witnesses: z.array(z.object({ name: z.string(), refusal: z.string().nullable() })),
  }),
});

const COMMAND = '/opt/holdfast/bin/holdfast parent status';

/** Check whether the node's log is whole, and its witnesses cosign it. */
const auditLogCheck: Check = {
  part: 'service',
  title: 'audit log',
  needs: ['config'],
  async run(context) {
    const { status, auditLog } = configOf(context);
    // Without a folder for the log, or a status page, there is nothing to look at.
    if (auditLog === undefined || status === undefined) return [];
    let body: string;
    try {
      ({ body } = await context.host.get({ ...status.listen, path: '/status' }, context.signal));
    } catch {
      return [skip('NOT_APPLICABLE', 'the parent does not answer, so that its log cannot be asked after')];
    }
    const parsed = statusSchema.safeParse(parseOrNothing(body));
    if (parsed.success) return describe(parsed.data.auditLog);
    return [skip('NOT_APPLICABLE', 'what answers at status.listen is no parent of this version')];
  },
};

function parseOrNothing(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function describe(log: z.infer<typeof statusSchema>['auditLog']): CheckResult[] {
  const { size, hasGap, wanted, cosigned, witnesses } = log;
  if (hasGap) {
    return [
      fail('LOG_GAP', 'the folder lacks entries that the database has dropped', {
        advice: 'put the folder back from its backup or from the bucket, then restart the parent',
        command: COMMAND,
      }),
    ];
  }
  if (cosigned < wanted) {
    return [
      fail('LOG_UNDER_COSIGNED', `${cosigned} of the ${wanted} witnesses that are wanted have cosigned`, {
        advice: 'docs/parent-alerts.md, HoldfastLogNotCosigned',
        command: COMMAND,
      }),
    ];
  }
  const refusing = witnesses.filter(({ refusal }) => refusal !== null);
  if (refusing.length === 0) return [ok(`${size} entries, cosigned by ${witnesses.length} witnesses`)];
  return refusing.map(({ name, refusal }) =>
    warn('WITNESS_REFUSES', `${name}: ${refusal ?? ''}`, {
      advice: 'docs/parent-alerts.md, HoldfastWitnessRefuses',
      command: COMMAND,
    }),
  );
}

export const auditLogChecks: readonly Check[] = [auditLogCheck];
