import {
  type Configuration,
  CONFIGURATION_FORMAT_2,
  readConfiguration,
} from '../../shared/documents/configuration.ts';
import { readSignatoryDocument } from './document.ts';
import { SignatoryError } from './errors.ts';
import { draftGateway, type GatewayDraft } from './gateway.ts';
import { importKey, type ImportedKey } from './keys.ts';
import { readPolicy } from './policies.ts';
import { FieldLedger, type ImportReport } from './report.ts';
import { type Absence, importServer } from './server.ts';

export interface ImportOptions {
  /** SHA-384 of the manifest of the node, in hex. */
  readonly manifest: string;
  /** Client in whose name the door asks, and its Ed25519 request key in hex. */
  readonly client: { readonly id: string; readonly publicKey: string };
  /** Chain of keys whose entry does not name exactly one: `NetXdQprcVkpaWU`. */
  readonly chain?: string | undefined;
  /** Configuration that the import goes into; undefined: a new one. */
  readonly into?: Configuration | undefined;
  /** What Signatory asks before it signs and a node cannot: keys sign without it only where the caller says so. */
  readonly without: ReadonlySet<Absence>;
}

/** What an import makes of Signatory's configuration. */
export interface SignatoryImport {
  /** A configuration of format 2, for people to read before they sign it. */
  readonly configuration: Configuration;
  /** Configuration of the door; undefined where no key of the import signs anything. */
  readonly gateway: GatewayDraft | undefined;
  readonly keys: readonly ImportedKey[];
  readonly report: ImportReport;
}

/**
 * Imports Signatory's configuration: the rules permit what Signatory would sign, or less. Every field of it is in the
 * report.
 *
 * @throws SignatoryError
 * @throws ConfigurationError CONFIGURATION_MALFORMED where a configuration has no room for so much
 */
export function importSignatory(bytes: Uint8Array, options: ImportOptions): SignatoryImport {
  const document = readSignatoryDocument(bytes);
  const ledger = new FieldLedger(document);
  const policies = Object.entries(document.tezos ?? {}).map(([address, policy]) =>
    readPolicy(address, policy),
  );
  const server = importServer(document, policies, { ledger, without: options.without });
  const keys = policies.map((policy) => importKey(policy, { ledger, server, ...options }));
  ledger.enter('carried', ['tezos'], 'no keys');
  ledger.enter('carried', [], 'an empty configuration: no keys');
  return {
    configuration: merge(keys, options),
    gateway: draftGateway(server, keys, options.client.id),
    keys,
    report: ledger.close(),
  };
}

function merge(imported: readonly ImportedKey[], { manifest, client, into }: ImportOptions): Configuration {
  const base = into ?? {
    version: 0,
    clients: [],
    clientGroups: [],
    keys: [],
    approvers: [],
    approverGroups: [],
    addressBooks: [],
    witnesses: null,
    rules: [],
  };
  const known = base.clients.find(({ id }) => id === client.id);
  if (known !== undefined && known.publicKey !== client.publicKey) throw conflict('clients', client.id);
  assertFree(
    base.keys,
    'keys',
    imported.map(({ key }) => key),
  );
  assertFree(
    base.rules,
    'rules',
    imported.flatMap(({ rules }) => rules),
  );
  return readConfiguration({
    ...base,
    format: CONFIGURATION_FORMAT_2,
    version: base.version + 1,
    manifest,
    clients: known === undefined ? [...base.clients, { ...client, person: null }] : base.clients,
    keys: [...base.keys, ...imported.map(({ key }) => key)],
    rules: [...base.rules, ...imported.flatMap(({ rules }) => rules)],
  });
}

function assertFree(
  known: readonly { readonly id: string }[],
  member: string,
  added: readonly { readonly id: string }[],
): void {
  const ids = new Set(known.map(({ id }) => id));
  const taken = added.find(({ id }) => ids.has(id));
  if (taken !== undefined) throw conflict(member, taken.id);
}

function conflict(member: string, id: string): SignatoryError {
  return new SignatoryError('SIGNATORY_CONFLICT', 'the configuration has something else of this id', {
    member,
    id,
  });
}
