import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ACTIONS_WITHOUT_KEY,
  ALL_KMS_ACTIONS,
  isAttestable,
} from '../../../attestation/key-policy/actions.ts';

const { operations, withRecipient } = JSON.parse(
  readFileSync(new URL('../../../attestation/key-policy/kms-operations.json', import.meta.url), 'utf8'),
) as { operations: string[]; withRecipient: string[] };

/** What an installed botocore has, if one is: AWS's own service model. */
function readBotocore(): { readonly operations: Record<string, boolean> } | undefined {
  const script = `
import json, botocore.session
model = botocore.session.get_session().get_service_model("kms")
print(json.dumps({"operations": {
    name: "Recipient" in (model.operation_model(name).input_shape.members if model.operation_model(name).input_shape else {})
    for name in model.operation_names}}))`;
  const { status, stdout } = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as ReturnType<typeof readBotocore>) : undefined;
}

describe('the list of KMS actions', () => {
  // ReEncrypt is one operation, and two actions to a policy; the last is called by KMS alone.
  const known = [...ALL_KMS_ACTIONS, ...ACTIONS_WITHOUT_KEY].map((action) => action.replace('kms:', ''));

  it("has every operation of AWS's own model, each once, and two names of policies more", () => {
    const expected = operations.filter((name) => name !== 'ReEncrypt');
    expect(known.toSorted()).toEqual(
      [...expected, 'ReEncryptFrom', 'ReEncryptTo', 'SynchronizeMultiRegionKey'].toSorted(),
    );
  });

  it('knows which of them take a Recipient', () => {
    const attestable = withRecipient.filter((name) => !ACTIONS_WITHOUT_KEY.includes(`kms:${name}`));
    expect(
      ALL_KMS_ACTIONS.filter(isAttestable)
        .map((action) => action.replace('kms:', ''))
        .toSorted(),
    ).toEqual(attestable);
  });

  const botocore = readBotocore();
  it.skipIf(botocore === undefined)(
    'is that of the botocore that is installed here (python3 -m pip install botocore)',
    () => {
      const { operations: installed = {} } = botocore ?? {};
      // An older botocore may lack operations; what it has, and whether that takes a Recipient, is as here.
      expect(Object.keys(installed).filter((name) => !operations.includes(name))).toEqual([]);
      expect(
        Object.entries(installed).filter(([name, recipient]) => withRecipient.includes(name) !== recipient),
      ).toEqual([]);
    },
  );
});
