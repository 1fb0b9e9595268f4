import { describe, expect, test } from 'vitest';
import { decodeCertificateFile, decodeDocumentFile, parsePcrFile } from '../../attestation/index.ts';
import type { AttestationError } from '../../attestation/index.ts';

const DOCUMENT = Buffer.from('8444a1013822a0410a5860', 'hex');
const hex = DOCUMENT.toString('hex');
const base64 = DOCUMENT.toString('base64');
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');

function refusalOf(act: () => unknown): Partial<AttestationError> {
  try {
    act();
    return {};
  } catch (error) {
    return error as AttestationError;
  }
}

describe('the document in a file', () => {
  test.each([
    ['binary', DOCUMENT],
    ['hex', Buffer.from(`${hex}\r\n`)],
    ['base64', Buffer.from(` ${base64}\n`)],
    ['the response of a node', Buffer.from(JSON.stringify({ document: base64 }))],
    ['JSON with more in it', Buffer.from(JSON.stringify({ a: [1], document: hex, b: null }, null, 2))],
  ])('is read from %s', (_name, file) => {
    expect(Buffer.from(decodeDocumentFile(file))).toEqual(DOCUMENT);
  });

  test.each([
    ['0x', Buffer.from(`0x${hex}`)],
    ['0x', Buffer.from(`0X${hex.toUpperCase()}\n`)],
    ['0x', Buffer.from(JSON.stringify({ document: `0x${hex}` }))],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${base64}`)],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF{"document":"${base64}"}`)],
    ['UTF-16 with a byte order mark', utf16(base64)],
    ['UTF-16 with a byte order mark', utf16(base64).swap16()],
    ['JSON with attestation_doc', Buffer.from(JSON.stringify({ attestation_doc: base64 }))],
    ['JSON with document', Buffer.from('{"document": 1}')],
    ['a JSON array', Buffer.from(JSON.stringify([{ document: base64 }]))],
    ['JSON', Buffer.from(JSON.stringify(base64))],
    ['JSON_TRUNCATED', Buffer.from('{"document": ')],
    ['JSON_DUPLICATE_KEY', Buffer.from('{"document": "", "document": ""}')],
    ['PEM', Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')],
    ['text', Buffer.from('no document, nor ever was one')],
  ])('is refused by name: %s', (actual, file) => {
    expect(refusalOf(() => decodeDocumentFile(file))).toMatchObject({
      code: 'DOCUMENT_ENCODING',
      details: { field: 'document', actual },
    });
  });
});

test.each([
  ['UTF-8', (text: string) => Buffer.from(`\uFEFF${text}`)],
  ['UTF-16', utf16],
])('a byte order mark of %s is refused by name in pcr.json and in a root', (name, encode) => {
  const message = expect.stringContaining(`${name} with a byte order mark`) as string;
  const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(refusalOf(() => decodeCertificateFile(encode(certificate)))).toMatchObject({
    code: 'CERTIFICATE_ENCODING',
    message,
  });
  expect(refusalOf(() => parsePcrFile(encode('{"Measurements": {}}')))).toMatchObject({
    code: 'PCR_FILE_JSON',
    message,
  });
});

test('a pcr.json that is what "nitro-cli describe-enclaves" prints is refused by name', () => {
  for (const file of ['[]', '[{"Measurements": {}}]']) {
    expect(refusalOf(() => parsePcrFile(file))).toMatchObject({
      code: 'PCR_FILE_STRUCTURE',
      message: expect.stringContaining('describe-enclaves') as string,
      details: { actual: 'an array' },
    });
  }
  expect(refusalOf(() => parsePcrFile('\uFEFF{}'))).toMatchObject({ code: 'PCR_FILE_JSON' });
});
