import { HoldfastError } from '../../../shared/errors.ts';

/** Why a door refuses a request of the remote signer protocol by itself; codes of nodes stand beside these. */
export type TezosRefusalCode =
  /** Path, parameters or body are none of the protocol. */
  | 'SIGNER_REQUEST_MALFORMED'
  /** The first byte of the payload is one that no kind of request has. */
  | 'PAYLOAD_UNKNOWN'
  /** The door serves no key of this hash. */
  | 'KEY_NOT_SERVED'
  /** The request carries no signature of a client, and the door asks for one. */
  | 'AUTHENTICATION_MISSING'
  /** The signature is of no client that may ask for this key. */
  | 'AUTHENTICATION_INVALID'
  /** The version of signatures is one by which keys of BLS12-381 do not sign. */
  | 'VERSION_UNSUPPORTED';

/** Refusal in the protocol's form: `status` is HTTP's, `message` what the client reads, `code` what the log has. */
export class TezosRefusal extends HoldfastError {
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

const refuse = (status: number, code: TezosRefusalCode, message: string) =>
  new TezosRefusal(status, code, message);

/** Messages that clients know, word for word as Signatory 1.4 writes them (docs/gateway-tezos.md). */
export const REFUSALS = {
  notListed: (hash: string) => refuse(403, 'KEY_NOT_SERVED', `${hash} is not listed in config`),
  unknownKey: () => refuse(404, 'KEY_NOT_SERVED', 'this key not found in any vault'),
  badBase58: () =>
    refuse(400, 'SIGNER_REQUEST_MALFORMED', 'gotez: base58Check decoding error: invalid checksum'),
  malformed: (message: string) => refuse(400, 'SIGNER_REQUEST_MALFORMED', message),
  unknownTag: (tag: number) => refuse(400, 'PAYLOAD_UNKNOWN', `gotez: unknown tag ${tag}`),
  noAuthentication: () => refuse(401, 'AUTHENTICATION_MISSING', 'missing authentication signature field'),
  badAuthentication: () => refuse(403, 'AUTHENTICATION_INVALID', 'invalid authentication signature'),
  otherClient: (hash: string) => refuse(403, 'AUTHENTICATION_INVALID', `client \`${hash}' is not allowed`),
  requestKind: (kind: string) =>
    new TezosRefusal(403, 'POLICY_DENIED', `request kind \`${kind}' is not allowed`),
  chain: (chain: string, code: string) => new TezosRefusal(403, code, `chain \`${chain}' is not allowed`),
  version: (version: string) =>
    refuse(500, 'VERSION_UNSUPPORTED', `tz4 keys do not sign as version ${version}`),
  watermark: (code: string) => new TezosRefusal(409, code, 'watermark validation failed'),
} as const;
