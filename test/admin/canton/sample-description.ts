const IMAGE = {
  reference: `registry.example.com/canton-participant:3.5.10@sha256:${'c0'.repeat(32)}`,
  attested: 'no',
};

/** Fields of a description as its YAML has them: a Splice validator behind a door, a participant at AWS, one without KMS. */
export function makeCantonDescription(): {
  format: string;
  environment: Record<string, unknown>;
  validators: Record<string, unknown>[];
} {
  return {
    format: 'holdfast-canton/1',
    environment: { name: 'sample', production: true, kms: true },
    validators: [makeDoorValidator(), makeAwsValidator(), makePlainValidator()],
  };
}

/** Fields of a Splice validator whose keys are behind a door in its own pod. */
export function makeDoorValidator(): Record<string, unknown> {
  return {
    name: 'alpha',
    namespace: 'validator-alpha',
    kind: 'splice',
    provider: {
      type: 'door',
      region: 'eu-central-1',
      account: '111122223333',
      sidecar: {
        image: `registry.example.com/holdfast@sha256:${'d0'.repeat(32)}`,
        secret: 'holdfast-door',
        port: 5080,
      },
    },
    serviceAccount: { name: 'participant-alpha' },
    credentials: { secret: 'aws-credentials' },
    image: { ...IMAGE, attested: 'gateway' },
  };
}

/** Fields of a participant of plain Canton that asks AWS KMS itself, by a role. */
export function makeAwsValidator(): Record<string, unknown> {
  return {
    name: 'beta',
    namespace: 'validator-beta',
    kind: 'canton',
    participant: 'participant1',
    provider: { type: 'aws', region: 'eu-central-1', account: '111122223333' },
    serviceAccount: { name: 'participant-beta', roleArn: 'arn:aws:iam::111122223333:role/canton/beta' },
    image: { ...IMAGE, attested: { pcrs: { 0: 'ab'.repeat(48) } } },
    retries: { failures: { initialDelay: '500ms', maxDelay: '10s', maxRetries: 2_147_483_647 } },
  };
}

/** Fields of a validator with KMS off. */
export function makePlainValidator(): Record<string, unknown> {
  return { name: 'gamma', namespace: 'validator-gamma', kind: 'splice', kms: false, image: IMAGE };
}
