import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Approval, ApproverEntry } from '../../../policy/approvals/index.ts';
import { type Behaviour, SoftwareAuthenticator } from '../../shared/webauthn/authenticator.ts';

const PAYLOAD_TYPE = 'application/vnd.holdfast.approval+json';

/** DSSE's pre-authentication encoding, written here again: an oracle shares nothing with what it judges. */
function pae(payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** A person with an Ed25519 key in a file. */
export class KeyHolder {
  readonly id: string;
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor(id: string) {
    this.id = id;
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    this.publicKey = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
  }

  get entry(): ApproverEntry {
    return { id: this.id, credentials: [{ type: 'ed25519', publicKey: this.publicKey }] };
  }

  sign(statement: Uint8Array): Approval {
    const signature = new Uint8Array(sign(null, pae(statement), this.#privateKey));
    return { statement, proof: { type: 'ed25519', publicKey: this.publicKey, signature } };
  }
}

/** A person with a passkey. */
export class PasskeyHolder {
  readonly id: string;
  readonly authenticator: SoftwareAuthenticator;
  readonly site = { origin: 'https://approve.example', relyingParty: 'approve.example' };

  constructor(id: string, algorithm: 'ES256' | 'EdDSA' = 'ES256') {
    this.id = id;
    this.authenticator = new SoftwareAuthenticator(algorithm);
  }

  get credentialId(): string {
    return Buffer.from(this.authenticator.credentialId).toString('base64url');
  }

  get entry(): ApproverEntry {
    const { algorithm, publicKey } = this.authenticator;
    return {
      id: this.id,
      credentials: [
        {
          type: 'passkey',
          algorithm,
          credentialId: this.credentialId,
          publicKey: Buffer.from(publicKey).toString('hex'),
          relyingParty: this.site.relyingParty,
          origins: [this.site.origin],
        },
      ],
    };
  }

  sign(statement: Uint8Array, behaviour: Behaviour = {}): Approval {
    const challenge = createHash('sha256').update(pae(statement)).digest();
    const assertion = this.authenticator.assert(challenge, this.site, behaviour);
    return { statement, proof: { type: 'passkey', credentialId: this.credentialId, ...assertion } };
  }
}
