import type { StepContext } from '../../../admin/vault/steps/index.ts';
import type { StackOrder } from '../../../admin/vault/steps/stack/order.ts';
import {
  readStackPolicy,
  readTemplate,
  type StackName,
  type TemplateOptions,
} from '../../../deploy/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { REGION, type Person } from './cloud.ts';

/** Makes what a step sees of the world, where the world is the local AWS and one person's clients. */
export function stepContextOf(aws: LocalAws, { cloudFormation }: Person): StepContext {
  const journal = new Map<string, unknown>();
  let drawn = 0;
  return {
    aws: { cloudFormation: () => Promise.resolve(cloudFormation) },
    journal: {
      get: (name: string) => journal.get(name),
      set: (name: string, value: unknown) => Promise.resolve(void journal.set(name, value)),
    },
    clock: Date.now,
    random: (bytes: number) => new Uint8Array(bytes).fill((drawn += 1)),
    sleep: async () => await aws.cloudFormation.settled(),
    signal: new AbortController().signal,
    progress: () => undefined,
  } as unknown as StepContext;
}

/** Orders a stack of the vault `acme`, `production`, as a step does. */
export async function orderOf(
  template: StackName,
  parameters: StackOrder['parameters'],
  options: TemplateOptions = {},
): Promise<StackOrder> {
  return {
    name: `acme-production-${template === 'infrastructure' ? template : `${template}-1`}`,
    region: REGION,
    template: await readTemplate(template, options),
    policy: readStackPolicy(template),
    parameters,
  };
}
