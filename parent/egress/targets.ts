import { isIP, type BlockList } from 'node:net';
import { createBlockList } from './addresses.ts';
import { ParentOptionError } from '../errors.ts';

/** A host and port that the enclave may reach, as an operator writes it. */
export interface EgressTarget {
  /** A DNS name, or an address, which is then written out. */
  readonly host: string;
  readonly port: number;
  /** CIDR blocks in which the host may lie besides public addresses, such as a VPC endpoint's subnets. */
  readonly networks?: readonly string[];
  /** Goes there instead of looking the host up: how a laptop stands in for AWS. */
  readonly connectTo?: { readonly address: string; readonly port: number };
}

export interface AllowedTarget {
  readonly host: string;
  readonly port: number;
  readonly networks: BlockList | undefined;
  readonly connectTo: { readonly address: string; readonly port: number } | undefined;
}

export interface AllowList {
  readonly targets: readonly AllowedTarget[];
  find(host: string, port: number): AllowedTarget | undefined;
}

const HOST = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/;

/**
 * @throws ParentOptionError OPTION_INVALID for a host, port, block or address that is none, and for a target that is
 * named twice
 */
export function createAllowList(targets: readonly EgressTarget[]): AllowList {
  const allowed = new Map<string, AllowedTarget>();
  for (const target of targets) {
    const parsed = parseTarget(target);
    const key = keyOf(parsed.host, parsed.port);
    if (allowed.has(key)) throw invalid('a target is named twice', target);
    allowed.set(key, parsed);
  }
  return {
    targets: [...allowed.values()],
    find: (host, port) => allowed.get(keyOf(normaliseHost(host), port)),
  };
}

function parseTarget(target: EgressTarget): AllowedTarget {
  const host = normaliseHost(target.host);
  if (isIP(host) === 0 && !HOST.test(host)) throw invalid('not a host', target);
  if (!isPort(target.port)) throw invalid('not a port', target);
  const { connectTo } = target;
  if (connectTo !== undefined && (isIP(connectTo.address) === 0 || !isPort(connectTo.port))) {
    throw invalid('connectTo needs an address and a port', target);
  }
  return { host, port: target.port, networks: parseNetworks(host, target), connectTo };
}

function parseNetworks(host: string, target: EgressTarget): BlockList | undefined {
  const own = isIP(host) === 0 ? [] : [`${host}/${isIP(host) === 4 ? 32 : 128}`];
  const blocks = [...own, ...(target.networks ?? [])];
  if (blocks.length === 0) return undefined;
  try {
    return createBlockList(blocks);
  } catch (error) {
    throw invalid('not a CIDR block', target, error);
  }
}

/** P54: a port is an integer from 1 to 65,535, never what is left of a larger number. */
export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function normaliseHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function keyOf(host: string, port: number): string {
  return `${host} ${port}`;
}

function invalid(message: string, target: EgressTarget, cause?: unknown): ParentOptionError {
  return new ParentOptionError('OPTION_INVALID', message, { host: target.host, port: target.port }, cause);
}
