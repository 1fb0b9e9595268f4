import { describe, expect, it } from 'vitest';
import {
  parseDescription,
  parseObjects,
  planDescription,
  type ValidatorPlan,
} from '../../../admin/canton/index.ts';
import { makeObjects } from './cluster.ts';
import {
  makeAwsValidator,
  makeCantonDescription,
  makeDoorValidator,
  makePlainValidator,
} from './sample-description.ts';

type Fields = Record<string, unknown>;

const describeAll = (...validators: Fields[]) =>
  parseDescription(Buffer.from(JSON.stringify({ ...makeCantonDescription(), validators })));

function planOf(validator: Fields): ValidatorPlan {
  const [plan] = planDescription(describeAll(validator));
  if (plan === undefined) throw new TypeError('no plan');
  return plan;
}

const keys = {
  namespace: { id: 'key-namespace' },
  signing: { id: 'key-signing' },
  encryption: { id: 'key-encryption' },
};
const commandsOf = ({ steps }: ValidatorPlan) => steps.flatMap(({ commands }) => commands).join('\n');

describe('a plan', () => {
  it('has a check and a way back for each step, whatever the validator is', () => {
    const validators = [
      makeDoorValidator(),
      makeAwsValidator(),
      { ...makeDoorValidator(), keysNow: 'database' },
      { ...makeAwsValidator(), keysNow: 'database', migration: 'rotate' },
      { ...makeAwsValidator(), keysNow: 'database', migration: 'envelope', mode: 'envelope' },
      { ...makeDoorValidator(), keysNow: 'kms', keys, rotateTo: { signing: { id: 'key-next' } } },
    ];
    const plans = validators.map(planOf);
    expect(plans.map(({ state }) => state)).toEqual([
      'new',
      'new',
      'migrate',
      'migrate',
      'migrate',
      'rotate',
    ]);
    for (const { steps } of plans) {
      expect(steps.length).toBeGreaterThan(1);
      for (const { title, commands, check, undo } of steps)
        expect([title, check, undo, commands[0]].every((text) => text !== undefined && text !== '')).toBe(
          true,
        );
    }
  });

  it('does nothing for a validator with KMS off', () => {
    expect(planOf(makePlainValidator())).toMatchObject({ state: 'off', steps: [] });
  });

  it('says what is there where nothing is left to do', () => {
    const done = { ...makeDoorValidator(), keysNow: 'kms', keys };
    expect(planOf(done)).toMatchObject({ state: 'done', steps: [] });
    const description = describeAll(done);
    const objects = parseObjects(Buffer.from(JSON.stringify(makeObjects(description))));
    const [plan] = planDescription(description, objects);
    expect(plan).toMatchObject({ state: 'done', steps: [] });
    expect(plan?.present).toEqual([
      'namespace key-namespace',
      'signing key-signing',
      'encryption key-encryption',
      'the cluster is as it is described',
    ]);
  });

  it('repairs a cluster that differs from a description whose keys are in KMS', () => {
    const description = describeAll({ ...makeDoorValidator(), keysNow: 'kms', keys });
    const [plan] = planDescription(description, parseObjects(Buffer.from('{"kind":"List","items":[]}')));
    expect(plan).toMatchObject({ state: 'repair', summary: expect.stringContaining('WORKLOAD_ABSENT') });
  });

  it('leaves the rollout out where the cluster has it', () => {
    const description = describeAll(makeDoorValidator());
    const objects = parseObjects(Buffer.from(JSON.stringify(makeObjects(description))));
    expect(planDescription(description, objects)[0]?.steps).toHaveLength(1);
  });

  it('never rotates the root namespace key, and says so', () => {
    const plans = [
      planOf({ ...makeDoorValidator(), keysNow: 'kms', keys, rotateTo: { signing: { id: 'key-next' } } }),
      planOf({ ...makeAwsValidator(), keysNow: 'database', migration: 'rotate' }),
      planOf({ ...makeAwsValidator(), keysNow: 'database' }),
    ];
    for (const { limits } of plans) expect(limits.join(' ')).toMatch(/root namespace key/);
  });

  it('rotates before it retires, and retires what was rotated', () => {
    const text = commandsOf(
      planOf({ ...makeDoorValidator(), keysNow: 'kms', keys, rotateTo: { signing: { id: 'key-next' } } }),
    );
    expect(text.indexOf('rotate_kms_node_key(key, "key-next"')).toBeGreaterThan(0);
    expect(text.indexOf('disable-key --key-id key-signing')).toBeGreaterThan(
      text.indexOf('rotate_kms_node_key'),
    );
    expect(text).not.toContain('key-namespace');
  });

  it('makes an RSA key for encryption, of the usage that Canton asks for', () => {
    const text = commandsOf(planOf({ ...makeAwsValidator(), keysNow: 'database', migration: 'rotate' }));
    expect(text).toContain('--key-spec RSA_2048 --key-usage ENCRYPT_DECRYPT');
  });
});
