import { errnoOf, type Host, readTextIfAny } from './host.ts';

/** Kind of the machine, by its firmware and, where it may be asked, its metadata service. */
export interface Instance {
  /** Kind of machine; `nitro` and `xen` are EC2 instances. */
  readonly kind: 'nitro' | 'xen' | 'other';
  /** Vendor that the firmware names, for a machine that is no EC2 instance: `QEMU`. */
  readonly vendor: string | undefined;
  readonly type: string | undefined;
  readonly id: string | undefined;
  /** Metadata; undefined where the service was not asked, or did not respond. */
  readonly metadata: Metadata | undefined;
}

export interface Metadata {
  readonly region: string | undefined;
  /** Name of the role that the instance profile gives; null where there is none. */
  readonly role: string | null;
  /** True where the service responds without a token too: IMDSv1. */
  readonly answersWithoutToken: boolean;
}

const DMI = '/sys/class/dmi/id';

/** Reads the firmware's tables, and asks the metadata service of an EC2 instance unless `offline`. */
export async function readInstance(host: Host, offline: boolean, signal: AbortSignal): Promise<Instance> {
  const dmi = async (name: string) => {
    try {
      return await readTextIfAny(host, `${DMI}/${name}`);
    } catch (error) {
      if (errnoOf(error) === 'EACCES') return undefined;
      throw error;
    }
  };
  const vendor = await dmi('sys_vendor');
  const hypervisor = await readTextIfAny(host, '/sys/hypervisor/uuid');
  if (vendor !== 'Amazon EC2') {
    const isXen = vendor === 'Xen' && hypervisor?.startsWith('ec2') === true;
    return { kind: isXen ? 'xen' : 'other', vendor, type: undefined, id: undefined, metadata: undefined };
  }
  const [type, id] = [await dmi('product_name'), await dmi('board_asset_tag')];
  const metadata = offline ? undefined : await readMetadata(host, signal);
  return {
    kind: 'nitro',
    vendor,
    type,
    id: id !== undefined && /^i-[0-9a-f]{8,17}$/.test(id) ? id : undefined,
    metadata,
  };
}

/** Reads the metadata: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
async function readMetadata(host: Host, signal: AbortSignal): Promise<Metadata | undefined> {
  try {
    const token = await host.askMetadata({ method: 'PUT', path: '/latest/api/token' }, signal);
    if (token.status !== 200) return undefined;
    const get = async (path: string) =>
      await host.askMetadata({ method: 'GET', path: `/latest/meta-data/${path}`, token: token.body }, signal);
    const region = await get('placement/region');
    const role = await get('iam/security-credentials/');
    const bare = await host.askMetadata({ method: 'GET', path: '/latest/meta-data/instance-id' }, signal);
    return {
      region: region.status === 200 ? region.body.trim() : undefined,
      role: role.status === 200 && role.body.trim() !== '' ? (role.body.trim().split('\n')[0] ?? null) : null,
      answersWithoutToken: bare.status === 200,
    };
  } catch {
    return undefined;
  }
}
