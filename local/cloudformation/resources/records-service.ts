import { assertAllowed } from '../../aws/authorization.ts';
import type { AwsService, StateStore } from '../../aws/plumbing.ts';

/** Service of which CloudFormation alone makes things here: records with an id, for whoever may. */
export function createRecordsService(name: string, state: StateStore): AwsService {
  const kind = `record-${name}`;
  const records = new Map(state.list(kind).map(({ id, value }) => [id, value]));
  return {
    // No client can reach it: the name is no host's.
    name: `record:${name}`,
    targetPrefix: `record:${name}`,
    operations: {
      /** Puts a record, where the caller may do an action of the service. */
      Put(request) {
        const { action, id, record } = request.input as { action: string; id: string; record: unknown };
        assertAllowed(request, { action: `${name}:${action}`, resource: '*' });
        state.put(kind, id, record);
        records.set(id, record);
        return {};
      },
      /** Finds a record; undefined without one. */
      Find(request) {
        const { id } = request.input as { id: string };
        return { record: records.get(id) };
      },
      Delete(request) {
        const { action, id } = request.input as { action: string; id: string };
        assertAllowed(request, { action: `${name}:${action}`, resource: '*' });
        state.delete(kind, id);
        records.delete(id);
        return {};
      },
    },
  };
}
