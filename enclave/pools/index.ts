export { assertEnabled } from './change.ts';
export { decryptWith, encryptWith } from './ciphertext.ts';
export { PoolError } from './errors.ts';
export { type NewKey, POOL_KEYS_TABLE, POOL_SECRETS_TABLE, PoolKeys, type ServedKey } from './pool-keys.ts';
export { describeKey, digestCreation, type PoolKeyRecord } from './record.ts';
