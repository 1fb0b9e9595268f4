import { ParentOptionError } from './errors.ts';

/** Descriptors of listening sockets that systemd opened for this process, by the name that their unit gives them. */
export type SystemdSockets = ReadonlyMap<string, number>;

/** The first descriptor that is passed: SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_DESCRIPTOR = 3;
const MAX_DESCRIPTORS = 16;

/**
 * Takes what systemd passed to this very process, and removes it from the environment so that no child takes it for its
 * own. None where the variables are absent or mean another process. Whoever gets a socket under a name that it does not
 * know must refuse to start: somebody expects it to be served.
 * @throws ParentOptionError OPTION_INVALID for variables that make no sense together, or a name that comes twice
 */
export function takeSystemdSockets(environment: NodeJS.ProcessEnv, pid = process.pid): SystemdSockets {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = environment;
  delete environment['LISTEN_PID'];
  delete environment['LISTEN_FDS'];
  delete environment['LISTEN_FDNAMES'];
  if (forPid === undefined || count === undefined || forPid !== String(pid)) return new Map();
  const refuse = (why: string) => new ParentOptionError('OPTION_INVALID', why, { count, names });
  if (!/^(0|[1-9][0-9]?)$/.test(count) || Number(count) > MAX_DESCRIPTORS) {
    throw refuse('LISTEN_FDS is not a number of sockets');
  }
  const listed = count === '0' ? [] : names.split(':');
  if (listed.length !== Number(count)) throw refuse('LISTEN_FDNAMES does not name each socket');
  const sockets = new Map(listed.map((name, index) => [name, FIRST_DESCRIPTOR + index]));
  if (sockets.size !== listed.length) throw refuse('two sockets have one name');
  return sockets;
}
