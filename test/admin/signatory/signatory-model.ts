import { parse } from 'yaml';

/**
 * What Signatory decides, written from what its HEAD of April 2026 was seen to do. Nothing here is of the importer: a
 * mistake of the one is none of the other.
 */

/** A request as Signatory parses it. */
export interface ModelRequest {
  /** Hash of the key. */
  readonly key: string;
  readonly kind: string;
  /** Names of the operations of a generic request; a ballot by its vote, staking by its own name. */
  readonly operations: readonly string[];
  /** Chain of a consensus request. */
  readonly chain?: string;
  /** Public key that has authenticated the request. */
  readonly client?: string;
}

interface ModelPolicy {
  allow?: Record<string, string[] | null> | null;
  allowed_operations?: string[] | null;
  allowed_kinds?: string[] | null;
  allowed_chains?: string[] | null;
  authorized_keys?: unknown;
}
interface ModelFile {
  server?: { authorized_keys?: unknown; jwt?: unknown } | null;
  tezos?: Record<string, ModelPolicy | null> | null;
  policy_hook?: { address?: string | null } | null;
}

const flat = (keys: unknown): string[] =>
  Array.isArray(keys) ? keys.flatMap(flat) : typeof keys === 'string' ? [keys] : [];
const isGiven = (value: unknown) => value !== undefined && value !== null;
const modern = (name: string) => name.replace(/^(pre)?endorsement$/, '$1attestation');

/** What Signatory does; `depends` where somebody else is asked: a hook, or the holder of a token. */
export type ModelDecision = 'signs' | 'refuses' | 'depends';

/** Starts Signatory with a file. */
export function startSignatory(yaml: string): (request: ModelRequest) => ModelDecision {
  const file = parse(yaml) as ModelFile | null;
  return (request) => decide(file, request);
}

function decide(file: ModelFile | null, request: ModelRequest): ModelDecision {
  const tezos = file?.tezos ?? {};
  if (!Object.hasOwn(tezos, request.key)) return 'refuses';
  const server = file?.server ?? {};
  if (isGiven(server.authorized_keys)) {
    if (request.client === undefined || !flat(server.authorized_keys).includes(request.client))
      return 'refuses';
  }
  const policy = tezos[request.key] ?? null;
  const isAuthenticated = isGiven(server.authorized_keys);
  if (policy !== null && isGiven(policy.authorized_keys)) {
    if (!isAuthenticated || !flat(policy.authorized_keys).includes(request.client ?? '')) return 'refuses';
  }
  if (policy !== null && isGiven(policy.allowed_chains) && request.chain !== undefined) {
    if (!(policy.allowed_chains ?? []).includes(request.chain)) return 'refuses';
  }
  const { requests, operations } = allowedBy(policy);
  if (!requests.includes(request.kind)) return 'refuses';
  const isAllowed = (name: string) =>
    operations.includes(name) || (name.startsWith('ballot:') && operations.includes('ballot'));
  if (request.kind === 'generic' && !request.operations.every(isAllowed)) return 'refuses';
  return file?.policy_hook?.address || isGiven(server.jwt) ? 'depends' : 'signs';
}

function allowedBy(policy: ModelPolicy | null): { requests: string[]; operations: string[] } {
  if (policy === null) return { requests: ['block', 'preattestation', 'attestation'], operations: [] };
  if (isGiven(policy.allow)) {
    return {
      requests: Object.keys(policy.allow ?? {}).map(modern),
      operations: policy.allow?.['generic'] ?? [],
    };
  }
  return { requests: (policy.allowed_operations ?? []).map(modern), operations: policy.allowed_kinds ?? [] };
}
