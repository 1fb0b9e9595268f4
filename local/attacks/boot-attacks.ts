import { generateKeyPairSync } from 'node:crypto';
import { EncryptCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { createEnvelope, ed25519PublicKeyHex, parseEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import { CONFIGURATION_FORMAT_1, CONFIGURATION_PAYLOAD_TYPE } from '../../shared/documents/configuration.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import { digestManifest, type Manifest } from '../../shared/documents/manifest.ts';
import type { ControlResponse } from '../../shared/protocol/control.ts';
import { createMemoryStore, type HostileScripts } from '../hostile-parent/index.ts';
import { testNodeParentOptions } from '../testbed/test-node-parent.ts';
import type { Scenario } from '../testbed/scenario.ts';

/** Attack at a node's start, with the code that it must end with. */
export interface BootAttack {
  /** Description of what the attacker does. */
  readonly attack: string;
  readonly code: string;
  /** Runs the attack and returns the code that it really ended with. */
  readonly attempt: (scenario: Scenario) => Promise<string>;
}

const bytes = (value: unknown) => new Uint8Array(Buffer.from(JSON.stringify(value)));

/** Scripts of a parent that responds to requests of one type by itself. */
function answering(type: string, response: (honest: ControlResponse) => ControlResponse): HostileScripts {
  return {
    onControl: async ({ request, honest }) => {
      const real = await honest();
      return request.type === type ? response(real) : real;
    },
  };
}

/** Scripts of a parent that changes one record of the store on its way to the enclave. */
function changingRecord(name: string, change: (bytes: Uint8Array) => Uint8Array): HostileScripts {
  return {
    onControl: async ({ request, honest }) => {
      const response = await honest();
      const isIt = request.type === 'store-read' && `${request.table}/${request.id}` === name;
      if (!isIt || response.type !== 'store-read' || response.record === null) return response;
      return { ...response, record: { ...response.record, bytes: change(response.record.bytes) } };
    },
  };
}

/** Scripts of a parent that responds to requests of one type with given bytes. */
function answeringRaw(type: string, hex: string): HostileScripts {
  return {
    onControl: ({ request, honest }) => (request.type === type ? { raw: Buffer.from(hex, 'hex') } : honest()),
  };
}

function flipLast(data: Uint8Array): Uint8Array {
  const flipped = data.slice();
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
  return flipped;
}

/**
 * Scripts that deliver a manifest with an authority of the attacker's, with further changes, and a configuration under
 * it.
 */
function takeover(scenario: Scenario, changes: Partial<Manifest> = {}): HostileScripts {
  const attacker = generateKeyPairSync('ed25519');
  const { manifest } = scenario.testNode;
  const authority = { threshold: 1, keys: [ed25519PublicKeyHex(attacker.publicKey)] };
  const forged = bytes({ ...manifest, ...changes, configurationAuthority: authority });
  const configuration = {
    format: CONFIGURATION_FORMAT_1,
    manifest: Buffer.from(digestManifest(forged)).toString('hex'),
    ...scenario.configuration(9),
  };
  const envelope = createEnvelope(CONFIGURATION_PAYLOAD_TYPE, bytes(configuration));
  const signed = bytes(signEnvelope(envelope, attacker.privateKey));
  return {
    onControl: ({ request, honest }) => {
      if (request.type === 'manifest') return { type: 'manifest', bytes: forged };
      return request.type === 'configuration' ? { type: 'configuration', bytes: signed } : honest();
    },
  };
}

/**
 * Starts the node with a key whose users the attacker's own account decides, so that KMS lets the enclave have what the
 * attacker knows.
 */
async function takeOverWithOwnKey(scenario: Scenario): Promise<string> {
  const { testNode } = await scenario.beside(5);
  const { keyArn: KeyId, manifest } = testNode;
  const Statement = [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await testNode.admin.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));
  const { CiphertextBlob = new Uint8Array() } = await testNode.admin.kms.send(
    new EncryptCommand({
      KeyId,
      Plaintext: Buffer.alloc(32, 1),
      EncryptionContext: encryptionContext(scenario.testNode.manifest, PASSWORD_SECRET),
    }),
  );
  const { onControl: lie } = takeover(scenario, { kms: manifest.kms });
  const { onControl: swap } = changingRecord(`boot/${PASSWORD_SECRET}`, () => CiphertextBlob);
  return await scenario.attempt({
    onControl: (call) => (call.request.type === 'store-read' ? swap?.(call) : lie?.(call)) ?? call.honest(),
    parent: { credentials: testNodeParentOptions(scenario.testbed, testNode, 0).credentials },
  });
}

/**
 * Attacks of a parent when a node starts. The scenario has a store that was initialised by `initialise-1` and a
 * configuration of version 2 in force, whose key policy allows no second GenerateDataKey.
 */
export const BOOT_ATTACKS: readonly BootAttack[] = [
  {
    attack: 'another image (PCR0-2)',
    code: 'KMS_ACCESS_DENIED',
    attempt: async (scenario) => {
      const program = await scenario.changedProgram(
        'enclave/boot/boot.ts',
        (code) => `${code}// One more line.\n`,
      );
      return scenario.attempt({ launch: { program } });
    },
  },
  {
    attack: 'a debug image (zero PCRs)',
    code: 'DEBUG_ENCLAVE',
    attempt: (scenario) => scenario.attempt({ launch: { debug: true } }),
  },
  {
    attack: "another manifest (PCR16), with the attacker's own authority",
    code: 'KMS_ACCESS_DENIED',
    attempt: (scenario) => scenario.attempt(takeover(scenario)),
  },
  {
    attack: "another manifest that names a KMS key of the attacker's, with a password of theirs under it",
    code: 'STORE_ROOT_UNREADABLE',
    attempt: takeOverWithOwnKey,
  },
  {
    attack: 'a configuration that nobody has signed',
    code: 'CONFIGURATION_UNDER_SIGNED',
    attempt: (scenario) => {
      const envelope = parseEnvelope(scenario.testNode.sign(scenario.configuration(3)));
      const unsigned = bytes({ ...envelope, signatures: [] });
      return scenario.attempt(answering('configuration', () => ({ type: 'configuration', bytes: unsigned })));
    },
  },
  {
    attack: 'a configuration altered after it was signed',
    code: 'CONFIGURATION_UNDER_SIGNED',
    attempt: (scenario) => {
      const envelope = parseEnvelope(scenario.testNode.sign(scenario.configuration(3)));
      const payload = Buffer.from(envelope.payload, 'base64').toString().replace('"ed25519"', '"bip340"');
      const altered = bytes({ ...envelope, payload: Buffer.from(payload).toString('base64') });
      return scenario.attempt(answering('configuration', () => ({ type: 'configuration', bytes: altered })));
    },
  },
  {
    attack: 'an older configuration, signed and once in force',
    code: 'CONFIGURATION_ROLLED_BACK',
    attempt: (scenario) => {
      const old = scenario.testNode.sign(scenario.configuration(1, 'initialise-1'));
      return scenario.attempt(answering('configuration', () => ({ type: 'configuration', bytes: old })));
    },
  },
  {
    attack: "another node's secret blob",
    code: 'KMS_INCORRECT_KEY',
    attempt: async (scenario) => {
      const other = await scenario.beside(2);
      await (await other.start()).stop();
      const session = await other.store.open();
      const blob = await session.read({ table: 'boot', id: PASSWORD_SECRET });
      await session.close();
      return scenario.attempt(
        changingRecord(`boot/${PASSWORD_SECRET}`, () => blob?.bytes ?? new Uint8Array()),
      );
    },
  },
  {
    attack: 'an altered secret blob',
    code: 'KMS_INVALID_CIPHERTEXT',
    attempt: (scenario) => scenario.attempt(changingRecord(`boot/${PASSWORD_SECRET}`, flipLast)),
  },
  {
    attack: 'an altered sealed record',
    code: 'STORE_RECORD_ALTERED',
    attempt: (scenario) => scenario.attempt(changingRecord('keys/ethereum-hot', flipLast)),
  },
  {
    attack: 'two sealed records swapped',
    code: 'STORE_RECORD_ALTERED',
    attempt: async (scenario) => {
      const session = await scenario.store.open();
      const other = await session.read({ table: 'keys', id: 'bitcoin-hot' });
      await session.close();
      return scenario.attempt(changingRecord('keys/ethereum-hot', () => other?.bytes ?? new Uint8Array()));
    },
  },
  {
    attack: 'a sealed record that is gone',
    code: 'STORE_RECORD_MISSING',
    attempt: (scenario) =>
      scenario.attempt({
        onControl: ({ request, honest }) =>
          request.type === 'store-read' && request.id === 'ethereum-hot'
            ? { type: 'store-read', record: null }
            : honest(),
      }),
  },
  {
    attack: 'a store said to be empty, so that the node forgets',
    code: 'INITIALISATION_NOT_ORDERED',
    attempt: (scenario) => {
      const full = scenario.store.snapshot();
      scenario.store.restore(createMemoryStore().snapshot());
      return scenario.attempt().finally(() => scenario.store.restore(full));
    },
  },
  {
    attack: 'the order to initialise given again, by a new name',
    code: 'INITIALISATION_REPEATED',
    attempt: (scenario) => {
      const again = scenario.testNode.sign(scenario.configuration(3, 'initialise-2'));
      return scenario.attempt(answering('configuration', () => ({ type: 'configuration', bytes: again })));
    },
  },
  {
    attack: 'the first order replayed to an empty store',
    code: 'KMS_ACCESS_DENIED',
    attempt: (scenario) => {
      const full = scenario.store.snapshot();
      scenario.store.restore(createMemoryStore().snapshot());
      const first = scenario.testNode.sign(scenario.configuration(1, 'initialise-1'));
      return scenario
        .attempt(answering('configuration', () => ({ type: 'configuration', bytes: first })))
        .finally(() => scenario.store.restore(full));
    },
  },
  {
    attack: 'a second enclave on the same store, on another host',
    code: 'CONTROL_STORE_BUSY',
    attempt: async (scenario) => {
      const first = await scenario.start();
      try {
        return await scenario.attempt({ host: await scenario.testbed.addHost() });
      } finally {
        await first.stop();
      }
    },
  },
  {
    attack: 'a frame that is longer than any answer',
    code: 'CONTROL_ANSWER_INVALID',
    attempt: (scenario) => scenario.attempt(answeringRaw('manifest', 'ffffffff01')),
  },
  {
    attack: 'a frame of an unknown version',
    code: 'CONTROL_ANSWER_INVALID',
    attempt: (scenario) => scenario.attempt(answeringRaw('manifest', '0000000202a0')),
  },
];
