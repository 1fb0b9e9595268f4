import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  assertAuthority,
  assertNobodyNeedsToAgree,
  assertNamesManifest,
  classifySignatures,
  compareWithInForce,
  parseConfigurationFile,
  signConfiguration,
  verifyConfiguration,
} from '../../../admin/configurations/index.ts';
import { upgradeConfiguration } from '../../../shared/documents/configuration/upgrade.ts';
import { digestManifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { makeConfiguration, makeKey, makeManifest, RULE } from '../../cli/node-files.ts';

const [first, second, stranger] = [makeKey(), makeKey(), makeKey()];
const { text, digest } = makeManifest([first.publicKey, second.publicKey]);
const node = { manifest: parseManifest(Buffer.from(text)), digest: digestManifest(Buffer.from(text)) };

const fileOf = (value: unknown) => parseConfigurationFile(Buffer.from(JSON.stringify(value)));
const plain = fileOf(makeConfiguration(digest, 1));
const sign = (file: typeof plain, { pem }: { pem: string }) =>
  parseConfigurationFile(Buffer.from(signConfiguration(file, createPrivateKey(pem)).text));

describe('a configuration', () => {
  it('verifies once enough authorities have signed it, one after the other', () => {
    const signed = sign(sign(plain, first), second);
    expect(verifyConfiguration(signed, node)).toEqual([first.publicKey, second.publicKey]);
    expect(signed.digest).toBe(plain.digest);
  });

  it('is refused with who has signed, while it is too few', () => {
    const signed = sign(sign(plain, first), stranger);
    expect(() => verifyConfiguration(signed, node)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_UNDER_SIGNED',
        details: expect.objectContaining({ expected: 2, actual: 1 }),
      }),
    );
    expect(classifySignatures(signed.envelope, node.manifest).map(({ counts }) => counts)).toEqual([
      true,
      false,
    ]);
  });

  it('of another manifest is refused before anybody signs', () => {
    const other = fileOf(makeConfiguration('00'.repeat(48), 1));
    expect(() => assertNamesManifest(other, node)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_OTHER_MANIFEST' }),
    );
    expect(() => assertNamesManifest(plain, node)).not.toThrow();
  });

  it('is signed by no key that the manifest does not name', () => {
    expect(() => assertAuthority(stranger.publicKey, node.manifest)).toThrow(
      expect.objectContaining({ name: 'AdminError', code: 'KEY_NOT_AUTHORITY' }),
    );
    expect(() => assertAuthority(first.publicKey, node.manifest)).not.toThrow();
  });

  it('has to be newer than the one in force', () => {
    const { configuration } = plain;
    expect(() => compareWithInForce(configuration, configuration, true)).toThrow(
      expect.objectContaining({ name: 'AdminError', code: 'VERSION_NOT_NEWER' }),
    );
  });

  it('that grants something needs somebody who says yes; one that only takes away does not', () => {
    const none = upgradeConfiguration(makeConfiguration(digest, 1, { rules: [] }));
    const granting = compareWithInForce(upgradeConfiguration(makeConfiguration(digest, 2)), none, true);
    expect(() => assertNobodyNeedsToAgree({}, granting)).toThrow(
      expect.objectContaining({ name: 'AdminError', code: 'DECLINED' }),
    );
    expect(() => assertNobodyNeedsToAgree({}, undefined)).toThrow(
      expect.objectContaining({ name: 'AdminError', code: 'DECLINED' }),
    );
    const taking = compareWithInForce(
      { ...none, version: 2 },
      upgradeConfiguration(makeConfiguration(digest, 1, { rules: [RULE] })),
      true,
    );
    expect(taking.changes.length).toBeGreaterThan(0);
    expect(() => assertNobodyNeedsToAgree({}, taking)).not.toThrow();
  });

  it.each([
    ['nothing', ''],
    ['an envelope of something else', '{"payloadType":"text/plain","payload":"","signatures":[]}'],
    ['an envelope without a payload', '{"payloadType":"application/vnd.holdfast.configuration+json"}'],
  ])('is not %s', (_, content) => {
    expect(() => parseConfigurationFile(Buffer.from(content))).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }),
    );
  });
});
