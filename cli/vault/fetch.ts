import { dirname } from 'node:path';
import { artifactOf, mirrorRelease, ReleaseError } from '../../admin/artifacts/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { createProgress } from '../common/progress.ts';
import { type FetchedRelease, fetchRelease } from './releases/fetch-release.ts';
import { readReleaseInput, RELEASE_OPTIONS, type ReleaseInput } from './releases/input.ts';
import { openLocation } from './releases/open-location.ts';
import { rebuildRelease, recordPathOf } from './releases/rebuild.ts';
import { SEEN_OPTIONS } from './accounts-seen.ts';
import { checkFile, OWN_KEY_OPTION } from './check.ts';
import { readVaultFile, ROLE_OPTION, type VaultFile } from './options.ts';
import { writeSheets } from './sheets.ts';

export const fetchCommand: Command = {
  name: 'vault fetch',
  summary:
    'Fetch a release and verify it: signature, digests, measurements of the image, provenance. For somebody of the vault (--role, --sheets) it first checks vault.yaml as "vault check" does, and writes their run sheets.',
  positionals: '[RELEASE]',
  options: {
    ...RELEASE_OPTIONS,
    ...ROLE_OPTION,
    ...OWN_KEY_OPTION,
    ...SEEN_OPTIONS,
    sheets: {
      type: 'string',
      value: 'FOLDER',
      description: 'check vault.yaml first, and write the run sheets of every role there',
    },
    rebuild: {
      type: 'boolean',
      description:
        'also rebuild the image from this working copy (scripts/verify-build), and record that it is the same',
    },
  },
  examples: [
    'holdfast vault fetch --vault vault.yaml',
    'holdfast vault fetch --vault vault.yaml --role node-1 --statement-key keys/node-1.statement.pem --sheets sheets',
    'holdfast vault fetch 1.4.0 --from oci://registry.example.com/holdfast/release --key cosign.pub',
    'holdfast vault fetch 1.3.0 --older 1.3.0 --from s3://acme-artifacts/holdfast --key cosign.pub',
    'holdfast vault fetch --vault vault.yaml --rebuild',
  ],
  async run(input) {
    const checked = await checkFirst(input);
    if (checked?.outcome.ok === false) return checked.outcome;
    const wanted = await readReleaseInput(input);
    const folderOfSheets = input.text('sheets');
    // Sheets are of the description alone: a release that cannot be had yet keeps nobody from theirs.
    const sheets =
      checked === undefined || folderOfSheets === undefined
        ? []
        : await writeSheets(checked.vault.document, folderOfSheets);
    const { release, isNew } = await fetchOrSay(wanted, input, [
      ...(checked === undefined ? [] : [checked.outcome.text]),
      ...describeSheets(sheets, input.text('role')),
    ]);
    const { index, folder } = release;
    const recordPath = recordPathOf(wanted.folder, index.version);
    const rebuilt = input.flag('rebuild') ? await rebuildRelease(release, recordPath, input.io) : undefined;
    const measurements = Object.entries(index.measurements);
    return {
      ok: true,
      text: [
        ...(checked === undefined ? [] : [checked.outcome.text, '']),
        `${isNew ? 'fetched and verified' : 'here already, and verified'}: release ${index.version} in ${folder}`,
        `signed by  ${wanted.key.hint}`,
        `built from ${index.commit}, released ${index.released}`,
        ...measurements.map(([name, value]) => `${name}  ${value}`),
        ...(rebuilt === undefined ? [] : [`rebuilt, byte for byte: ${recordPath}`]),
        ...describeSheets(sheets, input.text('role')),
        ...(await describeNext(input, sheets)),
      ].join('\n'),
      data: {
        version: index.version,
        folder,
        fetched: isNew,
        key: wanted.key.hint,
        commit: index.commit,
        released: index.released,
        measurements: index.measurements,
        pcrJson: artifactOf(index, 'measurements').sha384,
        rebuilt: rebuilt === undefined ? null : recordPath,
        check: checked?.outcome.data ?? null,
        sheets,
      },
    };
  },
};

