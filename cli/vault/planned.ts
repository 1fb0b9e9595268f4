import type { PlannedStep } from '../../admin/vault/steps/index.ts';
import type { Outcome } from '../common/command.ts';
import { printable } from '../common/printable.ts';

/** Outcome of a verb that says what a run would do. */
export function describePlanned(planned: readonly PlannedStep[]): Outcome {
  return {
    ok: !planned.some(({ state }) => state.state === 'refused'),
    text: describePlan(planned),
    data: {
      steps: planned.map(({ step: { id, stage, summary }, state }) => ({
        step: id,
        stage,
        summary,
        ...state,
      })),
    },
  };
}

/** Words for what a run would do. */
export function describePlan(planned: readonly PlannedStep[]): string {
  return planned.flatMap(describeStep).map(printable).join('\n');
}

function describeStep({ step: { id, summary }, state }: PlannedStep): readonly string[] {
  const line = (word: string) => `${word.padEnd(9)}${id}: ${summary}`;
  switch (state.state) {
    case 'done':
      return [line('done')];
    case 'ready':
      return [line('to do'), ...state.changes.map((text) => `           ${text}`)];
    case 'next':
      return [line('then')];
    case 'waiting':
      return [
        line('waits'),
        ...state.waitsFor.map(({ role, step }) => `           for ${role}, who has to do ${step}`),
      ];
    case 'refused':
    default:
      return [line('REFUSED'), `           ${state.code}: ${state.message}`];
  }
}
