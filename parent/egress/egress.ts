import type { Listener } from '../../shared/transport/transport.ts';
import { ParentOptionError } from '../common/errors.ts';
import type { EgressOptions } from './options.ts';
import { dialTarget, type LookUp } from './dial.ts';
import { EgressRefusal } from './errors.ts';
import { ConnectionLimiter } from './connection-limiter.ts';
import { createLookUp } from './look-up.ts';
import { startEgressServer, type ConnectEgress, type EgressServerOptions } from './server.ts';
import { createAllowList, type EgressTarget } from './targets.ts';

export interface EgressSurroundings extends Pick<
  EgressServerOptions,
  'isEnclave' | 'log' | 'onAttempt' | 'table' | 'transport'
> {
  readonly onLookUp?: (outcome: 'failed' | 'ok', seconds: number) => void;
  /** Port on which the first frame names the target; there is no such port when left out. */
  readonly namePort?: number;
}

/** Egress that runs: one allow-list, one cap and one table for all its ports. */
export interface Egress {
  readonly reloadTargets: (targets: readonly EgressTarget[]) => void;
  close(): Promise<void>;
}

/** Starts the egress. @throws ParentOptionError OPTION_INVALID; TransportError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startEgress(options: EgressOptions, around: EgressSurroundings): Promise<Egress> {
  const { connectTimeoutMs = 10_000, maxUnnamed = 1_024, ports = [] } = options;
  const lookUp = observe(options.lookUp ?? createLookUp(), around.onLookUp);
  let allowList = createAllowList(options.targets);
  const limiter = new ConnectionLimiter({
    max: options.maxConnections ?? 1_024,
    maxWaiting: options.maxWaiting ?? 1_024,
    waitMs: options.waitMs ?? 5_000,
  });

  const connect: ConnectEgress = async ({ host, port }, signal) => {
    const target = allowList.find(host, port);
    if (target === undefined) {
      throw new EgressRefusal('TARGET_FORBIDDEN', 'not on the allow-list', { host, port });
    }
    return await dialTarget(target, { lookUp, timeoutMs: connectTimeoutMs, signal });
  };

  const { namePort, onLookUp: _observed, ...others } = around;
  const rest = { ...others, maxUnnamed, connect, limiter };
  const listeners: Listener[] = [];
  const close = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  try {
    for (const { listen, host, port } of ports) {
      if (allowList.find(host, port) === undefined) {
        throw new ParentOptionError(
          'OPTION_INVALID',
          'a port leads to what is not on the allow-list; names are compared with names, addresses with addresses',
          { listen, host, port },
        );
      }
      listeners.push(await startEgressServer({ ...rest, port: listen, target: { host, port } }));
    }
    if (namePort !== undefined) {
      listeners.push(await startEgressServer({ ...rest, port: namePort }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    reloadTargets(targets) {
      allowList = createAllowList(targets);
    },
    close,
  };
}

function observe(lookUp: LookUp, onLookUp: EgressSurroundings['onLookUp']): LookUp {
  if (onLookUp === undefined) return lookUp;
  return async (host, signal) => {
    const startedAt = performance.now();
    let outcome: 'failed' | 'ok' = 'failed';
    try {
      const addresses = await lookUp(host, signal);
      outcome = 'ok';
      return addresses;
    } finally {
      onLookUp(outcome, (performance.now() - startedAt) / 1_000);
    }
  };
}
