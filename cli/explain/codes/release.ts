import type { CodeArea } from './area.ts';

export const RELEASE_CODES: readonly CodeArea[] = [
  {
    title: 'Releases',
    who: '`vault fetch`, `vault mirror`, `vault upgrade`',
    next: 'Do not use the release; ask whoever makes releases, and fetch it from another place. docs/releases.md says what is verified.',
    codes: {
      RELEASE_ARTIFACT_DIFFERS:
        'an artifact is not the one that the signed index names; nothing of it was kept',
      RELEASE_ARTIFACT_OVERSIZE: 'more bytes came than the signed index names, or than a small file may have',
      RELEASE_ARTIFACT_TRUNCATED: [
        'the artifact ended early each time that it was asked for',
        'Run it again: what came is kept, and the download goes on there.',
      ],
      RELEASE_BUNDLE_KIND:
        'the signature is of another kind: an envelope in place of a detached signature or the reverse, or by a certificate',
      RELEASE_BUNDLE_MALFORMED: 'what should be a Sigstore bundle is none; fields names what is wrong',
      RELEASE_BUNDLE_VERSION: [
        'the bundle is of another format than Sigstore bundle v0.3',
        'Whoever makes releases signs with a cosign that writes v0.3 (3.0 or later, or --new-bundle-format).',
      ],
      RELEASE_DAMAGED: [
        'a file of a release that is here is not what its signature says',
        'Find out who changed it; then remove the release’s folder and fetch it again.',
      ],
      RELEASE_DISK_FULL: [
        'the disk cannot hold the release',
        'Make room and run it again; it goes on where it was.',
      ],
      RELEASE_INDEX_MALFORMED:
        'the index is not of the format holdfast-release/1; fields names what is wrong',
      RELEASE_IN_USE: [
        'another run works on this release in this folder',
        'Wait for it. If no such process is there any more, remove the file that lock names.',
      ],
      RELEASE_KEY_MALFORMED: [
        'the key of releases is no public key over P-256 or P-384 in PEM',
        'Give the file cosign.pub, or what "cosign public-key --key …" prints.',
      ],
      RELEASE_LOCATION_MALFORMED: [
        'the place of releases is of none of the known forms',
        'Give s3://BUCKET/PREFIX, oci://REGISTRY/REPOSITORY or a folder.',
      ],
      RELEASE_MANIFEST_MALFORMED: 'what the registry holds under the version is no manifest of a release',
      RELEASE_MEASUREMENTS_DIFFER: 'image, pcr.json and index do not agree on the measurements',
      RELEASE_MIRROR_DIFFERS: [
        'the mirror holds another release of this version, or does not give back what was written; nothing there was replaced',
        'Find out who has written there. A version is never published twice.',
      ],
      RELEASE_NOT_FOUND: ['there is no such release, or it lacks a file', 'Check version and place.'],
      RELEASE_OLDER: [
        'the release is older than one that is here: an old release may have faults that are known by now',
        'For a roll-back, repeat the version: --older VERSION.',
      ],
      RELEASE_OTHER_ARTIFACT: 'the signature is over another file than the index that came with it',
      RELEASE_OTHER_KEY: [
        'the release is signed by another key than the one that is trusted',
        'If the key of releases has changed, get the new one by a way that you trust, and put it into vault.yaml.',
      ],
      RELEASE_OTHER_VERSION: 'what the place gives under the version is a release of another version',
      RELEASE_PROVENANCE_DIFFERS:
        'the provenance is of another image or build, is no SLSA provenance, or is not the one that was signed',
      RELEASE_REBUILD_DIFFERS: [
        'a rebuild from this working copy gave other bytes, or did not end',
        'Check out the commit that the index names. If it still differs, do not use the release.',
      ],
      RELEASE_SIGNATURE: 'the signature is not one of the trusted key over these bytes',
      RELEASE_SOURCE_REFUSED: [
        'whoever keeps the release does not let us read or write it',
        'Check the credentials: those of AWS, or for a registry ~/.docker/config.json.',
      ],
      RELEASE_SOURCE_UNREACHABLE: [
        'whoever keeps the release cannot be asked',
        'Check network, name and --ca; run it again.',
      ],
      RELEASE_VERSION_MALFORMED: ['the version is no version', 'Give one such as 1.4.0 or 1.4.0-rc.1.'],
      REGISTRY_CONFIG_UNREADABLE: [
        'the file of credentials for registries is not what docker or podman write',
        'Log in anew, or name another file by REGISTRY_AUTH_FILE.',
      ],
    },
  },
];
