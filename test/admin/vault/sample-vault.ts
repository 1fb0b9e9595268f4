import { JOIN_FORMAT, type JoinFile, type LocatedVault, locateVault } from '../../../admin/vault/index.ts';
import {
  ACCOUNTS,
  encodeVault,
  makeSampleVault,
  sampleKey,
  type SampleVault,
} from '../../../local/testbed/vault/sample-vault.ts';

export { ACCOUNTS, encodeVault, makeSampleVault, sampleKey, type SampleVault };

/** Parses a sample vault that a test has changed. */
export function parseSample(change?: (vault: SampleVault) => void): LocatedVault {
  return locateVault(encodeVault(makeSampleVault(change)));
}

/** Makes what the admin of a node writes by `vault join`. */
export function makeSampleJoin(node: number): JoinFile {
  const account = ACCOUNTS[node] ?? '';
  return {
    format: JOIN_FORMAT,
    role: `node-${node}`,
    account,
    admins: [`arn:aws:iam::${account}:role/admin-of-${node}`],
    statementKey: sampleKey(`statement ${node}`),
    authorityKey: sampleKey(`authority ${node}`),
  };
}
