import { parseTemplate } from '../template/template.ts';
import type { StackShape } from './stack-record.ts';

/** Text that AWS shows instead of a value that is not to be shown. */
export const MASK = '****';

/** Takes values of NoEcho parameters out of a text. */
export type Mask = (text: string) => string;

/** Makes the mask for the parameters of stacks' templates. */
export function makeMask(...shapes: readonly StackShape[]): Mask {
  const secrets = shapes.flatMap(({ templateText, parameters }) =>
    templateText === ''
      ? []
      : [...parseTemplate(templateText).parameters]
          .filter(([, { noEcho }]) => noEcho)
          .map(([name]) => parameters[name] ?? ''),
  );
  // As it is in JSON, too.
  const texts = [...new Set(secrets)]
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  return (text) => texts.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
}
