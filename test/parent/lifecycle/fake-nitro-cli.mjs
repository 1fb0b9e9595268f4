#!/usr/bin/env node
// A nitro-cli that prints what the real one prints, and keeps its enclaves in the file that FAKE_NITRO_STATE names.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const path = process.env.FAKE_NITRO_STATE;
const state = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { enclaves: [], calls: [] };
const [command = '', ...args] = process.argv.slice(2);
state.calls.push([command, ...args]);
const save = () => writeFileSync(path, JSON.stringify(state));
const print = (value) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

function fail(code, text) {
  save();
  process.stderr.write(
    `[ ${code} ] ${text}\nFor more details, please visit https://docs.aws.amazon.com/enclaves/latest/user/cli-errors.html#${code}\n\nIf you open a support ticket, please provide the error log found at "/var/log/nitro_enclaves/err2026-11-22T01:02:03.000000000+00:00.log"\n`,
  );
  process.exit(1);
}

if (state.fail?.[command]) fail(...state.fail[command]);
if (state.garbage) {
  save();
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
      Flags: 'NONE',
      Measurements: { HashAlgorithm: 'Sha384 { ... }', ...state.measurements },
      ImageName: 'holdfast',
      ImageVersion: '0.1.0',
    });
    print(common);
    break;
  }
  case 'describe-enclaves':
    print(state.enclaves);
    break;
  case 'terminate-enclave': {
    const id = args[args.indexOf('--enclave-id') + 1];
    state.enclaves = state.enclaves.filter(({ EnclaveID }) => EnclaveID !== id);
    print({ EnclaveName: 'enclave', EnclaveID: id, Terminated: true });
    break;
  }
  default:
    fail('E14', 'Invalid command.');
}
save();
