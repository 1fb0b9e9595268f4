import { SignatoryError } from './errors.ts';
import { type CONSENSUS_SELECTORS, TRANSFER_TICKET } from './kinds.ts';
import type { KeyPolicy } from './policies.ts';
import type { FieldLedger } from './report.ts';
import {
  type DraftRule,
  isPermissible,
  type RuleScope,
  writeConsensusRule,
  writeDataRule,
  writeOperationRules,
  writePossessionRule,
} from './rules.ts';
import type { ImportedServer } from './server.ts';

/** One key of Signatory's configuration, as a node gets it. */
export interface ImportedKey {
  /** The address of the key that Signatory uses. The key that the node makes has another. */
  readonly address: string;
  /** Entry of the configuration's `keys`, as it is written. */
  readonly key: { readonly id: string; readonly type: string; readonly networks: readonly string[] };
  readonly rules: readonly DraftRule[];
  /** Public keys of the clients that may use it; undefined: any that the door lets in. */
  readonly clients: readonly string[] | undefined;
}

interface KeyContext {
  readonly ledger: FieldLedger;
  readonly server: ImportedServer;
  readonly client: { readonly id: string };
  readonly chain?: string | undefined;
}

/** Types and algorithms by the prefix of an address. */
const CURVES: Readonly<Record<string, { readonly type: string; readonly algorithm: string }>> = {
  tz1: { type: 'ed25519', algorithm: 'ed25519' },
  tz2: { type: 'secp256k1', algorithm: 'ecdsa-secp256k1' },
  tz3: { type: 'p256', algorithm: 'ecdsa-p256-sha256' },
  tz4: { type: 'bls12-381', algorithm: 'bls12-381-pop' },
};

/** Imports one key: its entry, its rules, and a line of the report for each of its fields. @throws SignatoryError */
export function importKey(policy: KeyPolicy, context: KeyContext): ImportedKey {
  const { address, path } = policy;
  const { ledger, server } = context;
  const { type, algorithm } = CURVES[address.slice(0, 3)] ?? { type: '', algorithm: '' };
  const network = chooseNetwork(policy, context.chain);
  const scope: RuleScope = { client: context.client.id, key: address.toLowerCase(), algorithm, network };
  for (const each of policy.ineffective) ledger.enter('dropped', each.path, each.reason);
  enterLogging(policy, context);
  ledger.enter('dropped', [...path, 'jwt_users'], 'users of tokens, which no door takes');
  const clients = enterClients(policy, context);
  const refusal = findRefusal(policy, server, clients);
  const rules = refusal === undefined ? writeRules(policy, scope, ledger) : [];
  if (refusal !== undefined) enterRefusal(policy, refusal, ledger);
  ledger.enter('carried', path, 'nothing is allowed, as in Signatory');
  return { address, key: { id: scope.key, type, networks: [network] }, rules, clients };
}

/** Finds the network that the key is to serve. @throws SignatoryError SIGNATORY_NETWORK_UNKNOWN */
function chooseNetwork({ address, chains = [] }: KeyPolicy, chain: string | undefined): string {
  const named = chains.map(({ name }) => name);
  const chosen = chain !== undefined && (named.length === 0 || named.includes(chain)) ? chain : named[0];
  if (chosen === undefined) {
    throw new SignatoryError(
      'SIGNATORY_NETWORK_UNKNOWN',
      'the key signs on any chain, and a key of a node serves one',
      { key: address },
    );
  }
  return `tezos:${chosen}`;
}

function enterLogging({ path, isLogged }: KeyPolicy, { ledger, server }: KeyContext): void {
  const field = [...path, 'log_payloads'];
  if (isLogged === server.isLogged) ledger.enter('carried', field, 'log.payloads of the door');
  else ledger.enter('dropped', field, 'a door logs the payloads of all keys or of none: of none');
}

/** Finds the clients that both the server and the key let in. */
function enterClients(
  { path, clients }: KeyPolicy,
  { ledger, server }: KeyContext,
): readonly string[] | undefined {
  const field = [...path, 'authorized_keys'];
  if (clients === undefined) {
    ledger.enter('carried', field, 'whoever the server lets in');
    return server.clients;
  }
  const known = new Set(server.clients ?? []);
  for (const { name, path: place } of clients) {
    if (known.has(name)) ledger.enter('carried', place, 'the door lets this client use the key');
    else
      ledger.enter('dropped', place, 'without effect: `server.authorized_keys` does not let this client in');
  }
  ledger.enter('carried', field, 'nobody may use the key, as in Signatory');
  return clients.map(({ name }) => name).filter((name) => known.has(name));
}

interface Refusal {
  readonly list: 'carried' | 'dropped';
  readonly note: string;
}

