import type { PayloadKind } from '../../../shared/algorithms.ts';
import type { Condition, Configuration, PermitRule } from '../../../shared/documents/configuration.ts';
import { normaliseName } from '../../matching/names.ts';
import { isBlindKind } from './reach.ts';
import type { ConfigurationFinding } from './finding.ts';

/** Words for what a feature lets happen. Features that are missing here are unusual, and lose nothing by themselves. */
const DANGERS: Readonly<Record<string, string>> = {
  'bitcoin:foreign-input':
    'others put inputs into the transaction: amounts and fee are no longer one owner’s',
  'bitcoin:sighash-none': 'a signature that binds no output: whoever holds it sends the amount anywhere',
  'bitcoin:sighash-single': 'a signature that binds one output alone: the others can be replaced',
  'bitcoin:sighash-anyone-can-pay': 'inputs can be added and taken away after signing',
  'bitcoin:unknown-field': 'a part of the PSBT that this image does not read',
  'bitcoin:unknown-witness-program': 'an output that anybody can spend',
  'ethereum:any-chain': 'an authorisation that holds on every chain',
  'ethereum:foreign-funds': 'moves what belongs to other accounts, which no limit of this key is about',
  'ethereum:noncanonical-calldata': 'arguments that a contract may read otherwise than the node',
  'ethereum:relative-allowance': 'an allowance grows by an amount: what it is then, nobody can see',
  'ethereum:typed-data-any-chain': 'a signed document that holds on every chain',
  'ethereum:unlimited-allowance': 'somebody may take all of a token, at any time',
  'solana:address-table': 'accounts that the node cannot see',
  'solana:durable-nonce': 'a message that never expires: it can be sent years later',
  'solana:other-signers': 'the message may do with the accounts of other signers what they allow',
  'solana:set-authority': 'an account is given away for good',
  'solana:close-account': 'a whole balance leaves, whatever it is then',
  'solana:unlimited-allowance': 'somebody may take all of a token account, at any time',
  'tezos:unlimited-allowance': 'an operator may take all of a token, at any time',
  'tezos:tokens-of-others': 'moves tokens of other accounts, which no limit of this key is about',
};

const BLIND: Partial<Record<PayloadKind, string>> = {
  digest: 'a digest: whatever the key can sign, the client can have signed, on any chain that uses the key',
  message:
    'bytes that nobody reads: on chains that sign their transactions so (ed25519), any transaction of the key',
  'taproot-sighash': 'a sighash: any spending of the taproot output, to any address and of any amount',
};
const MOVES: ReadonlySet<string> = new Set(['transfer', 'allowance', 'stake']);
/** Effects in which `to` gains something. */
const ADDRESSED: ReadonlySet<string> = new Set(['transfer', 'allowance', 'delegate', 'authorise-code']);

/** Finds permits that permit more than those who sign may think. */
export function lintPermissions({ rules }: Configuration): ConfigurationFinding[] {
  return rules.flatMap((rule) => {
    if (rule.effect === 'deny' || !rule.operations.includes('sign')) return [];
    return [...lintKinds(rule), ...rule.effects.flatMap((each) => lintCondition(rule, each))];
  });
}

function lintKinds(rule: PermitRule): ConfigurationFinding[] {
  const warn = (code: ConfigurationFinding['code'], text: string): ConfigurationFinding => ({
    code,
    severity: 'warning',
    subject: rule.id,
    text,
  });
  const hasBlind = rule.effects.some(({ type }) => type === 'blind');
  return [
    ...rule.payloads
      .filter((kind) => hasBlind && isBlindKind(kind))
      .map((kind) => warn('BLIND_PAYLOAD', `permits ${BLIND[kind] ?? kind}`)),
    ...rule.features.flatMap((feature) => {
      const danger = DANGERS[feature];
      return danger === undefined ? [] : [warn('DANGEROUS_FEATURE', `${feature}: ${danger}`)];
    }),
  ];
}

function lintCondition(rule: PermitRule, condition: Condition): ConfigurationFinding[] {
  const { type, to, contracts, selectors } = condition;
  const find = (
    code: ConfigurationFinding['code'],
    text: string,
    severity: ConfigurationFinding['severity'] = 'warning',
  ): ConfigurationFinding[] => [{ code, severity, subject: rule.id, text }];
  const hasConsent = rule.approvals !== null || rule.tiers.length > 0;
  const isBounded = isWithinLimits(rule, condition);
  const isEachBounded = condition.amount !== null && condition.amount.max !== null;
  const isUncounted = !hasConsent && rule.rate === null;
  return [
    ...(type === 'unknown'
      ? find('UNREAD_EFFECT', 'permits parts of transactions whose meaning nobody knows')
      : []),
    ...(ADDRESSED.has(type) && to === null ? find('ANY_DESTINATION', `${type} to anybody`) : []),
    ...(type === 'call' && contracts === null && selectors === undefined
      ? find('ANY_CONTRACT', 'any function of any contract may be called')
      : []),
    ...(MOVES.has(type) && !isBounded && !isEachBounded
      ? find(
          'TRANSFER_UNLIMITED',
          `${type} of any amount${hasConsent ? ', with approvals' : ''}: no amount, limit or tier bounds it`,
          hasConsent ? 'note' : 'warning',
        )
      : []),
    ...(MOVES.has(type) && !isBounded && isEachBounded && isUncounted
      ? find('TRANSFERS_UNCOUNTED', `each ${type} has a maximum, and there may be any number of them`)
      : []),
  ];
}

/** Tells whether limits count, or tiers bound, all that a condition lets move. */
function isWithinLimits({ limits, tiers }: PermitRule, { assets }: Condition): boolean {
  // Tiers with a last maximum deny every asset that they do not name.
  if (tiers.length > 0 && tiers.every(({ steps }) => steps.at(-1)?.max !== null)) return true;
  const counted = new Set(limits.map(({ asset }) => normaliseName(asset)));
  return assets !== null && assets.every((asset) => counted.has(normaliseName(asset)));
}
