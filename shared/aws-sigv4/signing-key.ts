import { createHmac } from 'node:crypto';

/** The credential that signatures of one access key are verified with. */
export interface SigningCredential {
  readonly secretAccessKey: string;
  /** Session token of temporary credentials, which each request must carry; absent for permanent ones. */
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Day, Region and service that a signing key is good for. */
export interface SigningScope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The last signing key that was derived of each credential: one serves for all requests of a day. */
const signingKeys = new WeakMap<SigningCredential, { readonly name: string; readonly key: Uint8Array }>();

/** Derives the key that signs within a scope. */
export function deriveSigningKey(
  credential: SigningCredential,
  { date, region, service }: SigningScope,
): Uint8Array {
  const { secretAccessKey } = credential;
  const name = `${date}/${region}/${service}/${secretAccessKey}`;
  const known = signingKeys.get(credential);
  if (known?.name === name) return known.key;
  let key = createHmac('sha256', `AWS4${secretAccessKey}`).update(date).digest();
  for (const part of [region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  signingKeys.set(credential, { name, key });
  return key;
}

/** Scope as it stands in a string to sign. */
export function formatScope({ date, region, service }: SigningScope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** Signs a string. */
export function sign(key: Uint8Array, toSign: string): Uint8Array {
  return createHmac('sha256', key).update(toSign).digest();
}
