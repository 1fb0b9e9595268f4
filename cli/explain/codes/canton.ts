import type { CodeArea } from './area.ts';

export const CANTON_CODES: readonly CodeArea[] = [
  {
    title: 'Descriptions of Canton validators',
    who: '`canton plan`, `canton render`, `canton check`',
    next: 'Mend the field that the message names; docs/canton.md has an example.',
    codes: {
      CANTON_DESCRIPTION_CONTRADICTORY:
        'fields of the description contradict each other; fields names them, and why',
      CANTON_DESCRIPTION_MALFORMED:
        'the description is not YAML 1.2 without anchors, or a field is missing, unknown or malformed; fields names them',
      CANTON_KEY_REGION: 'a key is in another Region than its validator uses; keys names it',
      CANTON_KEY_SHARED: [
        'one key is named more than once: two validators would be one for whoever verifies signatures',
        'Give each validator, and each of its purposes, a key of its own.',
      ],
      CANTON_OBJECTS_MALFORMED: [
        'the file is not what `kubectl get … -o json` prints',
        'Give its output as it is: one List, or one object.',
      ],
      CANTON_SERVICE_ACCOUNT_MISSING: [
        'KMS is on for validators that have no ServiceAccount; nothing was rendered',
        'Name a ServiceAccount for each of them, or say kms: false.',
      ],
      CANTON_VALIDATOR_UNKNOWN: 'the description has no validator of that name',
    },
  },
  {
    title: 'HOCON that is read',
    who: '`canton check`, about the fragments of a participant; inside of what it finds',
    next: 'Mend the line that the finding names.',
    codes: {
      HOCON_SYNTAX: 'no HOCON: Canton refuses it, too, and with it everything else in the file',
      HOCON_TOO_LARGE: 'a text is longer, or nested deeper, than its maximum',
      HOCON_UNRESOLVED: 'a substitution for which there is neither a field nor a variable',
      HOCON_UNSUPPORTED: 'HOCON that Canton may take and that is not read here: includes, += and the like',
    },
  },
];
