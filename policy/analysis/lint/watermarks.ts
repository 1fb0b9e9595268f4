import type { Configuration, PermitRule } from '../../../shared/documents/configuration.ts';
import type { ConfigurationFinding } from './finding.ts';
import { isBlindKind } from './reach.ts';

/**
 * Finds keys of bakers that some rule lets sign what nobody reads, too: a digest of a block is signed without regard to the
 * watermark, whoever asks for it.
 */
export function lintWatermarks({ rules }: Configuration): ConfigurationFinding[] {
  const permits = rules.filter((rule): rule is PermitRule => rule.effect === 'permit');
  const baking = permits.filter(({ payloads }) => payloads.includes('tezos-consensus'));
  return permits.filter(isBlind).flatMap((rule) =>
    rule.keys
      .filter((key) => baking.some(({ keys }) => keys.includes(key)))
      .map((key): ConfigurationFinding => ({
        code: 'WATERMARK_BYPASSED',
        severity: 'warning',
        subject: rule.id,
        text: `permits blind signatures with ${key}, by which another rule has blocks and attestations signed: no watermark sees them`,
      })),
  );
}

function isBlind({ operations, payloads, effects }: PermitRule): boolean {
  return (
    operations.includes('sign') &&
    payloads.some((kind) => isBlindKind(kind)) &&
    effects.some(({ type }) => type === 'blind')
  );
}
