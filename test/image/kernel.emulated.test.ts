import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeEif, memorySource } from '../../attestation/eif/index.ts';
import { type ImageInputs, prepareInputs, ROOT } from '../../scripts/image/inputs.ts';
import { sampleSections, writeImage, KERNEL, type RawSection } from '../attestation/eif/raw-image.ts';
import { findEmulator, isPinned } from '../emulated/harness/emulator.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FRAGMENT = readFileSync(join(ROOT, 'docker/kernel.config'), 'utf8');
const NOT_SET = /^# (CONFIG_\w+) is not set$/;

/** Options of a configuration by name, as they are written; one that is not set is `undefined`. */
function parseConfig(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(CONFIG_\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) options.set(name, value);
  }
  return options;
}

describe.skipIf(findEmulator() === undefined)("the enclave's kernel", () => {
  let inputs: ImageInputs;
  let built: Map<string, string>;
  // Not in the body, which runs where the tests are skipped, too.
  beforeAll(() => {
    inputs = prepareInputs();
    built = parseConfig(readFileSync(inputs.kernelConfig, 'utf8'));
  });

  test('has every option that docker/kernel.config asks for, and none that it rules out', () => {
    const wanted = parseConfig(FRAGMENT);
    const ruledOut = FRAGMENT.split('\n').map((line) => NOT_SET.exec(line)?.[1]);
    expect(wanted.size).toBeGreaterThan(100);
    expect([...wanted].filter(([name, value]) => built.get(name) !== value)).toEqual([]);
    expect(ruledOut.filter((name) => name !== undefined && built.has(name))).toEqual([]);
  });

  test('finds its devices on EC2, where there is neither ACPI nor PCI', () => {
    const needed = [
      'X86_MPPARSE',
      'VIRTIO_MMIO',
      'VIRTIO_MMIO_CMDLINE_DEVICES',
      'KVM_GUEST',
      'VIRTIO_VSOCKETS',
      'NSM',
      'HW_RANDOM',
      'SERIAL_8250_CONSOLE',
      'RD_ZSTD',
      'DEVTMPFS',
    ];
    expect(needed.filter((name) => built.get(`CONFIG_${name}`) !== 'y')).toEqual([]);
  });

  test('has no way to load code into it, to look into memory, or to reach a network', () => {
    const forbidden = [
      'MODULES',
      'KEXEC_CORE',
      'BPF_SYSCALL',
      'IO_URING',
      'USERFAULTFD',
      'PROC_KCORE',
      'DEVMEM',
      'DEBUG_FS',
      'KALLSYMS',
      'KPROBES',
      'FTRACE',
      'COREDUMP',
      'SWAP',
      'INET',
      'BLOCK',
      'USER_NS',
      'X86_MSR',
    ];
    expect(forbidden.filter((name) => built.has(`CONFIG_${name}`))).toEqual([]);
  });

  test('has the mitigations and the hardening that Linux knows of', () => {
    const needed = [
      'CPU_MITIGATIONS',
      'MITIGATION_RETPOLINE',
      'MITIGATION_PAGE_TABLE_ISOLATION',
      'STRICT_KERNEL_RWX',
      'RANDOMIZE_BASE',
      'HARDENED_USERCOPY',
      'FORTIFY_SOURCE',
      'INIT_ON_ALLOC_DEFAULT_ON',
      'INIT_ON_FREE_DEFAULT_ON',
      'SECCOMP_FILTER',
      'STACKPROTECTOR_STRONG',
      'PANIC_ON_OOPS',
    ];
    expect(needed.filter((name) => built.get(`CONFIG_${name}`) !== 'y')).toEqual([]);
  });

  test('is the one that this commit publishes', ({ skip }) => {
    skip(!isPinned(), 'SKIPPED: the pinned inputs cannot be had; this kernel is made from others');
    const kernel = createHash('sha256').update(readFileSync(inputs.kernel)).digest('hex');
    // The pinned inputs, docker/kernel.config or scripts/kernel.sh have changed? Then the new digest belongs there.
    expect(`${kernel}  bzImage\n`).toBe(readFileSync(join(ROOT, 'docker/kernel.sha256'), 'utf8'));
  });

  test('is a bzImage that ends where it says', async () => {
    const image = writeImage({
      sections: sampleSections().map((section): RawSection =>
        section.type === KERNEL ? { type: KERNEL, content: readFileSync(inputs.kernel) } : section,
      ),
    });
    const { kernel } = await describeEif(memorySource(image));
    expect(kernel).toEqual({ format: 'bzImage', bytesAfterEnd: 0 });
  });

  test('is not built when an option would be dropped', { timeout: 900_000 }, () => {
    const folder = temporaryFolder();
    for (const name of ['scripts', 'docker'])
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    // Depends on ACPI.
    writeFileSync(join(folder, 'docker/kernel.config'), `${FRAGMENT}CONFIG_ACPI_BUTTON=y\n`);
    const { status, stderr } = spawnSync(
      join(folder, 'scripts/kernel.sh'),
      ['--into', join(folder, 'kernel')],
      { encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('CONFIG_ACPI_BUTTON=y');
  });
});
