import type { RequestContext } from './pattern.ts';

/**
 * Builds the context of a request for `evaluateKeyPolicy`.
 *
 * @param entries condition keys in any case with one value or several; an entry with undefined is left out
 *
 * Source: IAM User Guide, "AWS global condition context keys".
 */
export function buildRequestContext(
  entries: Iterable<readonly [string, string | readonly string[] | undefined]>,
): RequestContext {
  const context = new Map<string, readonly string[]>();
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    const key = name.toLowerCase();
    const values = typeof value === 'string' ? [value] : value;
    // Names of an encryption context have a case and condition keys have none: equal keys share their values.
    context.set(key, [...(context.get(key) ?? []), ...values]);
  }
  return context;
}

/**
 * Lists the condition keys of a request that carries a verified attestation document of an enclave.
 *
 * @param pcrs 48 bytes each, by number
 *
 * Source: KMS Developer Guide, "Condition keys for attested platforms".
 */
export function* attestationContext(pcrs: ReadonlyMap<number, Uint8Array>): Generator<[string, string]> {
  for (const [index, value] of pcrs) {
    const hex = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (index === 0) yield ['kms:RecipientAttestation:ImageSha384', hex];
    yield [`kms:RecipientAttestation:PCR${index}`, hex];
  }
}

/**
 * Lists the condition keys of an encryption context.
 *
 * Source: KMS Developer Guide, "kms:EncryptionContext:context-key" and "kms:EncryptionContextKeys".
 */
export function* encryptionContext(
  context: Readonly<Record<string, string>>,
): Generator<[string, string | readonly string[]]> {
  const keys = Object.keys(context);
  if (keys.length > 0) yield ['kms:EncryptionContextKeys', keys];
  for (const key of keys) yield [`kms:EncryptionContext:${key}`, context[key] ?? ''];
}
