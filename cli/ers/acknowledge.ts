import {
  encodeAcknowledgement,
  ACKNOWLEDGEMENT_PAYLOAD_TYPE,
  MAX_ACKNOWLEDGEMENT_BYTES,
  parseAcknowledgement,
} from '../../shared/recovery/index.ts';
import { createEnvelope, parseEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import { type Command, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { CLIENT_OPTIONS, withNode } from '../node/connection.ts';
import { BACKUP_OPTIONS, nameBackup, readBackups } from './backups.ts';

export const acknowledgeCommand: Command = {
  name: 'ers acknowledge',
  summary: 'Verify a backup that you keep, and sign that you do; its node counts no other backup.',
  positionals: '',
  options: {
    ...BACKUP_OPTIONS,
    signer: { type: 'string', value: 'PEM', required: true, description: "the keeper's Ed25519 private key" },
    output: { type: 'string', value: 'FILE', required: true, description: 'write the acknowledgement there' },
  },
  examples: [
    'holdfast ers acknowledge --backup backups/node-1.treasury.json --pcrs pcr.json --manifest manifest.json --signer keeper.pem --output treasury.acknowledgement',
  ],
  run: async (input) => {
    const { privateKey, publicKey } = await readSigningKey(input.text('signer') ?? '');
    const backups = await readBackups(input);
    const [backup] = backups;
    if (backup === undefined || backups.length > 1) throw new UsageError('--backup is needed, once');
    const { statement, digest } = backup;
    const payload = encodeAcknowledgement({
      format: 'holdfast-backup-acknowledgement/1',
      manifest: statement.node.manifest,
      key: statement.key,
      statement: digest,
      time: new Date().toISOString(),
    });
    const envelope = signEnvelope(createEnvelope(ACKNOWLEDGEMENT_PAYLOAD_TYPE, payload), privateKey);
    const output = input.text('output') ?? '';
    await writeOutput(output, `${JSON.stringify(envelope)}\n`);
    return {
      ok: true,
      text: `${output}: ${publicKey} keeps ${nameBackup(backup)}\n  next: holdfast ers submit ${output}`,
      data: { output, key: statement.key, statement: digest, signer: publicKey },
    };
  },
};

export const submitCommand: Command = {
  name: 'ers submit',
  summary: "Hand a keeper's acknowledgement to the node that made the backup.",
  positionals: 'FILE',
  options: CLIENT_OPTIONS,
  examples: [
    'holdfast ers submit treasury.acknowledgement --url https://127.0.0.1:8443 --pcrs pcr.json --manifest manifest.json --client keeper-backend --key client.pem',
  ],
  run: async (input) => {
    const [path = ''] = input.positionals;
    const bytes = await readInput(path, input.io, MAX_ACKNOWLEDGEMENT_BYTES);
    const { key } = inFile(path, () =>
      parseAcknowledgement(Buffer.from(parseEnvelope(bytes).payload, 'base64')),
    );
    return await withNode(input, async (node) => {
      const { statement, keeper, rule } = await node.recovery.acknowledge(key, bytes);
      return {
        ok: true,
        text: `${key}: the node counts the backup as kept by ${keeper} (rule ${rule})`,
        data: { key, statement, keeper, rule },
      };
    });
  },
};
