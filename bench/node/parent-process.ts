/** The parent of one node as a process of its own, so that its time and memory can be told from the others'. */
import { startParent } from '../../parent/index.ts';
import { type Site, siteParentOptions, type World } from '../../local/world/index.ts';
import { awaitTask, tell } from './child.ts';

/** What of a site and a world the parent's options are made from, as it goes through a pipe. */
export interface ParentTask {
  readonly enclaveCid: number;
  readonly world: { readonly socketDirectory: string; readonly aws: { readonly port: number } };
  readonly site: Pick<
    Site,
    'manifestPath' | 'configurationPath' | 'secretsDirectory' | 'storePath' | 'manifest'
  >;
  readonly credentials: Pick<
    ReturnType<Site['parentCredentials']>,
    'accessKeyId' | 'secretAccessKey' | 'sessionToken'
  >;
}

export type ParentTold = { readonly port: number } | { readonly phase: string; readonly code: string | null };

const task = await awaitTask<ParentTask>();
const site = { ...task.site, parentCredentials: () => task.credentials } as Site;
const parent = await startParent({
  ...siteParentOptions(task.world as World, site, task.enclaveCid),
  ingress: { port: 0, maxPerSource: 1024 },
  log: (_level, event, fields) => {
    if (event === 'node.status') tell(fields ?? {});
  },
});
tell({ port: parent.ingress?.port ?? 0 });
