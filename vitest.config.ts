import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { FailuresReporter } from './test/support/failures-reporter.ts';

// Programs that tests start, and the tests' own processes, take the code that was compiled by one before: at the launcher's
// place, which is beside the code (cli/holdfast.js).
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/holdfast');

const SYSTEMD = ['test/systemd/**/*.test.ts'];
const EMULATED = ['test/**/*.emulated.test.ts'];

/**
 * Files that take more than a second or so and keep no state in modules, start no node and look at no deadline: drawn
 * inputs, models, arithmetic.
 */
const COMPUTED = [
  'test/**/*.fuzz.test.ts',
  'test/attestation/{corpus-runner,corpus.vectors,genuine}.test.ts',
  'test/admin/vault/steps/{configuration,upgrade}.test.ts',
  'test/attestation/key-policy/{gate,open-policies}.test.ts',
  'test/enclave/quorum/signing/{approvals,children,culprits,epochs,nonces.model,orders,refusals,signing}.test.ts',
  'test/shared/frost/{hostile,independent,zcash}.test.ts',
  'test/shared/http-signature/http-signature.test.ts',
];

/** Files that take more than a second or so: whole nodes, attacks on them, processes, deadlines, a database. */
const E2E = [
  'test/**/*.e2e.test.ts',
  'test/attack/**/*.test.ts',
  'test/cli/{completion,gateway,odd-input}/**/*.test.ts',
  'test/cli/{key-policy,launcher,parent,secrets-generate,secrets-populate}.test.ts',
  'test/cli/quorum/quorum.test.ts',
  'test/client/{node-client,quorum-client}.test.ts',
  'test/client/gateway/{kms,tezos}/*.test.ts',
  'test/deploy/functions/{build,config-signing,populate-secret,uploaded}.test.ts',
  'test/deploy/stacks/bucket.test.ts',
  'test/enclave/api/http-server.test.ts',
  'test/enclave/{keyring/keyring,keys/keys,store/index-attack,unlock/kms-partition}.test.ts',
  'test/enclave/quorum/signing/availability.test.ts',
  'test/enclave/peers/{hostile-carrier,refusals,secure-session,sessions}.test.ts',
  'test/image/{image-inputs,node-modules}.test.ts',
  'test/local/hostile-parent/hostile-parent.test.ts',
  'test/local/kms/{attested,clients,grants,key-kinds,signing}.test.ts',
  'test/native/{addon-sanitizer,vendored-source}.test.ts',
  'test/parent/deploy/refusals.test.ts',
  'test/parent/{chaos,connection-table,operations,parent,relay,systemd,systemd-sockets}.test.ts',
  'test/parent/{config/vsock-proxy-file,doctor/doctor,egress/egress,egress/leaks}.test.ts',
  'test/parent/{lifecycle/supervisor,store/postgres-store,store/sqlite-store}.test.ts',
  'test/shared/noise/peer.test.ts',
  'test/shared/protocol/control-client.test.ts',
  'test/shared/transport/unix-transport.test.ts',
];

/** Files that take minutes or nearly so. They begin first, in this order, so that none of them is the last one, alone. */
const LONGEST = [
  'node-life.emulated',
  'quorum.emulated',
  'e2e/vault/life.e2e',
  'e2e/vault/upgrade.e2e',
  'e2e/vault/interruptions.e2e',
  'e2e/vault/',
  'e2e/refusals.e2e',
  'odd-input/odd-input',
  'upgrade/quorum-upgrade.e2e',
  'parent/deploy/',
  'egress/egress.test',
  'page/page.e2e',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((name) => moduleId.includes(name));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

const shared = {
  setupFiles: ['test/setup.ts'],
  testTimeout: 180_000,
  hookTimeout: 180_000,
  maxWorkers: 2,
  // What happens by itself is waited for until the test's own time-out; a busy machine takes more than Vitest's second.
  expect: { poll: { timeout: 60_000 } },
};

const failures = process.env['HOLDFAST_TEST_FAILURES'];

export default defineConfig({
  test: {
    reporters: failures === undefined ? ['default'] : ['default', new FailuresReporter(failures)],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...COMPUTED, ...E2E, ...EMULATED, ...SYSTEMD, '**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // These keep no state in modules: one process runs many files, and loads once what they share.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // One process runs many of these, too: each would load for seconds what it computes with.
        test: {
          ...shared,
          name: 'computed',
          include: COMPUTED,
          exclude: ['**/node_modules/**'],
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          globalSetup: ['test/support/bundle-command.ts'],
          include: E2E,
          exclude: [...EMULATED, ...SYSTEMD, '**/node_modules/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Boots a container, and looks at a daemon's deadlines there: with nothing beside it. Skipped where it cannot.
        test: {
          ...shared,
          name: 'systemd',
          include: SYSTEMD,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Boots machines: after all the rest, two files at a time, as each keeps one core busy. Their deadlines are those of a
        // real machine. Skipped where there is no emulator.
        test: {
          ...shared,
          name: 'emulated',
          include: EMULATED,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
