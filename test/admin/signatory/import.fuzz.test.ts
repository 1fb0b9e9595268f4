import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { importSignatory } from '../../../admin/signatory/index.ts';
import { gatewayFields } from '../../../client/gateway/index.ts';
import { tezosSectionSchema } from '../../../client/gateway/tezos/index.ts';
import { lintConfiguration } from '../../../policy/analysis/index.ts';
import { CLIENTS, signatoryFiles, writeYaml } from './generated-files.ts';
import { prepareNode } from './node-decision.ts';
import { listRequests, MAINNET_NAME, type SampleRequest } from './requests.ts';
import { startSignatory } from './signatory-model.ts';

const OPTIONS = {
  manifest: 'ab'.repeat(48),
  client: { id: 'tezos-door', publicKey: '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29' },
  chain: MAINNET_NAME,
  without: new Set<never>(),
};
const importFile = (text: string) => importSignatory(Buffer.from(text), OPTIONS);

/** Lists the leaves of a value by their paths, apart from the importer's own list. */
function leavesOf(value: unknown, at: string): string[] {
  const isParent = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!isParent) return [at];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, at === '' ? name : `${at}.${name}`),
  );
}

let requests: readonly SampleRequest[];
beforeAll(async () => {
  requests = await listRequests();
});

describe('an import of what Signatory starts with', () => {
  it('reports every field in exactly one list', () => {
    fc.assert(
      fc.property(signatoryFiles, (file) => {
        const { carried, dropped, stricter } = importFile(writeYaml(file)).report;
        const reported = [...carried, ...dropped, ...stricter].map(({ field }) => field);
        expect(reported.toSorted()).toEqual(leavesOf(file, '').toSorted());
      }),
    );
  });

  it('signs nothing that Signatory would refuse or ask others about', () => {
    let signed = 0;
    fc.assert(
      fc.property(
        signatoryFiles,
        fc.option(fc.constantFrom(...CLIENTS), { nil: undefined }),
        (file, client) => {
          const text = writeYaml(file);
          const node = prepareNode(importFile(text));
          const signatory = startSignatory(text);
          for (const request of requests) {
            if (node({ ...request, client }) !== 'signs') continue;
            signed += 1;
            const asked = client === undefined ? request : { ...request, client };
            expect([request.name, signatory(asked)]).toEqual([request.name, 'signs']);
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(signed).toBeGreaterThan(200);
  });

  it('signs what Signatory signs, but for what the report names', () => {
    fc.assert(
      fc.property(
        signatoryFiles,
        fc.option(fc.constantFrom(...CLIENTS), { nil: undefined }),
        (file, client) => {
          const text = writeYaml(file);
          const imported = importFile(text);
          const node = prepareNode(imported);
          const signatory = startSignatory(text);
          const lost = requests.filter(
            (request) =>
              signatory(client === undefined ? request : { ...request, client }) === 'signs' &&
              node({ ...request, client }) !== 'signs',
          );
          const words = [...imported.report.dropped, ...imported.report.stricter];
          for (const { name, key, kind, operations, chain } of lost) {
            const isNamed = words.some(({ field, note }) => {
              if (!field.includes(key)) return false;
              if (chain !== undefined) return /network|alone/.test(note);
              return (
                (operations.includes('transfer_ticket') && note.includes('contract calls')) ||
                (operations.includes('origination') && note.includes('without a delegate'))
              );
            });
            expect([name, kind, isNamed]).toEqual([name, kind, true]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives a door a configuration that it reads', () => {
    let written = 0;
    fc.assert(
      fc.property(signatoryFiles, (file) => {
        const { gateway } = importFile(writeYaml(file));
        if (gateway === undefined) return;
        written += 1;
        expect(tezosSectionSchema.safeParse(gateway.tezos).success).toBe(true);
        expect(z.strictObject({ ...gatewayFields, tezos: z.unknown() }).safeParse(gateway).success).toBe(
          true,
        );
      }),
    );
    expect(written).toBeGreaterThan(20);
  });

  it('passes the lint without an error', () => {
    fc.assert(
      fc.property(signatoryFiles, (file) => {
        const findings = lintConfiguration(
          importFile(writeYaml(file)).configuration,
          Date.UTC(2026, 11, 1),
          undefined,
        );
        expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
