export { decodeMnemonic, MAX_WORDS_LENGTH, type MnemonicShare } from './mnemonic.ts';
export { joinShares, MAX_SHARES, type RandomBytes, splitSecret } from './shares.ts';
