import type { OpenFinding } from './finding.ts';

/** Values of a new vault.yaml that stand for what nobody has said yet: zeros, where a real value never has them. */
const OPEN_VALUES: readonly RegExp[] = [
  /^0{12}$/,
  /^0{64}$/,
  /^arn:aws[a-z-]*:iam::0{12}:/,
  /^(?:vpc|subnet|ami)-0+$/,
];

/** Finds values that `vault init` has left open. */
export function findOpenValues(value: unknown, path: readonly (string | number)[] = []): OpenFinding[] {
  if (typeof value === 'string') {
    if (!OPEN_VALUES.some((pattern) => pattern.test(value))) return [];
    return [
      {
        code: 'VALUE_LEFT_OPEN',
        severity: 'error',
        path,
        text: 'a value of zeros stands for one that nobody has said yet',
        advice: 'Write the value; the comment above it says where it comes from.',
      },
    ];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => findOpenValues(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => findOpenValues(member, [...path, name]));
}

/** Tells whether a value is one that `vault init` has left open. */
export function isOpenValue(value: string): boolean {
  return OPEN_VALUES.some((pattern) => pattern.test(value));
}
