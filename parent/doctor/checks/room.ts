import { dirname } from 'node:path';
import { type Check, configOf } from './check.ts';
import { fail, ok, quote, skip, warn } from './check-result.ts';
import { errnoOf, type Host, readText } from './host.ts';
import { showUnit } from './unit.ts';

const MIB = 1024 * 1024;
const FULL_BYTES = 64 * MIB;
const LOW_BYTES = 1024 * MIB;
const LOW_MEMORY_KIB = 256 * 1024;
/** Defaults of parent/egress and parent/ingress, used where a configuration gives no limits. */
const DEFAULT_EGRESS = 1_024;
const DEFAULT_INGRESS = 4_096;
/** Descriptors beside those of connections: files, the store, timers, the status page. */
const OWN_DESCRIPTORS = 256;

const diskCheck: Check = {
  part: 'room',
  title: 'disk',
  needs: ['config'],
  async run(context) {
    const { store, artifacts } = configOf(context);
    const folder = 'sqlite' in store ? dirname(store.sqlite) : (artifacts.copies ?? '/var/lib');
    const [path, free] = await measureFree(context.host, folder);
    const text = `${Math.floor(free / MIB)} MiB are free at ${path}`;
    const mend = {
      advice: 'make room or a larger volume: a write that finds none ends the node',
      command: `df -h ${quote(path)}; sudo du -xh --max-depth=2 /var | sort -h | tail`,
    };
    if (free < FULL_BYTES) return [fail('DISK_FULL', text, mend)];
    return [free < LOW_BYTES ? warn('DISK_LOW', text, mend) : ok(text)];
  },
};

/** Measures the free bytes of a folder, or of its nearest parent that exists. */
async function measureFree(host: Host, folder: string): Promise<[string, number]> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      return [path, await host.freeBytes(path)];
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || path === dirname(path)) throw error;
    }
  }
}

const memoryCheck: Check = {
  part: 'room',
  title: 'memory of the parent',
  async run({ host }) {
    const text = await readText(host, '/proc/meminfo');
    const available = Number(/^MemAvailable:\s+([0-9]+) kB$/m.exec(text)?.[1]);
    const shown = `${Math.floor(available / 1024)} MiB are available beside the enclave`;
    return [
      available < LOW_MEMORY_KIB
        ? warn('MEMORY_LOW', shown, {
            advice: 'set less aside for the enclave, or take a larger instance',
            command: 'free -m; grep Huge /proc/meminfo',
          })
        : ok(shown),
    ];
  },
};

const descriptorCheck: Check = {
  part: 'room',
  title: 'descriptors',
  needs: ['config'],
  async run(context) {
    const { egress, ingress } = configOf(context);
    const unit = await showUnit(
      context.host,
      'holdfast-parent.service',
      ['LoadState', 'LimitNOFILE'],
      context.signal,
    );
    const limit = Number(unit?.get('LimitNOFILE'));
    if (unit?.get('LoadState') !== 'loaded' || Number.isNaN(limit)) {
      return [skip('NOT_APPLICABLE', 'the unit is not installed here')];
    }
    const ends =
      (egress.maxConnections ?? DEFAULT_EGRESS) +
      (ingress === undefined ? 0 : (ingress.maxConnections ?? DEFAULT_INGRESS));
    const wanted = 2 * ends + OWN_DESCRIPTORS;
    return [
      limit < wanted
        ? warn(
            'DESCRIPTORS_SHORT',
            `the unit may open ${limit} descriptors, and its connections can take ${wanted}`,
            {
              advice: 'lower maxConnections, or raise LimitNOFILE in a drop-in',
              command: 'sudo systemctl edit holdfast-parent',
            },
          )
        : ok(`${limit}, and at most ${wanted} are needed`),
    ];
  },
};

const swapCheck: Check = {
  part: 'room',
  title: 'swap',
  async run({ host }) {
    const [, ...areas] = (await readText(host, '/proc/swaps')).split('\n');
    return [
      areas.length === 0
        ? ok('off')
        : warn('SWAP_ON', `on (${areas.map((line) => line.split(/\s/)[0]).join(', ')})`, {
            advice:
              'switch it off: it slows the parent, and may put the credentials of the role on a disk; the memory of an enclave is never swapped',
            command: 'sudo swapoff -a',
          }),
    ];
  },
};

export const roomChecks: readonly Check[] = [diskCheck, memoryCheck, descriptorCheck, swapCheck];
