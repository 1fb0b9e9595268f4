import { execFileSync, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NATIVE = join(import.meta.dirname, '../../shared/native');
const { EPERM, ENOSYS, EINVAL, ENOTTY, ENOENT, EBADF, EAFNOSUPPORT, EOPNOTSUPP } = constants.errno;
const KILLED = -constants.signals.SIGSYS;
const [UNIX, INET, NETLINK, PACKET, VSOCK] = [1, 2, 16, 17, 40];
const [STREAM, DATAGRAM, CLOSE_ON_EXEC] = [1, 2, 0o2000000];
const X32 = 0x40000000;

const hasCompiler = spawnSync('cc', ['--version']).status === 0;

// arch/x86/entry/syscalls/syscall_64.tbl
describe.skipIf(!hasCompiler || process.arch !== 'x64')("Node's system calls in the image", () => {
  const folder = temporaryFolder();
  const program = join(folder, 'filter-calls');

  beforeAll(() => {
    const sources = ['init/node-filter.c', 'filter.c'].map((name) => join(NATIVE, name));
    const calls = join(import.meta.dirname, 'filter-calls.c');
    execFileSync('cc', [`@${join(NATIVE, 'cflags')}`, '-pthread', '-o', program, calls, ...sources]);
  });

  /** What becomes of each call: 0, an errno, or minus a signal. */
  function outcomes(calls: readonly (readonly number[])[]): number[] {
    const lines = calls.map((call) => [...call, 0, 0, 0, 0, 0, 0].slice(0, 7).join(' '));
    const { status, stdout } = spawnSync(program, { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
    expect(status).toBe(0);
    return stdout.trim().split('\n').map(Number);
  }

  test('runs what Node lives on', () => {
    const [getpid, geteuid, schedule, thread] = [[39], [107], [24], [-2]] as const;
    expect(outcomes([getpid, geteuid, schedule, thread])).toEqual([0, 0, 0, 0]);
  });

  test.each([
    ['ptrace', [101]],
    ['process_vm_readv', [310]],
    ['process_vm_writev', [311]],
    ['mount', [165]],
    ['umount2', [166]],
    ['move_mount', [429]],
    ['bpf', [321]],
    ['perf_event_open', [298]],
    ['kexec_load', [246]],
    ['kexec_file_load', [320]],
    ['init_module', [175]],
    ['finit_module', [313]],
    ['add_key', [248]],
    ['keyctl', [250]],
    ['userfaultfd', [323]],
    ['personality', [135, 0xffffffff]],
    ['unshare', [272]],
    ['setns', [308]],
    ['pidfd_open', [434, 1]],
    ['open_by_handle_at', [304]],
    ['reboot', [169]],
    ['settimeofday', [164]],
    ['iopl', [172]],
    ['modify_ldt', [154]],
    ['execveat', [322]],
    ['execve of another program', [59]],
    ['fork', [57]],
    ['vfork', [58]],
    ['clone of a process', [56, 17]],
    ['a call by the number of x32', [X32 + 39]],
    ['a call by the convention of i386', [-1]],
  ])('ends at once on %s', (_, call) => {
    expect(outcomes([call])).toEqual([KILLED]);
  });

  test.each([
    ['io_uring_setup', [425], ENOSYS],
    ['memfd_create', [319], ENOSYS],
    ['clone3', [435], ENOSYS],
    ['landlock, which is not needed', [444], ENOSYS],
    ['a call that no kernel has yet', [1000], ENOSYS],
    ['unlink', [87], ENOSYS],
    ['socketpair', [53, UNIX, STREAM], ENOSYS],
    ['a signal to init', [62, 1, 0], EPERM],
    ['a signal to all', [62, -1, 0], EPERM],
    ['a signal to a thread of init', [234, 1, 1, 0], EPERM],
    ['a TCP socket', [41, INET, STREAM], EAFNOSUPPORT],
    ['a UDP socket', [41, INET, DATAGRAM], EAFNOSUPPORT],
    ['a netlink socket', [41, NETLINK, DATAGRAM], EAFNOSUPPORT],
    ['a packet socket', [41, PACKET, STREAM], EAFNOSUPPORT],
    ['a vsock datagram socket', [41, VSOCK, DATAGRAM], EAFNOSUPPORT],
    ['sending out of band', [44, -1, 0, 0, 1], EOPNOTSUPP],
    ['sending a message out of band', [46, -1, 0, 0x4001], EOPNOTSUPP],
    ['receiving out of band', [45, -1, 0, 0, 1], EOPNOTSUPP],
    ['receiving a message out of band', [47, -1, 0, 1], EOPNOTSUPP],
    ['typing into a terminal', [16, 0, 0x5412], ENOTTY],
    ['more privileges for children', [157, 36], EINVAL],
    ['a strict filter instead of a listed one', [317, 0], EINVAL],
  ])('does without %s', (_, call, error) => {
    expect(outcomes([call])).toEqual([error]);
  });

  test('sends and receives in band', () => {
    const [send, receive] = [
      [44, -1, 0, 0, 0x4000],
      [45, -1],
    ] as const;
    const [sendMessage, receiveMessage] = [
      [46, -1, 0, 0x4000],
      [47, -1, 0, 0x4000_0000],
    ] as const;
    expect(outcomes([send, receive, sendMessage, receiveMessage])).toEqual([EBADF, EBADF, EBADF, EBADF]);
  });

  // None of AF_VSOCK is opened here: that is for machines in the emulator.
  test('makes stream sockets of AF_UNIX', () => {
    expect(outcomes([[41, UNIX, STREAM + CLOSE_ON_EXEC]])).toEqual([0]);
  });

  test('starts Node by the arguments of init, which is not here, until the program gives that up', () => {
    expect(outcomes([[-3], [-4]])).toEqual([ENOENT, KILLED]);
  });
});
