import { z } from 'zod';
import { nodePhaseSchema } from '../../../shared/protocol/control.ts';
import { type Check, configOf } from './check.ts';
import { fail, type CheckResult, ok, skip, warn } from './check-result.ts';

const code = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/);
/** Schema of the parent's status page, as far as the check reads the page. */
const statusSchema = z.object({
  node: z.object({ phase: nodePhaseSchema, code: code.nullable() }).nullable(),
  enclave: z.object({ state: z.string().optional(), code: code.optional() }),
});

const nodeCheck: Check = {
  part: 'service',
  title: 'node',
  needs: ['config'],
  async run(context) {
    const { status } = configOf(context);
    if (status === undefined) return [skip('NOT_CONFIGURED', 'no status page is configured')];
    let body: string;
    try {
      ({ body } = await context.host.get({ ...status.listen, path: '/status' }, context.signal));
    } catch {
      return [skip('NOT_APPLICABLE', 'the parent does not answer, so that its node cannot be asked after')];
    }
    const parsed = statusSchema.safeParse(parseOrNothing(body));
    return [
      parsed.success
        ? describe(parsed.data)
        : skip('NOT_APPLICABLE', 'what answers at status.listen is no parent of this version'),
    ];
  },
};

function parseOrNothing(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function describe({ node, enclave }: z.infer<typeof statusSchema>): CheckResult {
  if (node?.phase === 'serving' && node.code !== null)
    return warn(
      'BACKUP_LACKING',
      `serves, and says ${node.code}: a key that needs a kept backup has none of now`,
      {
        advice: 'docs/recovery.md says how a backup is made and acknowledged',
        command: 'holdfast ers status',
      },
    );
  if (node?.phase === 'serving') return ok('serves');
  const mend = {
    advice: 'docs/parent-alerts.md says what each code means and what to do',
    command: '/opt/holdfast/bin/holdfast parent status',
  };
  const ended = enclave.state === 'halted' ? enclave.code : node?.phase === 'failed' ? node.code : undefined;
  if (ended !== undefined) return fail('NODE_NOT_SERVING', `failed with ${ended ?? 'no code'}`, mend);
  return warn(
    'NODE_NOT_SERVING',
    node === null ? 'has not said anything yet' : `is at "${node.phase}"`,
    mend,
  );
}

export const nodeChecks: readonly Check[] = [nodeCheck];
