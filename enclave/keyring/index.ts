export { type Keyring, openKeyring } from './keyring.ts';
