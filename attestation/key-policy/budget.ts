import type { KeyPolicy } from './document.ts';
import { KeyPolicyError } from './errors.ts';

/** How much work is left for questions to one policy: a hostile one can make each of them as hard as SAT. */
export interface Budget {
  left: number;
}

/** A few seconds of one core; policies that people write take a hundredth of it. */
const STEPS = 20_000_000;

export function createBudget(): Budget {
  return { left: STEPS };
}

/** @throws KeyPolicyError POLICY_TOO_COMPLEX */
export function spend(budget: Budget, steps: number): void {
  budget.left -= steps;
  if (budget.left < 0) {
    throw new KeyPolicyError(
      'POLICY_TOO_COMPLEX',
      'the policy takes too long to question, so it counts as open',
      {
        steps: STEPS,
      },
    );
  }
}

/** The steps of looking through a policy once. */
export function weigh({ statements }: KeyPolicy): number {
  return statements.reduce(
    (sum, { actions, principals, resources }) =>
      sum + actions.entries.length + principals.entries.length + resources.entries.length,
    0,
  );
}
