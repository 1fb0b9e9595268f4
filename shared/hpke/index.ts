export { HpkeError } from './errors.ts';
export { type Encrypted, exportPublicKey, openWith, sealTo } from './hpke.ts';
