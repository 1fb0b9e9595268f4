import { errorCode } from '../../../../shared/errors.ts';
import type { ImageName, NodeReport, UpgradeImages } from '../../../upgrade/index.ts';
import { findLastStart } from '../../node-starts.ts';
import type { StepContext } from '../context.ts';
import type { StoreIdentity } from '../deployment.ts';
import { StepError } from '../errors.ts';
import { describeNode } from '../support.ts';
import { readImages, type Upgrade, type UpgradeClient, type UpgradeNode } from './upgrade.ts';

/** Looks at all nodes: which image each attests, and whether it can sign as a client sees it. */
export async function lookAtNodes(context: StepContext, upgrade: Upgrade): Promise<readonly NodeReport[]> {
  const images = await readImages(upgrade);
  return await Promise.all(
    context.vault.nodes.map(async ({ node }) => await look(context, upgrade, node, images)),
  );
}

async function look(
  context: StepContext,
  upgrade: Upgrade,
  node: number,
  images: UpgradeImages,
): Promise<NodeReport> {
  const seen = { ...(await describeNode(context, node)), images };
  const attested = await findImage(context, seen, 'new');
  if (attested.image === null) return { node, canSign: false, ...attested };
  const code = await needClient(upgrade).look(seen);
  return { node, image: attested.image, canSign: code === null, code };
}

/** Finds which of both images a node attests; `code` says why it is neither. */
async function findImage(
  context: StepContext,
  { url, manifest, images }: UpgradeNode,
  first: ImageName,
): Promise<Pick<NodeReport, 'image' | 'code'>> {
  let code: string | null = null;
  for (const image of [first, first === 'new' ? 'old' : 'new'] as const) {
    try {
      await context.attest(url, { manifest, pcrs: images[image] });
      return { image, code: null };
    } catch (error) {
      code = errorCode(error);
    }
  }
  return { image: null, code };
}

/** Has the quorum sign with a node in it. @returns null, or the code of the refusal */
export async function signWith(context: StepContext, upgrade: Upgrade, node: number): Promise<string | null> {
  const images = await readImages(upgrade);
  return await needClient(upgrade).sign({ ...(await describeNode(context, node)), images });
}

/** Asks every node which image it attests, as an admin who believes nobody else; one of them is expected, and tried first. */
export async function attestAll(
  context: StepContext,
  upgrade: Upgrade,
  expected: ImageName,
): Promise<readonly NodeReport[]> {
  const images = await readImages(upgrade);
  return await Promise.all(
    context.vault.nodes.map(async ({ node }): Promise<NodeReport> => {
      const attested = await findImage(context, { ...(await describeNode(context, node)), images }, expected);
      return { node, canSign: attested.image !== null, ...attested };
    }),
  );
}

/** Client of the vault that a run was given. @throws StepError VAULT_UPGRADE_CLIENT_MISSING */
export function needClient({ client }: Upgrade): UpgradeClient {
  if (client !== undefined) return client;
  throw new StepError(
    'VAULT_UPGRADE_CLIENT_MISSING',
    'an upgrade has to see the quorum sign: a client of the vault and a key are needed',
    {},
  );
}

/** Least that a node's store must be, as was stated last. */
export async function readIdentity({ exchange }: StepContext, node: number): Promise<StoreIdentity> {
  const found = await findLastStart(exchange, node);
  if (found === undefined) throw new TypeError('expected the store of each node');
  return found.identity;
}
