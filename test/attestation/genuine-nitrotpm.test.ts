import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  AWS_NITRO_ROOT_G1,
  parsePcrFile,
  reportPcrs,
  verifyAttestationDocument,
} from '../../attestation/index.ts';

/** A document of a NitroTPM that AWS signed, with its tpm_pcr.json, beside the project where somebody put it. */
const FOLDER = fileURLToPath(new URL('../../../shared/cases/nitrotpm-register-names/', import.meta.url));
const isThere = existsSync(FOLDER);
if (!isThere) process.stderr.write('SKIPPED: no document of a NitroTPM that AWS signed is there\n');

describe.skipIf(!isThere)('the document of a NitroTPM that AWS signed', () => {
  const document = isThere ? readFileSync(`${FOLDER}document.cbor`) : Buffer.alloc(0);

  test.each([
    ['tpm_pcr.json', 'TAKEN'],
    ['other_pcr.json', 'PCR_MISMATCH'],
  ])('is decided by %s: %s', (name, code) => {
    const pcrs = parsePcrFile(readFileSync(`${FOLDER}${name}`), { kind: 'nitrotpm' });
    const verify = () =>
      verifyAttestationDocument(document, {
        root: AWS_NITRO_ROOT_G1,
        at: 'document',
        pcrs,
        kind: 'nitrotpm',
      });
    if (code !== 'TAKEN') {
      expect(verify).toThrow(expect.objectContaining({ code }));
      return;
    }
    const reports = reportPcrs(verify().pcrs, pcrs, 'nitrotpm');
    expect(reports.filter(({ state }) => state === 'matches').map(({ index }) => index)).toEqual([4, 7, 12]);
    // All ones is no value.
    expect(reports.filter(({ index, state }) => index >= 17 && index <= 22 && state !== 'unused')).toEqual(
      [],
    );
  });
});
