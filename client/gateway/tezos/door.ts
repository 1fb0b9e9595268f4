import type { KeyInfo, SignRequest } from '../../../shared/api/bodies.ts';
import type { GatewayProtocol, GatewayRecord, GatewayRequest, GatewayResponse } from '../protocol.ts';
import { type Account, BLS, printSignature, readPublicKey, readSignature } from './account.ts';
import { ClientAuthenticator, encodeAuthentication } from './authentication.ts';
import type { TezosSection } from './config.ts';
import { KeyDirectory, type ServedKey } from './directory.ts';
import { choosePayload } from './payload.ts';
import { refuseNode } from './refuse-node.ts';
import { REFUSALS, TezosRefusal } from './errors.ts';
import { findRoute, parseBody, parseKeyHash, readParameter, type TezosRoute } from './request.ts';
import { sendError, sendJson, sendText } from './response.ts';
import { NodeSigner, type SigningNodes } from '../node-signer.ts';

/** The longest body: the longest payload in hex, and its quotation marks. */
const MAX_BODY_BYTES = 64 * 1024 + 64;

/** What the log has in place of a code where nothing was refused. */
const ANSWERED = 'OK';

/** The nodes as the door asks them, in the name of one client. */
export interface TezosNodes extends SigningNodes {
  keys(): Promise<readonly KeyInfo[]>;
}

export interface TezosDoorOptions {
  readonly nodes: TezosNodes;
  readonly section: Omit<TezosSection, 'listen'>;
}

type Outcome = Omit<GatewayResponse, 'record'> & { readonly record?: Partial<GatewayRecord> };

/**
 * Creates the remote signer protocol of Octez in the form of Signatory, in front of verified nodes. The door authenticates
 * clients where the configuration names some; what is signed, the enclave decides.
 */
export function createTezosProtocol({ nodes, section }: TezosDoorOptions): GatewayProtocol {
  const door = new TezosDoor(nodes, section);
  return {
    name: 'tezos',
    maxBodyBytes: MAX_BODY_BYTES,
    isAuthenticated: section.authorizedKeys !== undefined,
    handle: (request) => door.handle(request),
    refuse: ({ code, status }) => sendError(new TezosRefusal(status, code, code)),
  };
}

