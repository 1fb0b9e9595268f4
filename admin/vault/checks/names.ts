import type { VaultDocument } from '../document.ts';
import { vaultPrefix } from '../names.ts';
import type { OpenFinding } from './finding.ts';

/**
 * Longest namespace and longest environment. The longest name that stacks make of both is that of a function or a role,
 * with `-node-255-` and a word behind them, and has 64 characters at most.
 */
const MAX_NAME = 20;

/** Finds names that AWS would refuse, before a stack is half made. */
export function checkNames(document: VaultDocument): OpenFinding[] {
  const tooLong = (['namespace', 'environment'] as const).filter(
    (member) => document[member].length > MAX_NAME,
  );
  const findings = tooLong.map<OpenFinding>((member) => ({
    code: 'NAME_TOO_LONG',
    severity: 'error',
    path: [member],
    text: `"${document[member]}" has ${document[member].length} characters: roles and functions that are named after it would be too long for AWS`,
    advice: `Take a name of ${MAX_NAME} characters at most.`,
  }));
  const prefix = vaultPrefix(document);
  // Names of CloudFormation stacks begin with a letter; those of buckets have no hyphen at an end.
  if (/^[a-z]/.test(prefix) && !prefix.includes('--') && !prefix.endsWith('-')) return findings;
  return [
    ...findings,
    {
      code: 'NAME_UNFIT',
      severity: 'error',
      path: ['namespace'],
      text: `no stack and no bucket can be named after "${prefix}"`,
      advice: 'Begin with a letter, and have no two hyphens in a row and none at an end.',
    },
  ];
}
