import type { ParentConfig } from '../../config/schema.ts';
import { type Check, configOf } from './check.ts';
import { fail, type CheckResult, ok, quote, skip, warn } from './check-result.ts';
import { errnoOf, type Host, readText, readTextIfAny } from './host.ts';
import { type Allocation, AllocatorSyntaxError, parseAllocator, parseCpuList } from './allocator.ts';
import { hugePagesCheck } from './huge-pages.ts';
import { ALLOCATOR, ALLOCATOR_UNIT, enclaveNeeds, RESTART_ALLOCATOR } from './needs.ts';
import { showUnit } from './unit.ts';

const MIB = 1024 * 1024;
/** Multiple of the image's size below which nitro-cli refuses memory (E26). */
const MEMORY_PER_IMAGE = 4;

const allocatorCheck: Check = {
  part: 'enclave',
  title: 'allocator',
  needs: ['enclave-host'],
  async run(context) {
    const { host, signal } = context;
    const allocation = await readAllocation(host);
    if ('status' in allocation) return [allocation];
    const short = compareAllocation(allocation, enclaveNeeds(context));
    const unit = await showUnit(host, ALLOCATOR_UNIT, ['ActiveState', 'UnitFileState'], signal);
    const findings = [...short, ...(unit === undefined ? [] : describeService(unit))];
    return findings.length > 0
      ? findings
      : [ok(`${allocation.memoryMiB} MiB and ${allocation.cpus} CPUs set aside by ${ALLOCATOR}`)];
  },
};

async function readAllocation(host: Host): Promise<Allocation | CheckResult> {
  try {
    return parseAllocator(Buffer.from(await host.read(ALLOCATOR)).toString('utf8'));
  } catch (error) {
    if (error instanceof AllocatorSyntaxError) {
      return fail('ALLOCATOR_MALFORMED', `${ALLOCATOR}, line ${error.line}: ${error.message}`, {
        advice: 'write it anew; the allocator reads less than YAML, and takes no empty line',
        command: `printf -- '---\\nmemory_mib: 1024\\ncpu_count: 2\\n' | sudo tee ${ALLOCATOR} && ${RESTART_ALLOCATOR}`,
      });
    }
    if (errnoOf(error) !== 'ENOENT') throw error;
    return fail('ALLOCATOR_MISSING', `${ALLOCATOR} is missing: nothing is set aside for an enclave`, {
      advice: 'install nitro-cli, which brings it',
      command: 'sudo dnf install -y aws-nitro-enclaves-cli',
    });
  }
}

function compareAllocation(
  allocation: Allocation,
  { cpus, memoryMiB }: Pick<ParentConfig['enclave'], 'cpus' | 'memoryMiB'>,
): CheckResult[] {
  const set = (key: string, value: number) =>
    `sudo sed -i 's/^${key}:.*/${key}: ${value}/' ${ALLOCATOR} && ${RESTART_ALLOCATOR}`;
  const findings: CheckResult[] = [];
  if (allocation.memoryMiB < memoryMiB) {
    const text = `${ALLOCATOR} sets ${allocation.memoryMiB} MiB aside, the enclave wants ${memoryMiB}`;
    findings.push(
      fail('ALLOCATOR_MEMORY_SHORT', text, {
        advice: 'set more aside, with no enclave running',
        command: set('memory_mib', memoryMiB),
      }),
    );
  }
  if (allocation.cpus < cpus) {
    const text = `${ALLOCATOR} sets ${allocation.cpus} CPUs aside, the enclave wants ${cpus}`;
    findings.push(
      fail('ALLOCATOR_CPUS_SHORT', text, {
        advice: 'set more aside, with no enclave running',
        command: set('cpu_count', cpus),
      }),
    );
  }
  return findings;
}