class TezosDoor {
  readonly #section: TezosDoorOptions['section'];
  readonly #directory: KeyDirectory;
  readonly #signer: NodeSigner;
  readonly #clients: readonly Account[];
  readonly #authenticator: ClientAuthenticator | undefined;
  /** Hashes of the clients that may ask for a key, by its id; a key without an entry is everybody's. */
  readonly #allowed: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(nodes: TezosNodes, section: TezosDoorOptions['section']) {
    const { keys, authorizedKeys } = section;
    this.#section = section;
    this.#directory = new KeyDirectory(() => nodes.keys(), keys && new Set(keys.map(({ id }) => id)));
    this.#signer = new NodeSigner(nodes);
    this.#clients = readAccounts(authorizedKeys ?? []);
    this.#authenticator = authorizedKeys && new ClientAuthenticator(this.#clients);
    this.#allowed = new Map(
      (keys ?? []).flatMap(({ id, authorizedKeys: own }) =>
        own === undefined ? [] : [[id, new Set(readAccounts(own).map(({ hash }) => hash))]],
      ),
    );
  }

  async handle(request: GatewayRequest): Promise<GatewayResponse> {
    const record: { -readonly [K in keyof GatewayRecord]: GatewayRecord[K] } = {
      client: this.#section.client,
      code: ANSWERED,
    };
    try {
      return { ...(await this.#respond(findRoute(request), request, record)), record };
    } catch (error) {
      if (!(error instanceof TezosRefusal)) throw error;
      record.code = error.code;
      return { ...sendError(error), record };
    }
  }

  async #respond(
    route: TezosRoute,
    { body }: GatewayRequest,
    record: {
      operation?: string | undefined;
      key?: string | undefined;
      payload?: string | undefined;
      code: string;
    },
  ): Promise<Outcome> {
    switch (route.name) {
      case 'not-found':
        record.code = 'NOT_FOUND';
        return sendText(404, '404 page not found\n');
      case 'not-allowed':
        record.code = 'METHOD_NOT_ALLOWED';
        return sendText(405, '', { allow: route.allow });
      case 'authorized-keys':
        record.operation = 'authorized-keys';
        return sendJson(
          this.#clients.length === 0 ? {} : { authorized_keys: this.#clients.map(({ hash }) => hash) },
        );
      case 'key':
        record.operation = route.method === 'GET' ? 'key' : 'sign';
        record.key = route.hash;
        return route.method === 'GET'
          ? await this.#describe(route.hash)
          : await this.#sign(route, body, record);
      case 'possession':
        break;
    }
    record.operation = 'prove-possession';
    record.key = route.hash;
    return await this.#prove(route);
  }

  async #describe(hash: string): Promise<Outcome> {
    parseKeyHash(hash);
    const key = await this.#find(hash);
    if (key === undefined) throw REFUSALS.unknownKey();
    return sendJson({ public_key: key.publicKey });
  }

  async #sign(
    { hash, query }: Extract<TezosRoute, { name: 'key' }>,
    body: Uint8Array,
    record: { payload?: string | undefined; operation?: string | undefined },
  ): Promise<Outcome> {
    const asked = parseKeyHash(hash);
    const bytes = parseBody(body);
    record.payload = Buffer.from(bytes).toString('hex');
    const client = this.#authenticate(query, encodeAuthentication(asked, bytes));
    const key = await this.#find(hash);
    if (key === undefined) throw REFUSALS.notListed(hash);
    const payload = choosePayload(bytes);
    record.operation = payload.kind;
    this.#assertAllowed(key, client);
    assertVersion(key, query);
    const request = { key: key.id, algorithm: key.algorithm, payload: payload.payload };
    const signature = await this.#ask(request).catch((error: unknown) => {
      throw refuseNode(error, payload);
    });
    return sendJson({ signature: printSignature(key.key.tag, signature) });
  }

  async #prove({ hash, query }: Extract<TezosRoute, { name: 'possession' }>): Promise<Outcome> {
    const asked = parseKeyHash(hash);
    const client = this.#authenticate(query, encodeAuthentication(asked, new Uint8Array()));
    const key = await this.#find(hash);
    if (key === undefined) throw REFUSALS.notListed(hash);
    this.#assertAllowed(key, client);
    if (key.key.tag !== BLS) throw REFUSALS.malformed('a proof of possession is one of a tz4 key');
    if (!this.#section.proofOfPossession) throw REFUSALS.malformed('proof of possession is not allowed');
    for (const name of ['override_pk', 'bls_pk']) {
      const other = readParameter(query, name);
      if (other !== undefined && other !== key.publicKey)
        throw REFUSALS.malformed(`${name} is not the public key of ${hash}`);
    }
    const publicKey = Buffer.from(key.key.bytes).toString('hex');
    const signature = await this.#ask({
      key: key.id,
      algorithm: key.algorithm,
      payload: { kind: 'tezos-proof-of-possession', publicKey },
    }).catch((error: unknown) => {
      throw refuseNode(error, undefined);
    });
    return sendJson({ bls_prove_possession: printSignature(BLS, signature) });
  }

  async #ask(request: SignRequest): Promise<Uint8Array> {
    const { signature } = await this.#signer.sign(request);
    return Buffer.from(signature, 'hex');
  }

  async #find(hash: string): Promise<ServedKey | undefined> {
    return await this.#directory.find(hash).catch((error: unknown) => {
      throw refuseNode(error, undefined);
    });
  }

  /** Finds the client that has signed a request; undefined where clients are not asked to. @throws TezosRefusal */
  #authenticate(query: URLSearchParams, message: Uint8Array): Account | undefined {
    if (this.#authenticator === undefined) return undefined;
    const text = readParameter(query, 'authentication');
    if (text === undefined || text === '') throw REFUSALS.noAuthentication();
    const signature = readSignature(text);
    if (signature === undefined) throw REFUSALS.badBase58();
    const client = this.#authenticator.findSigner(message, signature);
    if (client === undefined) throw REFUSALS.badAuthentication();
    return client;
  }

  #assertAllowed({ id }: ServedKey, client: Account | undefined): void {
    const allowed = this.#allowed.get(id);
    if (allowed === undefined || client === undefined || allowed.has(client.hash)) return;
    throw REFUSALS.otherClient(client.hash);
  }
}

/**
 * Refuses older versions of signatures by keys of BLS12-381: 0 has none, and 1 has another suite (message augmentation),
 * under which the enclave signs nothing. Other keys sign alike in all versions.
 */
function assertVersion(key: ServedKey, query: URLSearchParams): void {
  const version = readParameter(query, 'version');
  if (key.key.tag !== BLS || (version !== '0' && version !== '1')) return;
  throw REFUSALS.version(version);
}

function readAccounts(publicKeys: readonly string[]): readonly Account[] {
  return publicKeys.map((text) => {
    const account = readPublicKey(text);
    if (account === undefined) throw new TypeError('authorizedKeys holds public keys in Base58Check');
    return account;
  });
}
