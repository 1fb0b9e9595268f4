import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AwsServiceError, blob, optional, parseInput } from '../../../shared/aws-json/index.ts';

const schema = z.object({
  KeyId: z.string().min(1).max(8),
  Plaintext: optional(blob(1, 4)),
  KeySpec: optional(z.enum(['AES_128', 'AES_256'])),
  NumberOfBytes: optional(z.int().min(1).max(1024)),
  AliasName: optional(z.string().regex(/^[a-z/]+$/)),
  Tags: optional(z.array(z.object({ TagKey: z.string().min(1) })).max(2)),
  DryRun: optional(z.boolean()),
});

function refusal(input: unknown): { code: string; message: string } {
  try {
    parseInput(schema, input);
  } catch (error) {
    if (error instanceof AwsServiceError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'answered', message: '' };
}

const bytes = (length: number) => Buffer.alloc(length, 7).toString('base64');

describe('a refusal of input', () => {
  it.each([
    [{}, "Value null at 'keyId' failed to satisfy constraint: Member must not be null"],
    [{ KeyId: null }, "Value null at 'keyId' failed to satisfy constraint: Member must not be null"],
    [
      { KeyId: '' },
      "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      { KeyId: 'a', Plaintext: bytes(5) },
      "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4",
    ],
    [
      { KeyId: 'a', Plaintext: '' },
      "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      { KeyId: 'a', KeySpec: 'AES_512' },
      "Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_128, AES_256]",
    ],
    [
      { KeyId: 'a', NumberOfBytes: 1025 },
      "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    ],
    [
      { KeyId: 'a', AliasName: 'A' },
      "Value 'A' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z/]+$",
    ],
    [
      { KeyId: 'a', Tags: [{ TagKey: 'a' }, {}] },
      "Value null at 'tags.2.member.tagKey' failed to satisfy constraint: Member must not be null",
    ],
    [
      { KeyId: 'a', Tags: [{ TagKey: 'a' }, { TagKey: 'b' }, { TagKey: 'c' }] },
      "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 2",
    ],
  ])('has AWS’s form: %j', (input, problem) => {
    expect(refusal(input)).toEqual({
      code: 'ValidationException',
      message: `1 validation error detected: ${problem}`,
    });
  });

  it('names all that is out of bounds', () => {
    const { message } = refusal({ KeyId: '', NumberOfBytes: 0 });
    expect(message).toMatch(/^2 validation errors detected: .*'keyId'.*; .*'numberOfBytes'/);
  });

  it.each([
    [{ KeyId: 7 }],
    [{ KeyId: 'a', NumberOfBytes: '8' }],
    [{ KeyId: 'a', NumberOfBytes: 1.5 }],
    [{ KeyId: 'a', DryRun: 'true' }],
    [{ KeyId: 'a', Tags: {} }],
    [{ KeyId: 'a', Plaintext: 'no base64' }],
    [{ KeyId: 'a', Plaintext: 'QQ' }],
    [[]],
    ['text'],
  ])('of a wrong type is SerializationException: %j', (input) => {
    expect(refusal(input).code).toBe('SerializationException');
  });

  it('never shows a blob, and never is another kind of error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array({ minLength: 5, maxLength: 64 }), (KeyId, secret) => {
        const Plaintext = Buffer.from(secret).toString('base64');
        const { code, message } = refusal({ KeyId, Plaintext });
        expect(['ValidationException', 'SerializationException']).toContain(code);
        expect(message).not.toContain(Plaintext);
      }),
    );
  });

  it('leaves out members that nobody knows, and takes null for absent', () => {
    expect(parseInput(schema, { KeyId: 'a', Tags: null, Unknown: 1 })).toEqual({ KeyId: 'a' });
  });
});
