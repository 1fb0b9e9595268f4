import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../../shared/frames/frame-codec.ts';
import { encodeFrame } from '../../../shared/frames/index.ts';
import {
  controlResponseSchema,
  controlErrorCodeSchema,
  controlRequestSchema,
  MAX_CONTROL_FRAME_BYTES,
  NODE_PHASES,
} from '../../../shared/protocol/control.ts';
import {
  logErrorCodeSchema,
  logRequestSchema,
  witnessRefusalCodeSchema,
} from '../../../shared/protocol/log.ts';
import { egressErrorCodeSchema } from '../../../shared/protocol/egress.ts';
import { peerEnclaveFrameSchema, peerParentFrameSchema } from '../../../shared/protocol/peers.ts';

const spec = readFileSync(new URL('../../../shared/protocol/SPEC.md', import.meta.url), 'utf8');

describe('SPEC.md of control frames', () => {
  test('has an example that is the frame it says', () => {
    const hex = /```\n([0-9a-f ]+)\n```/.exec(spec)?.[1]?.replaceAll(' ', '') ?? '';
    const request = { type: 'store-read', table: 'keys', id: 'hot' } as const;
    expect(Buffer.from(encodeFrame(request, MAX_CONTROL_FRAME_BYTES)).toString('hex')).toBe(hex);
    expect(decodeFrame(Buffer.from(hex, 'hex').subarray(4), controlRequestSchema)).toEqual(request);
  });

  test('names every request, phase and code, and no other request', () => {
    const types = controlRequestSchema.options.map(({ shape }) => shape.type.value);
    const logTypes = logRequestSchema.options.map(({ shape }) => shape.type.value);
    const peerTypes = [...peerEnclaveFrameSchema.options, ...peerParentFrameSchema.options].map(
      ({ shape }) => shape.type.value,
    );
    const rows = [...spec.matchAll(/^\| `([a-z-]+)`/gm)]
      .map(([, type = '']) => type)
      .filter((type) => type !== 'type');
    expect(rows.toSorted()).toEqual([...types, ...logTypes, ...peerTypes].toSorted());
    const answers = controlResponseSchema.options.map(({ shape }) => shape.type.value);
    expect(answers.filter((type) => type !== 'error').toSorted()).toEqual([...types].toSorted());
    for (const name of [
      ...NODE_PHASES,
      ...controlErrorCodeSchema.options,
      ...egressErrorCodeSchema.options,
      ...logErrorCodeSchema.options,
      ...witnessRefusalCodeSchema.options,
    ]) {
      expect(spec).toContain(`\`${name}\``);
    }
  });
});
