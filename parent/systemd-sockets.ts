import { ParentOptionError } from './common/errors.ts';

/** Descriptors of listening sockets that systemd opened for this process, by the name that their unit gives them. */
export type SystemdSockets = ReadonlyMap<string, number>;

/** First descriptor that systemd passes: SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_DESCRIPTOR = 3;
const MAX_DESCRIPTORS = 16;

/**
 * Takes the sockets that systemd passed to this very process, and removes its variables from the environment, so that
 * no child takes them for its own. Empty where the variables are absent or mean another process. A caller that gets a
 * socket under a name that it does not know must refuse to start: somebody expects the socket to be served.
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
    throw refuse('expected a number of sockets in LISTEN_FDS');
  }
  const listed = count === '0' ? [] : names.split(':');
  if (listed.length !== Number(count)) throw refuse('expected a name in LISTEN_FDNAMES for each socket');
  const sockets = new Map(listed.map((name, index) => [name, FIRST_DESCRIPTOR + index]));
  if (sockets.size !== listed.length)
    throw refuse('expected a name of its own for each socket, found one twice');
  return sockets;
}
