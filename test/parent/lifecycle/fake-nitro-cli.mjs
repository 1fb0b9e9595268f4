#!/usr/bin/env node
// A nitro-cli that prints what the real one prints, and keeps its enclaves in the file that FAKE_NITRO_STATE names.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const path = process.env.FAKE_NITRO_STATE;
const state = JSON.parse(readFileSync(path, 'utf8'));
const [command = '', ...args] = process.argv.slice(2);
appendFileSync(`${path}.calls`, `${JSON.stringify([command, ...args])}\n`);
const print = (value) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

// Whole or not at all: a test may read it, or change it, at any moment.
function save() {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

function fail(code, text) {
  process.stderr.write(
    `[ ${code} ] ${text}\nFor more details, please visit https://docs.aws.amazon.com/enclaves/latest/user/cli-errors.html#${code}\n\nIf you open a support ticket, please provide the error log found at "/var/log/nitro_enclaves/err2026-11-22T01:02:03.000000000+00:00.log"\n`,
  );
  process.exit(1);
}

if (state.fail?.[command]) fail(...state.fail[command]);
if (state.garbage) {
  process.stdout.write('not JSON');
  process.exit(0);
}
switch (command) {
  case 'run-enclave': {
    const { values } = parseArgs({
      args,
      options: {
        'eif-path': { type: 'string' },
        'enclave-cid': { type: 'string' },
        'cpu-count': { type: 'string' },
        memory: { type: 'string' },
        'debug-mode': { type: 'boolean' },
      },
    });
    state.count = (state.count ?? 0) + 1;
    const common = {
      EnclaveName: 'enclave',
      EnclaveID: `i-05f6ed443ae43fe45-enc${(0x173dfe3eb99d810n + BigInt(state.count)).toString(16)}`,
      ProcessID: 7077,
      EnclaveCID: Number(values['enclave-cid']),
      NumberOfCPUs: Number(values['cpu-count']),
      CPUIDs: [1, 3],
      MemoryMiB: Number(values.memory),
    };
    process.stderr.write(
      `Start allocating memory...\nStarted enclave with enclave-cid: ${common.EnclaveCID}, memory: ${common.MemoryMiB} MiB, cpu-ids: [1, 3]\n`,
    );
    state.enclaves.push({
      ...common,
      State: 'RUNNING',
      Flags: values['debug-mode'] ? 'DEBUG_MODE' : 'NONE',
      Measurements: { HashAlgorithm: 'Sha384 { ... }', ...state.measurements },
      ImageName: 'holdfast',
      ImageVersion: '0.1.0',
    });
    save();
    print(common);
    break;
  }
  case 'describe-enclaves':
    print(state.enclaves);
    break;
  case 'terminate-enclave': {
    const id = args[args.indexOf('--enclave-id') + 1];
    state.enclaves = state.enclaves.filter(({ EnclaveID }) => EnclaveID !== id);
    save();
    print({ EnclaveName: 'enclave', EnclaveID: id, Terminated: true });
    break;
  }
  case 'console':
    process.stderr.write(
      'Connecting to the console for enclave 16...\nSuccessfully connected to the console.\n',
    );
    process.stdout.write(`${(state.console ?? []).join('\n')}\n`);
    setInterval(() => {}, 1_000);
    break;
  default:
    fail('E14', 'Invalid command.');
}
