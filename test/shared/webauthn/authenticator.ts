import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { Encoder } from 'cbor-x';
import type { Assertion } from '../../../shared/webauthn/index.ts';

/** Options that make an authenticator or a browser behave otherwise than they should. */
export interface Behaviour {
  readonly type?: string;
  readonly challenge?: string;
  readonly origin?: string;
  /** Members to add to clientDataJSON, or to replace; undefined leaves one out. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly clientDataJSON?: Uint8Array;
  readonly relyingParty?: string;
  readonly flags?: number;
  readonly counter?: number;
  /** Bytes after the counter. */
  readonly tail?: Uint8Array;
}

/** Encoder of plain CBOR: maps without the tag that cbor-x gives them otherwise. */
const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });

export const UP = 0x01;
export const UV = 0x04;
export const BE = 0x08;
export const BS = 0x10;
export const AT = 0x40;
export const ED = 0x80;

/**
 * An authenticator and browser in software, over node:crypto and cbor-x, which share nothing with what is tested.
 */
export class SoftwareAuthenticator {
  readonly algorithm: 'ES256' | 'EdDSA';
  readonly credentialId = new Uint8Array(randomBytes(32));
  readonly #privateKey: KeyObject;
  readonly #jwk: { readonly x?: string; readonly y?: string };
  counter = 0;

  constructor(algorithm: 'ES256' | 'EdDSA' = 'ES256') {
    this.algorithm = algorithm;
    const { privateKey, publicKey } =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    this.#jwk = publicKey.export({ format: 'jwk' });
  }

  /** Public key as the configuration has it. */
  get publicKey(): Uint8Array {
    const x = Buffer.from(this.#jwk.x ?? '', 'base64url');
    if (this.algorithm === 'EdDSA') return new Uint8Array(x);
    const y = Buffer.from(this.#jwk.y ?? '', 'base64url');
    return Uint8Array.of(((y.at(-1) ?? 0) & 1) === 1 ? 3 : 2, ...x);
  }

  get coseKey(): Uint8Array {
    const x = Buffer.from(this.#jwk.x ?? '', 'base64url');
    const members: [number, unknown][] =
      this.algorithm === 'ES256'
        ? [
            [1, 2],
            [3, -7],
            [-1, 1],
            [-2, x],
            [-3, Buffer.from(this.#jwk.y ?? '', 'base64url')],
          ]
        : [
            [1, 1],
            [3, -8],
            [-1, 6],
            [-2, x],
          ];
    return new Uint8Array(cbor.encode(new Map(members)));
  }

  attestedCredentialData(): Uint8Array {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.credentialId.length);
    return Buffer.concat([Buffer.alloc(16), length, this.credentialId, this.coseKey]);
  }

  assert(
    challenge: Uint8Array,
    site: { readonly origin: string; readonly relyingParty: string },
    behaviour: Behaviour = {},
  ): Assertion {
    this.counter += 1;
    const clientDataJSON =
      behaviour.clientDataJSON ?? clientData(challenge, site.origin, behaviour, 'webauthn.get');
    const authenticatorData = this.#authenticatorData(site.relyingParty, UP | UV, behaviour);
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()]);
    const signature = new Uint8Array(
      sign(this.algorithm === 'ES256' ? 'sha256' : null, signed, this.#privateKey),
    );
    return { clientDataJSON, authenticatorData, signature };
  }

  register(
    challenge: Uint8Array,
    site: { readonly origin: string; readonly relyingParty: string },
    behaviour: Behaviour = {},
  ): { clientDataJSON: Uint8Array; attestationObject: Uint8Array } {
    const authData = this.#authenticatorData(site.relyingParty, UP | UV | AT, {
      tail: this.attestedCredentialData(),
      ...behaviour,
    });
    const object = new Map<string, unknown>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', Buffer.from(authData)],
    ]);
    return {
      clientDataJSON: clientData(challenge, site.origin, behaviour, 'webauthn.create'),
      attestationObject: new Uint8Array(cbor.encode(object)),
    };
  }

  #authenticatorData(relyingParty: string, flags: number, behaviour: Behaviour): Uint8Array {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(behaviour.counter ?? this.counter);
    return new Uint8Array(
      Buffer.concat([
        createHash('sha256')
          .update(behaviour.relyingParty ?? relyingParty)
          .digest(),
        Uint8Array.of(behaviour.flags ?? flags),
        counter,
        behaviour.tail ?? new Uint8Array(),
      ]),
    );
  }
}

function clientData(challenge: Uint8Array, origin: string, behaviour: Behaviour, type: string): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      type: behaviour.type ?? type,
      challenge: behaviour.challenge ?? Buffer.from(challenge).toString('base64url'),
      origin: behaviour.origin ?? origin,
      crossOrigin: false,
      ...behaviour.members,
    }),
  );
}
