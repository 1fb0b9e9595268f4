import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openNsmDevice } from '../../enclave/platform/nsm-device.ts';
import { NsmError } from '../../enclave/nsm/errors.ts';
import { loadNative, type NativeAddon } from '../../shared/native/addon.ts';
import { addonCases } from './addon-cases.ts';

const ADDON = join(import.meta.dirname, '../../build/holdfast.node');
const hasAddon = existsSync(ADDON);

describe.skipIf(!hasAddon)('the native addon', () => {
  test.each(addonCases)('$name', async (addonCase) => {
    expect(await addonCase.run(loadNative(), ADDON)).toBeUndefined();
  });

  test.skipIf(existsSync('/dev/nsm'))(
    'opens no NSM where there is none, and puts nothing in its place',
    () => {
      expect(() => openNsmDevice()).toThrow(
        expect.objectContaining({ name: 'NsmError', code: 'NSM_FAILED' }),
      );
    },
  );
});

describe('the NSM device', () => {
  type Device = Pick<NativeAddon, 'openNsm' | 'exchangeNsm' | 'close'>;
  function deviceOf(exchangeNsm: NativeAddon['exchangeNsm']) {
    const closed: number[] = [];
    const native: Device = { openNsm: () => 77, exchangeNsm, close: (descriptor) => closed.push(descriptor) };
    return { device: openNsmDevice(native), closed };
  }

  test('carries bytes to the descriptor that it opened and back', async () => {
    const { device } = deviceOf(async (descriptor, request) => Uint8Array.of(descriptor, ...request));
    expect(await device.exchange(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(77, 1, 2));
  });

  test('says that the device failed, with the errno', async () => {
    const { device } = deviceOf(() => Promise.reject(Object.assign(new Error('gone'), { code: 'EIO' })));
    const failure = await device.exchange(Uint8Array.of(1)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NsmError);
    expect(failure).toMatchObject({ code: 'NSM_FAILED', details: { system: 'EIO' } });
  });

  test('closes the descriptor once, and only when no request runs any more', async () => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const { device, closed } = deviceOf(() => promise);
    const answer = device.exchange(Uint8Array.of(1));
    device.close();
    device.close();
    expect(closed).toEqual([]);
    resolve(Uint8Array.of(9));
    expect(await answer).toEqual(Uint8Array.of(9));
    expect(closed).toEqual([77]);
    await expect(device.exchange(Uint8Array.of(1))).rejects.toMatchObject({ code: 'NSM_FAILED' });
    expect(closed).toEqual([77]);
  });
});
