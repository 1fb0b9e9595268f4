import { isIP, isIPv6, type BlockList } from 'node:net';
import { domainToASCII } from 'node:url';
import { canonicalAddress, createBlockList, findClosedBlock, METADATA_BLOCKS } from './addresses.ts';
import { ParentOptionError } from '../common/errors.ts';

/** Host and port that the enclave may reach, as an operator writes them. */
export interface EgressTarget {
  /** DNS name, or an address, which then counts as written out. */
  readonly host: string;
  readonly port: number;
  /** CIDR blocks in which the host may lie besides public addresses, such as a VPC endpoint's subnets. */
  readonly networks?: readonly string[];
  /** Address to connect to instead of looking the host up, as on a laptop with stand-ins for AWS. */
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
 * Name of letters, marks and digits of any script, one of them beyond ASCII. The conversion itself drops line breaks.
 */
const INTERNATIONAL = /^(?=.*[^\x20-\x7e])[\p{L}\p{M}\p{N}._-]+$/u;

/**
 * Builds an allow-list.
 * @throws ParentOptionError OPTION_INVALID for a host, port, block or address that is none, and for a target that is
 * named twice
 */
export function createAllowList(targets: readonly EgressTarget[]): AllowList {
  const allowed = new Map<string, AllowedTarget>();
  for (const target of targets) {
    const parsed = parseTarget(target);
    const key = targetKey(parsed.host, parsed.port);
    if (allowed.has(key)) throw invalid('a target is named twice', target);
    allowed.set(key, parsed);
  }
  return {
    targets: [...allowed.values()],
    find: (host, port) => allowed.get(targetKey(host, port)),
  };
}

function parseTarget(target: EgressTarget): AllowedTarget {
  const host = normaliseHost(target.host);
  if (!isHost(host)) throw invalid('not a host', target);
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
  let list: BlockList;
  try {
    list = createBlockList(blocks);
  } catch (error) {
    throw invalid('not a CIDR block', target, error);
  }
  const open = (target.networks ?? []).find((block) => findClosedBlock(block, METADATA_BLOCKS) !== undefined);
  if (open !== undefined) {
    throw invalid(`a block that would open the metadata service: ${open}; name a narrower one`, target);
  }
  return list;
}

/** Tells whether a value is a port: an integer from 1 to 65,535, never the rest of a larger number. */
export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** Returns the same targets, each of which may also lie in the given blocks. */
export function openNetworks(
  targets: readonly EgressTarget[],
  networks: readonly string[],
): readonly EgressTarget[] {
  if (networks.length === 0) return targets;
  return targets.map((target) => ({ ...target, networks: [...(target.networks ?? []), ...networks] }));
}

/**
 * Spells a host in one way: lower case, without a final dot, an international name in its ASCII form (RFC 5891), an
 * IPv6 address as RFC 5952 writes it. Text that is no host comes back as text that is none either.
 */
export function normaliseHost(host: string): string {
  if (isIPv6(host)) return canonicalAddress(host);
  const plain = host.toLowerCase().replace(/\.$/, '');
  return INTERNATIONAL.test(plain) ? domainToASCII(plain) : plain;
}

/** Tells whether a host in its one spelling is an address or a name that DNS can have. */
export function isHost(host: string): boolean {
  return isIP(host) !== 0 || HOST.test(host);
}

/** Key of a target, the same for every spelling of its host. */
export function targetKey(host: string, port: number): string {
  return `${normaliseHost(host)} ${port}`;
}

function invalid(message: string, target: EgressTarget, cause?: unknown): ParentOptionError {
  return new ParentOptionError('OPTION_INVALID', message, { host: target.host, port: target.port }, cause);
}
