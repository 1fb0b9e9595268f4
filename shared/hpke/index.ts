export { HpkeError } from './errors.ts';
export {
  type Encrypted,
  exportPublicKey,
  HPKE_OVERHEAD_BYTES,
  HPKE_PUBLIC_KEY_BYTES,
  openWith,
  sealTo,
} from './hpke.ts';
