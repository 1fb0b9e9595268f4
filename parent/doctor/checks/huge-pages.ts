import type { Check } from './check.ts';
import { fail, type CheckResult, ok, warn } from './check-result.ts';
import { errnoOf, type Host, readText, readTextIfAny } from './host.ts';
import { parseCpuList } from './allocator.ts';
import { parseEnclaves } from './instance.ts';
import { enclaveNeeds, RESTART_ALLOCATOR } from './needs.ts';

const MIB = 1024 * 1024;
const NODES = '/sys/devices/system/node';

/** Amounts in huge pages, in bytes. */
interface Pages {
  readonly total: number;
  readonly free: number;
}

export const hugePagesCheck: Check = {
  part: 'enclave',
  title: 'huge pages',
  needs: ['enclave-host'],
  async run(context) {
    const { host, signal } = context;
    const wanted = enclaveNeeds(context).memoryMiB * MIB;
    const pages = await countHugePages(host);
    const all = sum([...pages.values()]);
    if (all.total < wanted) return [describeShort(all.total, wanted)];
    // An enclave's memory must be on the NUMA node of its CPUs: the driver's NE_ERR_MEM_DIFFERENT_NUMA_NODE.
    const nodes = pages.size > 1 ? await findNodesOfPool(host) : [...pages.keys()];
    if (nodes === undefined) {
      const short = [...pages].filter(([, { total }]) => total < wanted);
      if (short.length > 0) return [describeSpread(pages)];
    }
    const near = sum(
      nodes === undefined ? [all] : nodes.map((node) => pages.get(node) ?? { total: 0, free: 0 }),
    );
    if (near.total < wanted) return [describeElsewhere(near.total, all.total, nodes ?? [], wanted)];
    if (near.free < wanted && (await nothingRuns(host, signal))) return [describeTaken(near)];
    return [ok(`${near.total / MIB} MiB reserved, ${near.free / MIB} free`)];
  },
};

function sum(pages: readonly Pages[]): Pages {
  return pages.reduce(
    (before, { total, free }) => ({ total: before.total + total, free: before.free + free }),
    { total: 0, free: 0 },
  );
}

function describeShort(total: number, wanted: number): CheckResult {
  return fail(
    'HUGE_PAGES_SHORT',
    `${total / MIB} MiB are reserved in huge pages, the enclave wants ${wanted / MIB}`,
    {
      advice:
        'let the allocator try again, with no enclave running; where it fails, memory is in pieces, and a reboot helps',
      command: RESTART_ALLOCATOR,
    },
  );
}

const RESERVE_BY_ALLOCATOR = {
  advice:
    'let the allocator reserve them, on the node of the CPUs: "hugepages=" of the boot loader and vm.nr_hugepages spread them over all nodes',
  command: RESTART_ALLOCATOR,
};

function describeElsewhere(near: number, all: number, nodes: readonly string[], wanted: number): CheckResult {
  return fail(
    'HUGE_PAGES_SHORT',
    `${near / MIB} MiB of ${all / MIB} are reserved on ${nodes.join(' and ')}, where the CPUs of the pool are, and the enclave wants ${wanted / MIB} there`,
    RESERVE_BY_ALLOCATOR,
  );
}

function describeSpread(pages: ReadonlyMap<string, Pages>): CheckResult {
  const list = [...pages].map(([node, { total }]) => `${total / MIB} MiB on ${node}`).join(', ');
  return warn(
    'HUGE_PAGES_SPREAD',
    `${list}: an enclave has memory of the NUMA node of its CPUs alone, and which that is cannot be seen`,
    RESERVE_BY_ALLOCATOR,
  );
}

function describeTaken({ total, free }: Pages): CheckResult {
  return warn(
    'HUGE_PAGES_TAKEN',
    `only ${free / MIB} of ${total / MIB} MiB are free, and no enclave has the rest`,
    {
      advice: 'find the program that uses huge pages (a database, a JVM), and switch that off there',
      command: "sudo grep -lE '(Private|Shared)_Hugetlb: *[1-9]' /proc/[0-9]*/smaps",
    },
  );
}

/** Counts huge pages by the name of the NUMA node: `node0`. */
async function countHugePages(host: Host): Promise<ReadonlyMap<string, Pages>> {
  const pages = new Map<string, Pages>();
  for (const node of (await host.list(NODES)).filter((name) => /^node[0-9]+$/.test(name))) {
    let [total, free] = [0, 0];
    for (const folder of await host.list(`${NODES}/${node}/hugepages`)) {
      const kilobytes = Number(/^hugepages-([0-9]+)kB$/.exec(folder)?.[1] ?? 0);
      const count = async (name: string) =>
        Number(await readText(host, `${NODES}/${node}/hugepages/${folder}/${name}`)) * kilobytes * 1024;
      total += await count('nr_hugepages');
      free += await count('free_hugepages');
    }
    pages.set(node, { total, free });
  }
  return pages;
}

/**
 * Finds the NUMA nodes of the CPUs that are set aside, each once. The CPUs are offline, and their folders in sysfs
 * still name the node, as AWS's allocator reads it too. Undefined where sysfs does not show it.
 */
async function findNodesOfPool(host: Host): Promise<readonly string[] | undefined> {
  const pool = parseCpuList(
    (await readTextIfAny(host, '/sys/module/nitro_enclaves/parameters/ne_cpus')) ?? '',
  );
  const nodes = new Set<string>();
  for (const cpu of pool) {
    const names = await host.list(`/sys/devices/system/cpu/cpu${cpu}`).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    });
    const node = names.find((name) => /^node[0-9]+$/.test(name));
    if (node === undefined) return undefined;
    nodes.add(node);
  }
  return nodes.size === 0 ? undefined : [...nodes];
}

async function nothingRuns(host: Host, signal: AbortSignal): Promise<boolean> {
  try {
    const { stdout } = await host.run('nitro-cli', ['describe-enclaves'], signal);
    return parseEnclaves(stdout)?.length === 0;
  } catch {
    return false;
  }
}
