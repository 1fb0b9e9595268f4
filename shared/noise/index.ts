export { CipherKey } from './cipher-state.ts';
export { NoiseError, type NoiseErrorCode } from './errors.ts';
export { MAX_NOISE_MESSAGE_BYTES, NoiseHandshake, type NoiseRole, type NoiseSession } from './handshake.ts';
export { generateNoiseKeyPair, importNoiseKeyPair, type NoiseKeyPair } from './x25519.ts';
