import type { CodeArea } from './area.ts';

export const DEPLOYMENT_CODES: readonly CodeArea[] = [
  {
    title: 'A deployment on a host',
    who: '`parent deploy`',
    next: 'The former deployment is in force. Mend what the details name, and call it again.',
    codes: {
      DEPLOYMENT_BUSY: [
        'another run of the verb is under way on this host',
        'Wait for it: a run that was killed holds no lock.',
      ],
      DEPLOYMENT_CONFIGURATION_OLDER: [
        'the store has seen a newer configuration, or this version with other bytes; no node takes that back',
        'Deploy the same image with the newest signed configuration.',
      ],
      DEPLOYMENT_CONFIGURATION_REFUSED: [
        'the configuration is not signed by the authorities of the manifest, or is for another manifest',
        'Have this configuration signed for this manifest: "holdfast config verify".',
      ],
      DEPLOYMENT_DIGEST_MISMATCH: [
        'deployment.json is not the one whose SHA-256 its address names',
        'Somebody has changed the bucket, or the address is wrong: upload it again under its own digest.',
      ],
      DEPLOYMENT_DISK_FULL: [
        'the disk has no room for the files and a snapshot',
        'Make the volume larger; "holdfast parent snapshots" lists what may be moved away.',
      ],
      DEPLOYMENT_FILE_ALTERED: [
        'a file is another one than deployment.json lists',
        'Upload the file again. If it comes back: find out who writes to the bucket.',
      ],
      DEPLOYMENT_IMAGE_UNEXPECTED: [
        'the image does not measure to pcr.json',
        'Take image and pcr.json of one release: "holdfast eif verify".',
      ],
      DEPLOYMENT_MALFORMED: [
        'deployment.json is not strict JSON of its format',
        'Make it anew; shared/deployment/SPEC.md names each member.',
      ],
      DEPLOYMENT_MANIFEST_UNEXPECTED: [
        'the manifest is none, or measures to another PCR16 than deployment.json or pcr.json names',
        'Take the manifest that the key policy was put for: "holdfast manifest verify".',
      ],
      DEPLOYMENT_MISSING: 'the source has no deployment.json, or lacks a file that it lists',
      DEPLOYMENT_NO_PREVIOUS: [
        'there is no former deployment on this host',
        'Deploy the one that you want by its address.',
      ],
      DEPLOYMENT_NOT_SETTLED: [
        'the node neither serves nor has halted in time; the new deployment is in force',
        'Look at "holdfast parent status"; call the verb again, with a longer --timeout where the node only needs time.',
      ],
      DEPLOYMENT_OTHER_NODE: [
        'the manifest is of another vault or node than deployment.json says',
        'Deploy what was made for this node.',
      ],
      DEPLOYMENT_PARENT_FAILED: [
        'the parent does not stay up; the new deployment is in force',
        'Look at "journalctl -u holdfast-parent"; "holdfast parent deploy --previous" goes back.',
      ],
      DEPLOYMENT_PERMISSIONS: [
        'a folder belongs to somebody else, others may write to it, or the verb does not run as root',
        'Call it as root, and give the folder back to root with mode 0755 (0700 below /var/lib).',
      ],
      DEPLOYMENT_SETTINGS_INVALID: [
        'host.yaml, or the settings in deployment.json, make no parent.yaml',
        'Mend the field that the details name: docs/parent.md explains each.',
      ],
      DEPLOYMENT_SOURCE_UNAVAILABLE: [
        'the source cannot be asked: no credentials, no permission, no connection',
        "Look at the role of the instance, the bucket's policy, and the way to S3.",
      ],
      DEPLOYMENT_STORE_NEWER: [
        'an image that writes a newer format was deployed here, and this one does not read it',
        'Deploy an image that does. A snapshot from before is an earlier state, which the quorum has to repair: docs/quorum.md.',
      ],
      DEPLOYMENT_UNIT_MISSING: [
        'systemd does not know holdfast-parent.service',
        'Install the parent: "scripts/install-parent.sh --with-enclave".',
      ],
      SYSTEMCTL_FAILED: [
        'systemctl failed, or did not end in time',
        'Look at "systemctl status holdfast-parent" and "journalctl -u holdfast-parent".',
      ],
      SYSTEMCTL_MISSING: ['there is no systemctl on the path', 'Run the verb on a host with systemd.'],
    },
  },
  {
    title: "The identity of a host's store",
    who: '`parent deploy` and `parent restore`; a running parent notes it in its log and on its status page',
    next: 'Nothing was changed. Find the store that was in use; docs/parent.md says what each refusal is about.',
    codes: {
      IDENTITY_OLDER_EPOCH: [
        'the store is an earlier state of the one that was in use',
        'Put the newest store back. Where it is lost: start anew by a new order to initialise, and let the quorum repair the shares (docs/quorum.md).',
      ],
      IDENTITY_OTHER_HISTORY: [
        'the log of the store has another entry than the one in use had at its place: it was rolled back, and went on',
        'Find the other store: two nodes must never run on copies of one. Then repair by the quorum (docs/quorum.md).',
      ],
      IDENTITY_OTHER_NODE: [
        'the store belongs to another node of this vault',
        'Attach the volume of this node, or deploy what was made for the node whose store this is.',
      ],
      IDENTITY_OTHER_STORE: [
        'another store of this node was in use',
        'Put that store back. After a new start by order, deploy with the identity of the new store.',
      ],
      IDENTITY_OTHER_VAULT: [
        'the store belongs to another vault: another namespace or environment',
        'Attach the volume of this vault.',
      ],
      IDENTITY_STORE_MISSING: [
        'the store is gone, or there never was one, and the configuration has no new order to start one',
        'Attach the volume or restore the newest backup; a lost store is started anew by a new order, and repaired by the quorum (docs/quorum.md).',
      ],
      IDENTITY_UNREADABLE: [
        'the store has records and a log that does not say whose it is, or the note on this host is damaged',
        "Look for the log's folder (auditLog.directory); a store without a log is started once by an image that writes one.",
      ],
      RESTORE_ROLLS_BACK: [
        'others know a later state of this log than the backup has; nothing was written',
        'Restore a newer backup. Where there is none: start anew by a new order to initialise, and let the quorum repair the shares (docs/quorum.md).',
      ],
    },
  },
];
