import type { KeyPolicy } from './document.ts';
import { KeyPolicyError } from './errors.ts';

/** Work that is left for questions about one policy: a hostile policy can make each question as hard as SAT. */
export interface Budget {
  left: number;
}

/** Steps of a fresh budget: a few seconds of one core. Policies that people write take a hundredth. */
const STEPS = 20_000_000;

export function createBudget(): Budget {
  return { left: STEPS };
}

/** Takes steps from the budget. @throws KeyPolicyError POLICY_TOO_COMPLEX when none are left */
export function spend(budget: Budget, steps: number): void {
  budget.left -= steps;
  if (budget.left < 0) {
    throw new KeyPolicyError(
      'POLICY_TOO_COMPLEX',
      `the policy takes more than ${STEPS} steps to analyse, so it counts as open`,
      {
        steps: STEPS,
      },
    );
  }
}

/** Counts the steps of one pass over a policy. */
export function weigh({ statements }: KeyPolicy): number {
  return statements.reduce(
    (sum, { actions, principals, resources }) =>
      sum + actions.entries.length + principals.entries.length + resources.entries.length,
    0,
  );
}
