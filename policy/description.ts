import type {
  ApprovalRequirement,
  Condition,
  Credential,
  KeyEntry,
  PermitRule,
  Pool,
  Rule,
} from '../shared/documents/configuration.ts';
import { describeAmount } from './coins.ts';

/** Describes a key in a phrase: its type, the public key that it must have, and the networks that it serves. */
export function describeKey({
  type,
  publicKey,
  commitments,
  networks = [],
}: Pick<KeyEntry, 'type' | 'publicKey' | 'commitments'> & { readonly networks?: readonly string[] }): string {
  return [
    publicKey === undefined ? type : `${type}, none but ${publicKey}`,
    ...(networks.length === 0 ? [] : [`on ${list(networks)}`]),
    ...(commitments === undefined ? [] : [`of the group with commitments ${commitments}`]),
  ].join(', ');
}

/** Describes a pool in a sentence: who sees it, which keys it holds, and what they may be called. */
export function describePool({ clients, types, maximum, descriptions, aliases, deletionDays }: Pool): string {
  const say = (patterns: readonly string[]) =>
    patterns.map((pattern) => JSON.stringify(pattern)).join(' or ');
  return [
    `${list(clients)} may see up to ${maximum} ${maximum === 1 ? 'key' : 'keys'} of ${list(types)}`,
    `described by ${say(descriptions)}`,
    aliases.length === 0 ? 'without aliases' : `with aliases ${say(aliases)}`,
    `deleted ${deletionDays} days after the order or later`,
  ].join(', ');
}

/** Describes a credential in a phrase: all that decides whose vote verifies with it. */
export function describeCredential(credential: Credential): string {
  if (credential.type === 'ed25519') return `ed25519 ${credential.publicKey}`;
  const { algorithm, credentialId, publicKey, relyingParty, origins } = credential;
  return `passkey ${algorithm} ${publicKey} ${credentialId} of ${relyingParty} at ${[...origins].sort().join(',')}`;
}

/** Describes a rule in a sentence: who may, or may not, do what with which keys, and within which limits. */
export function describeRule(rule: Rule): string {
  const { effect, clients, operations, keys, algorithms, payloads } = rule;
  const verb = effect === 'permit' ? 'may' : 'may NOT';
  const parts = [
    `${list(clients)} ${verb} ${list(operations)} with ${list(keys)}`,
    `${list(algorithms)} of ${list(payloads)}`,
    ...(rule.networks === null ? [] : [`on ${list(rule.networks)}`]),
    ...(rule.time === null ? [] : [describeTime(rule.time)]),
    ...(rule.effects ?? []).filter(({ type }) => type !== 'blind').map(describeCondition),
    ...(effect === 'permit' ? describeLimits(rule) : []),
    ...(effect === 'deny' && rule.features !== null ? [`with any of ${list(rule.features)}`] : []),
    ...(effect === 'permit' ? [describeRate(rule.rate)] : []),
  ];
  return parts.join(', ');
}

const list = (names: readonly string[]) => names.join(', ');

function describeTime({ days, hours, notBefore, notAfter }: NonNullable<Rule['time']>): string {
  return [
    ...(days === null ? [] : [`on ${days.join(' ')}`]),
    ...(hours === null ? [] : [`from ${hours.from} to ${hours.to} UTC`]),
    ...(notBefore === null ? [] : [`from ${notBefore} on`]),
    ...(notAfter === null ? [] : [`until ${notAfter}`]),
  ].join(' ');
}

/** Describes a condition in a phrase: what kind of effect, to whom, how much. */
function describeCondition({ type, to, assets, contracts, amount, selectors }: Condition): string {
  const asset = assets?.length === 1 ? (assets[0] ?? null) : null;
  const say = (bound: string) => describeAmount(BigInt(bound), asset);
  return [
    type,
    ...(selectors === undefined ? [] : [`(${selectors.join(' ')})`]),
    ...(to === null ? [] : [`to ${[...to.books.map((id) => `book ${id}`), ...to.addresses].join(' or ')}`]),
    ...(assets === null ? [] : [`of ${assets.join(' or ')}`]),
    ...(contracts === null
      ? []
      : [
          `by ${contracts.map(({ address, selectors }) => `${address}${selectors === null ? '' : ` (${selectors.join(' ')})`}`).join(' or ')}`,
        ]),
    ...(amount === null || amount.min === null ? [] : [`at least ${say(amount.min)}`]),
    ...(amount === null || amount.max === null ? [] : [`at most ${say(amount.max)}`]),
  ].join(' ');
}

function describeLimits(rule: PermitRule): string[] {
  const { effects, features, fee, gas, nonce, limits, approvals, tiers } = rule;
  return [
    ...(features.length === 0 ? [] : [`even with ${list(features)}`]),
    ...describeFee(fee, effects),
    ...(gas === null ? [] : [`gas at most ${gas.max}`]),
    ...(nonce === null ? [] : [`nonce ${nonce.min} to ${nonce.max}`]),
    ...limits.map(
      ({ id, asset, max, seconds, per, fees }) =>
        `limit ${id}: ${describeAmount(BigInt(max), asset)}${fees ? ' with fees' : ''} in ${seconds} s per ${per}`,
    ),
    ...(approvals === null ? [] : [describeApprovals(approvals)]),
    ...tiers.flatMap(({ asset, steps }) =>
      steps.map(
        ({ max, approvals: needed }) =>
          `${max === null ? `any more of ${asset}` : `up to ${describeAmount(BigInt(max), asset)}`}: ${needed === null ? 'no approval' : describeApprovals(needed)}`,
      ),
    ),
  ];
}

/** Describes the bound on the fee, or that there is none; nothing for what nobody can read, whose fee nobody knows. */
function describeFee(fee: PermitRule['fee'], effects: PermitRule['effects']): string[] {
  if (fee === null) return effects.every(({ type }) => type === 'blind') ? [] : ['any fee'];
  const { asset, max, maxShareBasisPoints: share } = fee;
  return [
    `fee at most ${describeAmount(BigInt(max), asset)}${share === null ? '' : ` and ${share} basis points of what moves of it`}`,
  ];
}

function describeApprovals({ all }: ApprovalRequirement): string {
  return `approved by ${all.map(({ group, count }) => `${count} of ${group}`).join(' and ')}`;
}

/** Describes a rule's rate in a phrase. */
export function describeRate(rate: PermitRule['rate']): string {
  return rate === null ? 'no rate' : `${rate.count} per ${rate.seconds} s`;
}
