import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import {
  type AwsAccess,
  openCloudFormation,
  openKms,
  openS3,
  openSecretsManager,
  openSsm,
  openSts,
} from '../admin/aws/index.ts';
import { formatReport, runFirstContact } from '../deploy/first-contact/run.ts';

const USAGE = `Looks at what Holdfast takes for granted of AWS, in two accounts that are empty and yours, and tears down what it made.
It costs cents: some KMS keys that wait thirty days for their end, buckets and stacks for minutes. Exit 0 where all that was looked at holds.

Usage: scripts/first-contact --node-profile NAME --infrastructure-profile NAME --region REGION --output FILE --yes

  --node-profile NAME            profile of an administrator of the first account, that of a node admin
  --infrastructure-profile NAME  profile of an administrator of the second account, that of the hosts
  --region REGION                where things are made
  --node-admin ARN               the role or user behind the first profile (default: made of what STS says)
  --output FILE                  where the report is written: FILE.md for people, FILE.json for programs
  --endpoint URL, --ca PEM       another AWS than AWS's own: the stand-in
  --yes                          this costs money, and I may make and delete things in both accounts
`;

const { values } = parseArgs({
  options: {
    'node-profile': { type: 'string' },
    'infrastructure-profile': { type: 'string' },
    region: { type: 'string' },
    'node-admin': { type: 'string' },
    output: { type: 'string' },
    endpoint: { type: 'string' },
    ca: { type: 'string' },
    yes: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const { region, output, endpoint } = values;
const profiles = { node: values['node-profile'], infrastructure: values['infrastructure-profile'] };
if (values.help === true) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (!region || !output || !profiles.node || !profiles.infrastructure || values.yes !== true) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const ca = values.ca === undefined ? undefined : await readFile(values.ca);

async function open(profile: string, inRegion: string) {
  const access: AwsAccess = {
    region: inRegion,
    profile,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(ca === undefined ? {} : { ca }),
  };
  const sts = await openSts(access);
  const { Account: accountId = '', Arn: sessionArn = '' } = await sts.send(new GetCallerIdentityCommand({}));
  const cloudFormation = await openCloudFormation(access);
  const [kms, s3, ssm] = [await openKms(access), await openS3(access), await openSsm(access)];
  const secretsManager = await openSecretsManager(access);
  return { accountId, sessionArn, sts, cloudFormation, kms, s3, secretsManager, ssm };
}

/** Makes the ARN of a role of that of a session; a role with a path has to be named by --node-admin. */
function principalOf(arn: string): string {
  const [, partition, account, role] =
    /^arn:([a-z-]+):sts::([0-9]{12}):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  return role === undefined ? arn : `arn:${partition}:iam::${account}:role/${role}`;
}

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
const node = await open(profiles.node, region);
const infrastructure = await open(profiles.infrastructure, region);
if (node.accountId === infrastructure.accountId) {
  process.stderr.write('first-contact: both profiles are of one account; two are the point\n');
  process.exit(2);
}
const report = await runFirstContact({
  region,
  prefix: `hf${randomBytes(4).toString('hex')}`,
  node: { ...node, principalArn: values['node-admin'] ?? principalOf(node.sessionArn) },
  infrastructure,
  signal: abort.signal,
  onProgress: (done, of, finding) => {
    const what =
      typeof finding === 'string' ? `${finding} …` : `${finding.id}: ${finding.outcome}, ${finding.seen}`;
    process.stderr.write(`[${done}/${of}] ${what}\n`);
  },
});
await writeFile(`${output}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
await writeFile(`${output}.md`, formatReport(report));
process.stderr.write(`${output}.md and ${output}.json\n`);
const isAsExpected = report.findings.every(({ outcome }) => outcome === 'holds' || outcome === 'not looked');
process.exitCode = isAsExpected && report.left.length === 0 ? 0 : 1;
