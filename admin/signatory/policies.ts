import { decodeBase58 } from '../../policy/transactions/tezos/base58.ts';
import type { AuthorizedKeys, SignatoryPolicy } from './document.ts';
import { malformed } from './document.ts';
import type { FieldPath } from './fields.ts';
import {
  BALLOTS,
  FORMER_NAMES,
  MISPLACED_KINDS,
  OPERATIONS,
  REQUEST_KINDS,
  type RequestKind,
  TRANSFER_TICKET,
  UNSIGNED_OPERATIONS,
} from './kinds.ts';

/** A name in a list of the file, and where it stands. */
export interface Named<Name extends string = string> {
  readonly name: Name;
  readonly path: FieldPath;
}

/** What Signatory allows for one key, as its file says it; of both forms the one that holds. */
export interface KeyPolicy {
  readonly address: string;
  /** Where the key stands in the file. */
  readonly path: FieldPath;
  /** True where the file says nothing under the key: block, preattestation and attestation. */
  readonly isDefault: boolean;
  readonly requests: readonly Named<RequestKind>[];
  /** Operations of generic requests; a ballot without a vote stands for each vote. */
  readonly operations: readonly Named[];
  /** Fields that have no effect in Signatory, with the reason. */
  readonly ineffective: readonly { readonly path: FieldPath; readonly reason: string }[];
  /** Chains of consensus requests; undefined: any. */
  readonly chains: readonly Named[] | undefined;
  /** Public keys of clients that may use the key; undefined: any that the server lets in. */
  readonly clients: readonly Named[] | undefined;
  readonly isPossessionAllowed: boolean;
  readonly isLogged: boolean;
}

const ADDRESSES = ['tz1', 'tz2', 'tz3', 'tz4'] as const;
const PUBLIC_KEYS = ['edpk', 'sppk', 'p2pk', 'BLpk'] as const;
const DEFAULT_REQUESTS: readonly RequestKind[] = ['block', 'preattestation', 'attestation'];

/** Reads what the file says of one key. @throws SignatoryError SIGNATORY_MALFORMED */
export function readPolicy(address: string, policy: SignatoryPolicy | null): KeyPolicy {
  const path = ['tezos', address];
  if (decodeBase58(address, ADDRESSES) === undefined) {
    throw malformed(path, 'the hash of a key: tz1, tz2, tz3 or tz4 and 33 characters');
  }
  if (policy === null) {
    return {
      address,
      path,
      isDefault: true,
      requests: DEFAULT_REQUESTS.map((name) => ({ name, path })),
      operations: [],
      ineffective: [],
      chains: undefined,
      clients: undefined,
      isPossessionAllowed: false,
      isLogged: false,
    };
  }
  const allowed = policy.allow ? readAllow(policy.allow, path) : readFormer(policy, path);
  const ignored = policy.allow
    ? (['allowed_operations', 'allowed_kinds'] as const)
        .filter((field) => policy[field] !== undefined)
        .map((field) => ({ path: [...path, field], reason: 'Signatory ignores it beside `allow`' }))
    : [];
  return {
    address,
    path,
    isDefault: false,
    requests: allowed.requests,
    operations: allowed.operations,
    ineffective: [...ignored, ...allowed.ineffective],
    chains: policy.allowed_chains?.map((name, index) => readChain(name, [...path, 'allowed_chains', index])),
    clients:
      policy.authorized_keys === undefined || policy.authorized_keys === null
        ? undefined
        : readAuthorizedKeys(policy.authorized_keys, [...path, 'authorized_keys']),
    isPossessionAllowed: policy.allow_proof_of_possession === true,
    isLogged: policy.log_payloads === true,
  };
}

type Allowed = Pick<KeyPolicy, 'requests' | 'operations' | 'ineffective'>;

