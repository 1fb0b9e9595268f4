import { describe, expect, it } from 'vitest';
import {
  extendPcr,
  unsafeParseAttestationDocument,
  verifyAttestationDocument,
  zeroPcr,
} from '../../attestation/index.ts';
import { createNsmClient } from '../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../local/nsm/index.ts';
import { decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';

const INSTANCE = 'i-0123456789abcdef0';
const MODULE = `${INSTANCE}-enc0123456789abcdef`;
const measured = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)]));
const root = await NitroRoot.create(Date.now());

function makeDevice(clock = Date.now) {
  return new EmulatedNsm({ root, instanceId: INSTANCE, moduleId: MODULE, measured, clock });
}
const makeClient = () => createNsmClient(makeDevice());
const refusal = (reason: string) =>
  expect.objectContaining({ code: 'NSM_REFUSED', details: expect.objectContaining({ reason }) });

describe('the stand-in NSM', () => {
  it('describes itself as the device does', async () => {
    await expect(makeClient().describe()).resolves.toEqual({
      version_major: 1,
      version_minor: 0,
      version_patch: 0,
      module_id: MODULE,
      max_pcrs: 32,
      locked_pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
      digest: 'SHA384',
    });
  });

  it('extends a PCR to SHA-384(old ‖ data), and no more once it is locked', async () => {
    const nsm = makeClient();
    const data = new Uint8Array(48).fill(7);
    const expected = extendPcr(zeroPcr(), data);
    await expect(nsm.extendPcr(16, data)).resolves.toEqual(expected);
    await expect(nsm.describePcr(16)).resolves.toEqual({ locked: false, value: expected });
    await nsm.lockPcr(16);
    await expect(nsm.describePcr(16)).resolves.toEqual({ locked: true, value: expected });
    await expect(nsm.extendPcr(16, data)).rejects.toEqual(refusal('ReadOnlyIndex'));
    await expect(nsm.lockPcr(16)).rejects.toEqual(refusal('ReadOnlyIndex'));
  });

  it('has locked the measured PCRs before anybody asks', async () => {
    const nsm = makeClient();
    await expect(nsm.extendPcr(0, new Uint8Array(48))).rejects.toEqual(refusal('ReadOnlyIndex'));
    await expect(nsm.describePcr(2)).resolves.toEqual({ locked: true, value: measured.get(2) });
  });

  it('refuses an index beyond 31 and data that is empty or too long', async () => {
    const nsm = makeClient();
    await expect(nsm.describePcr(32)).rejects.toEqual(refusal('InvalidIndex'));
    await expect(nsm.extendPcr(17, new Uint8Array())).rejects.toEqual(refusal('InvalidArgument'));
    await expect(nsm.extendPcr(17, new Uint8Array(513))).rejects.toEqual(refusal('InputTooLarge'));
  });

  it('locks a range', async () => {
    const device = makeDevice();
    const answer = await device.exchange(encodeCbor({ LockPCRs: { range: 20 } }));
    expect(answer).toEqual(encodeCbor('LockPCRs'));
    const nsm = createNsmClient(device);
    expect((await nsm.describePcr(19)).locked).toBe(true);
    expect((await nsm.describePcr(20)).locked).toBe(false);
  });

  it.each([
    ['bytes that are not CBOR', Uint8Array.of(0xff)],
    ['a request that does not exist', encodeCbor('Reboot')],
    ['two requests in one', encodeCbor({ DescribePCR: { index: 0 }, LockPCR: { index: 20 } })],
  ])('answers %s with InvalidOperation', async (_, request) => {
    const answer = decodeCborObject(await makeDevice().exchange(request), { maxBytes: 100, maxDepth: 1 });
    expect(answer['Error']).toBe('InvalidOperation');
  });

  it('gives as much randomness as is asked for, never twice the same', async () => {
    const nsm = makeClient();
    const [first, second] = [await nsm.random(300), await nsm.random(300)];
    expect(first).toHaveLength(300);
    expect(first).not.toEqual(second);
  });

  it('queues calls that come at the same time', async () => {
    let running = 0;
    let most = 0;
    const device = makeDevice();
    const nsm = createNsmClient({
      exchange: async (request) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running -= 1;
        return device.exchange(request);
      },
      close: () => undefined,
    });
    const answers = await Promise.all(Array.from({ length: 10 }, () => nsm.describe()));
    expect(answers).toHaveLength(10);
    expect(most).toBe(1);
  });

  it('answers after a call that failed', async () => {
    const nsm = makeClient();
    const [refused, answered] = await Promise.allSettled([nsm.describePcr(99), nsm.describePcr(0)]);
    expect([refused.status, answered.status]).toEqual(['rejected', 'fulfilled']);
  });
});

describe('a document of the stand-in NSM', () => {
  const fields = {
    userData: new Uint8Array(),
    nonce: Uint8Array.of(1, 2, 3),
    publicKey: Uint8Array.of(4, 5, 6),
  };

  it('verifies under its own root with the fields that were asked for', async () => {
    const document = await makeClient().attest(fields);
    const verified = verifyAttestationDocument(document, {
      root: root.certificate,
      at: Date.now(),
      pcrs: measured,
      ...fields,
    });
    expect(verified.moduleId).toBe(MODULE);
    expect(verified.pcrs.size).toBe(16);
  });

  it('shows a PCR from 16 on only when it is locked', async () => {
    const nsm = makeClient();
    await nsm.extendPcr(16, new Uint8Array(48));
    const shown = async () => [...unsafeParseAttestationDocument(await nsm.attest({})).payload.pcrs.keys()];
    expect(await shown()).not.toContain(16);
    await nsm.lockPcr(16);
    expect(await shown()).toContain(16);
  });

  it('does not verify under another root', async () => {
    const other = await NitroRoot.create(Date.now());
    const document = await makeClient().attest({});
    expect(() =>
      verifyAttestationDocument(document, { root: other.certificate, at: Date.now(), pcrs: measured }),
    ).toThrow(expect.objectContaining({ code: 'ROOT_MISMATCH' }));
  });

  it('does not verify three hours later, and a fresh one does', async () => {
    let now = Date.now();
    const nsm = createNsmClient(makeDevice(() => now));
    const early = await nsm.attest({});
    now += 4 * 3_600_000;
    const options = { root: root.certificate, at: now, pcrs: measured };
    expect(() => verifyAttestationDocument(early, options)).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_EXPIRED' }),
    );
    expect(verifyAttestationDocument(await nsm.attest({}), options).moduleId).toBe(MODULE);
  });

  it('carries at most 1,024 bytes a field', async () => {
    const nsm = makeClient();
    await expect(nsm.attest({ userData: new Uint8Array(1024) })).resolves.toBeInstanceOf(Uint8Array);
    await expect(nsm.attest({ userData: new Uint8Array(1025) })).rejects.toEqual(refusal('InputTooLarge'));
  });

  it('verifies again with a root that was read back from its file', async () => {
    const again = await NitroRoot.fromPem(root.toPem());
    expect(again.certificate).toEqual(root.certificate);
    const chain = await again.issueChain(INSTANCE, MODULE, Date.now());
    expect(chain.cabundle).toHaveLength(4);
    expect(chain.cabundle[0]).toEqual(root.certificate);
  });
});