function enterRefusal(
  { path, isPossessionAllowed }: KeyPolicy,
  { list, note }: Refusal,
  ledger: FieldLedger,
) {
  // Signatory asks the client's key for signatures alone.
  if (isPossessionAllowed && list === 'carried')
    ledger.enter(
      'stricter',
      [...path, 'allow_proof_of_possession'],
      'no client may use the key for it either',
    );
  ledger.enter(list, path, note);
}

/** Finds why a key signs nothing, and whether it does so in Signatory, too. */
function findRefusal(
  { clients }: KeyPolicy,
  server: ImportedServer,
  effective: readonly string[] | undefined,
): Refusal | undefined {
  if (clients !== undefined && effective?.length === 0) {
    return { list: 'carried', note: 'no client may use the key, as in Signatory' };
  }
  if (server.clients?.length === 0) {
    return { list: 'carried', note: 'no client is let in, as in Signatory' };
  }
  return server.obstacle === undefined
    ? undefined
    : { list: 'dropped', note: `the key signs nothing: ${server.obstacle}` };
}

function writeRules(policy: KeyPolicy, scope: RuleScope, ledger: FieldLedger): DraftRule[] {
  return [
    ...writeConsensus(policy, scope, ledger),
    ...writeOperations(policy, scope, ledger),
    ...writeData(policy, scope, ledger),
    ...writePossession(policy, scope, ledger),
  ];
}

function writeConsensus(
  { path, requests, chains }: KeyPolicy,
  scope: RuleScope,
  ledger: FieldLedger,
): DraftRule[] {
  for (const { name, path: place } of chains ?? []) {
    if (scope.network === `tezos:${name}`) ledger.enter('carried', place, 'the network of the key');
    else ledger.enter('dropped', place, `the key serves one network, ${scope.network}`);
  }
  ledger.enter('carried', [...path, 'allowed_chains'], 'no consensus request of any chain, as in Signatory');
  const kinds: (keyof typeof CONSENSUS_SELECTORS)[] = [];
  for (const { name, path: place } of requests) {
    if (name === 'generic' || name === 'pack') continue;
    if (scope.algorithm === 'bls12-381-pop' && name === 'attestation_with_dal') {
      ledger.enter('dropped', place, 'keys of tz4 attest without DAL content');
    } else if (chains?.length === 0) {
      ledger.enter('carried', place, 'no chain is allowed, as in Signatory');
    } else {
      kinds.push(name);
      if (chains === undefined) ledger.enter('stricter', place, `on ${scope.network} alone`);
      else ledger.enter('carried', place, `rule ${scope.key}-consensus`);
    }
  }
  return kinds.length === 0 ? [] : [writeConsensusRule(scope, [...new Set(kinds)])];
}

function writeOperations(
  { requests, operations }: KeyPolicy,
  scope: RuleScope,
  ledger: FieldLedger,
): DraftRule[] {
  const generic = requests.find(({ name }) => name === 'generic');
  if (generic === undefined) return [];
  const names = new Set(operations.map(({ name }) => name));
  const permitted = new Set([...names].filter((name) => isPermissible(name, names)));
  for (const { name, path } of operations) {
    if (!permitted.has(name)) ledger.enter('dropped', path, explainUnsigned(name));
    else if (name === 'origination' && !names.has('delegation'))
      ledger.enter('stricter', path, 'of contracts without a delegate, since `delegation` is not allowed');
    else ledger.enter('carried', path, `rule ${scope.key}-operations`);
  }
  ledger.enter('carried', generic.path, `rule ${scope.key}-operations`);
  return permitted.size === 0 ? [] : writeOperationRules(scope, permitted);
}

function explainUnsigned(name: string): string {
  return name === TRANSFER_TICKET
    ? 'no rule permits it without contract calls: allow `transaction`, or write a rule that names the contract'
    : 'no node signs this operation';
}

function writeData({ requests }: KeyPolicy, scope: RuleScope, ledger: FieldLedger): DraftRule[] {
  const pack = requests.find(({ name }) => name === 'pack');
  if (pack === undefined) return [];
  ledger.enter('stricter', pack.path, 'one Micheline expression, read to its last byte');
  return [writeDataRule(scope)];
}

function writePossession(
  { path, isPossessionAllowed }: KeyPolicy,
  scope: RuleScope,
  ledger: FieldLedger,
): DraftRule[] {
  const field = [...path, 'allow_proof_of_possession'];
  if (!isPossessionAllowed) {
    ledger.enter('carried', field, 'no proof of possession');
    return [];
  }
  if (scope.algorithm !== 'bls12-381-pop') {
    ledger.enter('dropped', field, 'without effect: only keys of tz4 have proofs of possession');
    return [];
  }
  ledger.enter('carried', field, `rule ${scope.key}-possession`);
  return [writePossessionRule(scope)];
}