function describeService(unit: ReadonlyMap<string, string>): CheckResult[] {
  const [active, file] = [unit.get('ActiveState'), unit.get('UnitFileState')];
  if (active === 'failed') {
    return [
      fail('ALLOCATOR_FAILED', 'the allocator has run, and failed', {
        advice: 'its journal says why; memory in one piece is easiest to have right after a boot',
        command: `journalctl -u ${ALLOCATOR_UNIT} -n 20 --no-pager`,
      }),
    ];
  }
  if (active !== 'active') {
    return [
      fail('ALLOCATOR_NOT_RUN', 'the allocator has not run', {
        advice: 'run it, now and at each boot',
        command: `sudo systemctl enable --now ${ALLOCATOR_UNIT}`,
      }),
    ];
  }
  if (file !== 'enabled') {
    return [
      warn('ALLOCATOR_NOT_ENABLED', 'the allocator has run, but will not at the next boot', {
        advice: 'enable it',
        command: `sudo systemctl enable ${ALLOCATOR_UNIT}`,
      }),
    ];
  }
  return [];
}

const imageMemoryCheck: Check = {
  part: 'enclave',
  title: 'memory for the image',
  needs: ['config'],
  async run(context) {
    const { image, memoryMiB } = configOf(context).enclave;
    if (image === undefined) return [skip('NOT_CONFIGURED', 'the parent does not start the enclave itself')];
    const size = await context.host.stat(image).then(
      (found) => found.size,
      (error: unknown) => {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      },
    );
    // The check of files reports a missing image.
    if (size === undefined) return [skip('NOT_APPLICABLE', `there is no ${image}`)];
    const wanted = Math.ceil(size / MIB) * MEMORY_PER_IMAGE;
    return MEMORY_PER_IMAGE * size > memoryMiB * MIB
      ? [
          fail(
            'MEMORY_BELOW_IMAGE',
            `nitro-cli wants ${wanted} MiB for this image, and enclave.memoryMiB is ${memoryMiB}`,
            {
              advice: `raise enclave.memoryMiB to ${wanted} or more, and memory_mib of the allocator with it`,
              command: `sudoedit ${quote(context.configPath)} ${ALLOCATOR}`,
            },
          ),
        ]
      : [ok(`${memoryMiB} MiB; nitro-cli wants at least ${wanted} for an image of this size`)];
  },
};

const cpuCheck: Check = {
  part: 'enclave',
  title: 'CPUs',
  needs: ['enclave-host'],
  async run(context) {
    const { host } = context;
    const { cpus } = enclaveNeeds(context);
    const sys = '/sys/devices/system/cpu';
    const [present, online] = [
      parseCpuList(await readText(host, `${sys}/present`)).length,
      parseCpuList(await readText(host, `${sys}/online`)).length,
    ];
    const threads = Math.max(
      1,
      parseCpuList((await readTextIfAny(host, `${sys}/cpu0/topology/thread_siblings_list`)) ?? '').length,
    );
    const findings: CheckResult[] = [];
    if (cpus % threads !== 0) {
      findings.push(
        fail(
          'CPUS_NOT_WHOLE_CORES',
          `enclave.cpus is ${cpus}, and a core here has ${threads} threads: an enclave takes whole cores`,
          {
            advice: `make it a multiple of ${threads}, here and as cpu_count of the allocator`,
            command: `sudoedit ${quote(context.configPath)} ${ALLOCATOR}`,
          },
        ),
      );
    }
    if (present - cpus < threads) {
      findings.push(
        fail(
          'INSTANCE_TOO_SMALL',
          `the instance has ${present} vCPUs: the first core stays with the parent, and ${cpus} are not left`,
          {
            advice: 'take a larger instance type: 4 vCPUs where a core has two threads, 2 where it has one',
          },
        ),
      );
      return findings;
    }
    const pool = await readTextIfAny(host, '/sys/module/nitro_enclaves/parameters/ne_cpus');
    // The check of devices reports a missing driver.
    if (pool === undefined)
      return [...findings, skip('NOT_APPLICABLE', 'there is no driver that could have CPUs')];
    const size = parseCpuList(pool).length;
    if (size < cpus) {
      findings.push(
        fail(
          'CPU_POOL_SHORT',
          `${size === 0 ? 'no CPUs are' : `${size} of the CPUs are`} in the pool of enclaves, the enclave wants ${cpus}`,
          {
            advice: 'let the allocator set them aside',
            command: RESTART_ALLOCATOR,
          },
        ),
      );
    }
    return findings.length > 0 ? findings : [ok(`${size} for enclaves, ${online} for the parent`)];
  },
};

export const resourceChecks: readonly Check[] = [allocatorCheck, hugePagesCheck, imageMemoryCheck, cpuCheck];
