export { decodeBitcoin } from './decode-psbt.ts';
export { addSignatures, type InputSignature } from './signatures.ts';
