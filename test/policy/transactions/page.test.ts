import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BITCOIN_FEATURES } from '../../../policy/transactions/bitcoin/features.ts';
import { ETHEREUM_FEATURES } from '../../../policy/transactions/ethereum/features.ts';
import { SOLANA_FEATURES } from '../../../policy/transactions/solana/features.ts';
import { EFFECT_TYPES } from '../../../shared/effect-types.ts';
import { payloadKindSchema } from '../../../shared/algorithms.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const page = read('docs/transactions.md');

test.each([...ETHEREUM_FEATURES, ...Object.values(BITCOIN_FEATURES)])('the page names %s', (feature) => {
  expect(page).toContain(`| \`${feature}\``);
});

test.each(Object.values(SOLANA_FEATURES))('the page of Solana names %s', (feature) => {
  expect(read('policy/transactions/solana/SPEC.md')).toContain(`\`${feature}\``);
});

test.each([...EFFECT_TYPES, ...payloadKindSchema.options])('the page names %s', (name) => {
  expect(page).toContain(`\`${name}\``);
});