export const mirrorCommand: Command = {
  name: 'vault mirror',
  summary:
    'Copy a verified release into a bucket, a registry or a folder of your own, bit for bit, and read it back.',
  positionals: '[RELEASE]',
  options: {
    ...RELEASE_OPTIONS,
    to: {
      type: 'string',
      value: 'LOCATION',
      required: true,
      description: 'where it goes: s3://BUCKET/PREFIX, oci://REGISTRY/REPOSITORY or a folder',
    },
  },
  examples: [
    'holdfast vault mirror --vault vault.yaml --to s3://acme-artifacts/holdfast',
    'holdfast vault mirror 1.4.0 --from ./releases --key cosign.pub --to oci://registry.example.com/holdfast/release',
  ],
  async run(input) {
    const wanted = await readReleaseInput(input);
    const { release } = await fetchWithProgress(wanted, input);
    using destination = await openLocation(input.text('to') ?? '', 'write', input, wanted.region);
    const progress = createProgress(input.io, `mirroring ${wanted.version}`);
    let written;
    try {
      const { signal } = input.io;
      written = await mirrorRelease(
        destination.releases,
        wanted.version,
        release.files,
        signal,
        progress.update,
      );
    } finally {
      progress.finish();
    }
    const { location } = destination.releases;
    return {
      ok: true,
      text: [
        `release ${wanted.version} is in ${location}, and reads back as it is here`,
        written.length === 0 ? 'it was there already' : `written: ${written.join(', ')}`,
      ].join('\n'),
      data: { version: wanted.version, location, written },
    };
  },
};

/**
 * Checks the description of whoever fetches as somebody of the vault; undefined for whoever fetches a release alone.
 * @throws UsageError where no vault.yaml was named; as {@link checkFile}
 */
async function checkFirst(
  input: CommandInput,
): Promise<{ readonly vault: VaultFile; readonly outcome: Outcome } | undefined> {
  const asked = ['role', 'statement-key', 'sheets', 'aws-profile-of'].find(
    (option) => input.texts(option).length > 0,
  );
  if (asked === undefined && !input.flag('offline')) return undefined;
  if (input.text('vault') === undefined) throw new UsageError(`--${asked ?? 'offline'} needs --vault`);
  if (input.text('sheets') === '') throw new UsageError('--sheets is a folder');
  const vault = await readVaultFile(input);
  return { vault, outcome: await checkFile(vault, input) };
}

/** Says where the sheets of a person are; those of everybody where no role was named. */
function describeSheets(sheets: readonly string[], role: string | undefined): readonly string[] {
  if (sheets.length === 0) return [];
  const own = sheets.filter(
    (path) => path.endsWith('.md') && (role === undefined || path.includes(`/${role}/`)),
  );
  return ['', 'run sheets, to be printed (.html beside each):', ...own.map((path) => `  ${path}`)];
}

/**
 * Fetches, and where that fails tells a person first what was done all the same.
 *
 * @param done lines of what was found and written before
 * @throws as {@link fetchRelease}
 */
async function fetchOrSay(
  wanted: ReleaseInput,
  input: CommandInput,
  done: readonly string[],
): Promise<FetchedRelease> {
  try {
    return await fetchWithProgress(wanted, input);
  } catch (error) {
    const { version, from } = wanted;
    const isMissing = error instanceof ReleaseError && error.code === 'RELEASE_NOT_FOUND';
    const next = `release ${version} is not here, and all of the above stands: run the same command again once ${from} has it`;
    const lines = [...done, ...(isMissing ? ['', next] : [])];
    if (done.length > 0) input.io.stderr.write(`${lines.join('\n')}\n`);
    throw error;
  }
}

/** Says whose vault the release is of, and what is next, to whoever has asked for the release alone. */
async function describeNext(input: CommandInput, sheets: readonly string[]): Promise<readonly string[]> {
  const [path, role] = [input.text('vault'), input.text('role')];
  if (path === undefined) return [];
  if (sheets.length > 0) {
    const own = role === undefined ? 'your sheet' : `${dirname(sheets[0] ?? '')}/${role}/run-sheet.md`;
    return [`  next: read the digest of vault.yaml to the others, and go on by ${own}`];
  }
  const { digest } = await readVaultFile(input);
  return [
    `vault ${digest.slice(0, 16)}…, the digest that all read to each other`,
    `  next: for what does not fit together, and your run sheet: holdfast vault fetch --vault ${path} --role ${role ?? 'ROLE'} --sheets sheets`,
  ];
}

async function fetchWithProgress(wanted: ReleaseInput, input: CommandInput): Promise<FetchedRelease> {
  const progress = createProgress(input.io, `fetching ${wanted.version}`);
  const opened: Disposable[] = [];
  try {
    return await fetchRelease({
      ...wanted,
      source: async () => {
        const location = await openLocation(wanted.from, 'read', input, wanted.region);
        opened.push(location);
        return location.releases;
      },
      signal: input.io.signal,
      onProgress: progress.update,
    });
  } finally {
    progress.finish();
    for (const each of opened) each[Symbol.dispose]();
  }
}
