import { ACTIONS_WITHOUT_KEY, ALL_KMS_ACTIONS } from './actions.ts';
import type { Budget } from './budget.ts';
import type { KeyPolicy } from './document.ts';
import { globOf, sampleTexts } from './glob.ts';
import { matchAction } from './pattern.ts';

const KNOWN = [...ALL_KMS_ACTIONS, ...ACTIONS_WITHOUT_KEY];

/** Whether a pattern of an Action element matches an action that KMS has. */
export function isKnownAction(pattern: string): boolean {
  return KNOWN.some((action) => matchAction(pattern, action));
}

/**
 * Names actions that KMS does not have today and AWS may add: one of each kind that the wildcards of the policies tell
 * apart. Each name has an X, a character that occurs in no pattern.
 *
 * @throws KeyPolicyError POLICY_TOO_COMPLEX
 */
export function unknownActions(policies: readonly KeyPolicy[], budget: Budget): string[] {
  const patterns = policies.flatMap(({ statements }) => statements.flatMap(({ actions }) => actions.entries));
  const open = new Set(patterns.map((pattern) => pattern.toLowerCase()).filter((one) => /[*?]/.test(one)));
  const names = sampleTexts(
    [...open].map((pattern) => globOf(pattern)),
    { within: globOf('kms:*X*'), budget },
  );
  const negated = policies.some(({ statements }) => statements.some(({ actions }) => actions.negated));
  return names.filter((name) => negated || [...open].some((pattern) => matchAction(pattern, name)));
}
