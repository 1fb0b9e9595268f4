import { beforeEach, describe, expect, it } from 'vitest';
import { admitConfiguration } from '../../../enclave/node/configuration.ts';
import { BootError } from '../../../enclave/node/errors.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import type { Configuration } from '../../../shared/documents/configuration.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const key = deriveStoreKey(new Uint8Array(32), { namespace: 'demo', environment: 'test', node: 1 });
const digest = new Uint8Array(48).fill(5);
let store: SealedStore;

beforeEach(() => {
  const state = { order: 'first', configuration: { version: 5, digest }, boots: 8 };
  store = SealedStore.create(new MemoryRecordStorage(), key, state, undefined);
});

const admit = (version: number, of = digest) =>
  admitConfiguration(store.state, { configuration: { version } as Configuration, digest: of, signers: [] });

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(BootError);
    return (error as BootError).code;
  }
  return 'admitted';
}

describe('a verified configuration', () => {
  it('comes into force again when it is the very one of the last start', () => {
    expect(admit(5)).toEqual({ isNewer: false, state: { boots: 9, configuration: { version: 5, digest } } });
  });

  it('comes into force when it is newer', () => {
    const other = new Uint8Array(48).fill(6);
    expect(admit(6, other)).toEqual({
      isNewer: true,
      state: { boots: 9, configuration: { version: 6, digest: other } },
    });
  });

  it.each([4, 1])('is refused when it is older: version %i', (version) => {
    expect(codeOf(() => admit(version))).toBe('CONFIGURATION_ROLLED_BACK');
  });

  it('is refused when its version was in force with another content', () => {
    expect(codeOf(() => admit(5, new Uint8Array(48)))).toBe('CONFIGURATION_CONFLICT');
  });
});
