/** Parent of one node as a process of its own, so that its time and memory can be told from the others'. */
import { startParent } from '../../parent/index.ts';
import { type ParentFiles, testNodeParentOptions } from '../../local/testbed/index.ts';
import { awaitTask, tell } from './child.ts';

/** Data that goes through a pipe, from which the parent's options are made. */
export interface ParentTask {
  readonly enclaveCid: number;
  readonly testbed: {
    readonly host: { readonly socketDirectory: string };
    readonly aws: { readonly port: number };
  };
  readonly testNode: Omit<ParentFiles, 'infrastructure'>;
  /** Folder of the node's log; null for none. */
  readonly logDirectory: string | null;
  readonly credentials: Pick<
    ReturnType<ParentFiles['infrastructure']['parentCredentials']>,
    'accessKeyId' | 'secretAccessKey' | 'sessionToken'
  >;
}

export type ParentTold = { readonly port: number } | { readonly phase: string; readonly code: string | null };

const task = await awaitTask<ParentTask>();
const testNode: ParentFiles = {
  ...task.testNode,
  infrastructure: { parentCredentials: () => task.credentials },
};
const parent = await startParent({
  ...testNodeParentOptions(task.testbed, testNode, task.enclaveCid),
  ingress: { port: 0, maxPerSource: 1024 },
  ...(task.logDirectory === null ? {} : { auditLog: { directory: task.logDirectory, witnesses: [] } }),
  log: (_level, event, fields) => {
    if (event === 'node.status') tell(fields ?? {});
  },
});
tell({ port: parent.ingress?.port ?? 0 });