/** Reads the present form: kinds of requests, of which `generic` has a list of operations. */
function readAllow(allow: NonNullable<SignatoryPolicy['allow']>, path: FieldPath): Allowed {
  const requests: Named<RequestKind>[] = [];
  const operations: Named[] = [];
  const ineffective: { path: FieldPath; reason: string }[] = [];
  for (const [kind, list] of Object.entries(allow)) {
    const place = [...path, 'allow', kind];
    if (kind === 'failing_noop') {
      ineffective.push({
        path: place,
        reason: 'an operation, not a kind of request: name it under `generic`',
      });
      continue;
    }
    requests.push({ name: readRequest(kind, place), path: place });
    if (kind === 'generic') {
      for (const [index, name] of (list ?? []).entries())
        enterOperation(name, [...place, index], { operations, ineffective });
    } else {
      for (const index of (list ?? []).keys())
        ineffective.push({ path: [...place, index], reason: 'only `generic` has a list of operations' });
    }
  }
  return { requests, operations, ineffective };
}

/** Reads the former form: `allowed_operations` are kinds of requests, `allowed_kinds` are operations. */
function readFormer(
  { allowed_operations: requests, allowed_kinds: kinds }: SignatoryPolicy,
  path: FieldPath,
): Allowed {
  const named = (requests ?? []).map((kind, index) => {
    const place = [...path, 'allowed_operations', index];
    return { name: readRequest(kind, place), path: place };
  });
  const operations: Named[] = [];
  const ineffective: { path: FieldPath; reason: string }[] = [];
  const isGeneric = named.some(({ name }) => name === 'generic');
  for (const [index, name] of (kinds ?? []).entries()) {
    const place = [...path, 'allowed_kinds', index];
    enterOperation(name, place, { operations, ineffective });
    if (isGeneric) continue;
    operations.length = 0;
    if (!ineffective.some((each) => each.path === place))
      ineffective.push({
        path: place,
        reason: 'without effect: `generic` is not among `allowed_operations`',
      });
  }
  return { requests: named, operations, ineffective };
}

function readRequest(kind: string, path: FieldPath): RequestKind {
  const name = FORMER_NAMES.get(kind) ?? kind;
  const found = REQUEST_KINDS.find((known) => known === name);
  if (found === undefined) throw malformed(path, `one of ${REQUEST_KINDS.join(', ')}`);
  return found;
}

/** Enters an operation of a list; one that keeps Signatory from starting is reported, and permits nothing. */
function enterOperation(
  name: string,
  path: FieldPath,
  { operations, ineffective }: { operations: Named[]; ineffective: { path: FieldPath; reason: string }[] },
): void {
  if (MISPLACED_KINDS.has(name)) {
    ineffective.push({
      path,
      reason: 'a kind of request, not an operation: with it in this list Signatory does not start',
    });
    return;
  }
  if (name === 'ballot') operations.push(...BALLOTS.map((vote) => ({ name: vote, path })));
  else if (OPERATIONS.has(name) || name === TRANSFER_TICKET || UNSIGNED_OPERATIONS.has(name))
    operations.push({ name, path });
  else if (name === 'double_endorsement_evidence' || name === 'double_preendorsement_evidence')
    operations.push({ name: name.replace('endorsement', 'attestation'), path });
  else throw malformed(path, 'no operation of Tezos that Signatory knows has this name');
}

function readChain(name: string, path: FieldPath): Named {
  if (decodeBase58(name, ['chain']) === undefined)
    throw malformed(path, 'the id of a chain: Net and 12 characters');
  return { name, path };
}

/** Reads public keys of clients, in whatever lists they stand. @throws SignatoryError SIGNATORY_MALFORMED */
export function readAuthorizedKeys(keys: AuthorizedKeys, path: FieldPath): Named[] {
  if (typeof keys !== 'string') {
    return keys.flatMap((inner, index) => readAuthorizedKeys(inner, [...path, index]));
  }
  if (decodeBase58(keys, PUBLIC_KEYS) === undefined)
    throw malformed(path, 'a public key: edpk, sppk or p2pk and what follows; a hash names no key');
  return [{ name: keys, path }];
}
