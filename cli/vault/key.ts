import { join } from 'node:path';
import { type Command, UsageError } from '../common/command.ts';
import { makePrivateFolder } from '../common/private-folder.ts';
import { keepKey } from './keep-key.ts';

/** Name of a client, as configurations have it; nothing of it leaves the folder of keys. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export const keyCommand: Command = {
  name: 'vault key',
  summary:
    'Make a key of your own, once, for whoever holds no account: a client, a keeper, the leader of a drill. It prints the public half.',
  positionals: 'NAME',
  options: {
    keys: { type: 'string', value: 'FOLDER', description: 'folder of your private keys (default: keys)' },
  },
  examples: ['holdfast vault key operations', 'holdfast vault key leader --keys keys'],
  async run({ positionals, text }) {
    const [name = ''] = positionals;
    if (!NAME.test(name))
      throw new UsageError('NAME is in lower-case letters, digits, dots and hyphens, such as operations');
    const folder = text('keys') ?? 'keys';
    await makePrivateFolder(folder);
    const { path, isNew, publicKey } = await keepKey(join(folder, `${name}.pem`));
    return {
      ok: true,
      text: [
        `${path}: ${isNew ? 'made, for you alone' : 'was there, and is kept'}`,
        `public key ${publicKey}`,
      ].join('\n'),
      data: { path, changed: isNew, publicKey },
    };
  },
};
