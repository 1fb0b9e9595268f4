export { KeyringError } from './errors.ts';
export { Keyring } from './keyring.ts';
