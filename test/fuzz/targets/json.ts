import { isDeepStrictEqual } from 'node:util';
import { JsonError, parseJson } from '../../../shared/json/index.ts';
import { samplePolicies } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

/** Asserts that JSON.parse takes every text that we take, and reads the same. */
export const target: FuzzTarget = {
  maxBytes: 1024,
  seeds: () => [Buffer.from('{"a":[1,-2.5e3,"\\u00e9\\n",null,true,false,{}]}'), ...samplePolicies()],
  fuzz(data) {
    let ours;
    try {
      ours = parseJson(data, { maxBytes: 1024, maxDepth: 16 });
    } catch (error) {
      if (error instanceof JsonError) return;
      throw error;
    }
    const theirs: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    // Ours have no prototype; through JSON they are alike.
    assertThat(
      isDeepStrictEqual(JSON.parse(JSON.stringify(ours)), JSON.parse(JSON.stringify(theirs))),
      'differs',
    );
  },
};
