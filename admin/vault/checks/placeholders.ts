import type { VaultDocument } from '../document.ts';
import type { OpenFinding } from './finding.ts';

/** Values of a new vault.yaml that stand for what nobody has said yet: zeros, where a real value never has them. */
const OPEN_VALUES: readonly RegExp[] = [
  /^0{12}$/,
  /^0{64}$/,
  /^arn:aws[a-z-]*:iam::0{12}:/,
  /^(?:vpc|subnet|ami)-0+$/,
  /^0\.0\.0\.0\/32$/,
];

type Path = OpenFinding['path'];

/** Finds values that `vault init` has left open, each with the command that somebody types to get the value. */
export function findOpenValues(document: VaultDocument): OpenFinding[] {
  return listOpen(document, []).map((path) => ({
    code: 'VALUE_LEFT_OPEN',
    severity: 'error',
    path,
    text: 'a value of zeros stands for one that nobody has said yet',
    advice: adviseOn(document, path),
  }));
}

function listOpen(value: unknown, path: Path): Path[] {
  if (typeof value === 'string') return isOpenValue(value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => listOpen(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => listOpen(member, [...path, name]));
}

/** Tells whether a value is one that `vault init` has left open. */
export function isOpenValue(value: string): boolean {
  return OPEN_VALUES.some((pattern) => pattern.test(value));
}

function adviseOn(document: VaultDocument, [part, second, third]: Path): string {
  if (part === 'infrastructure') {
    return second === 'network' || second === 'host'
      ? adviseOnHosts(document, String(third))
      : `${join('infrastructure', '')} It is in infrastructure.join.json then.`;
  }
  if (part === 'nodes') {
    const role = `node-${document.nodes[Number(second)]?.node ?? ''}`;
    const where =
      third === 'configurationAuthority' ? 'authorityKey' : third === 'recovery' ? 'recoveryKey' : undefined;
    const keygen =
      third === 'recovery'
        ? 'The custodians make it by "holdfast ers keygen", and read it to every node admin. '
        : '';
    return `${keygen}${join(role, ' --recovery-key HEX')} It is in ${role}.join.json then${where === undefined ? '' : `, as ${where}`}.`;
  }
  if (part === 'clients') {
    const id = document.clients[Number(second)]?.id ?? 'CLIENT';
    return `Whoever runs ${id} types "holdfast vault key ${id}" and reads you the public key that it prints; the private one stays with them.`;
  }
  return 'Write the value; the comment above it says where it comes from.';
}

function join(role: string, more: string): string {
  return `Its admin types "holdfast vault join --role ${role} --account ACCOUNT --admin ARN --admin ARN${more}".`;
}

function adviseOnHosts({ region }: VaultDocument, field: string): string {
  const list = (kind: string, columns: string) =>
    `"aws ec2 describe-${kind.toLowerCase()}s --region ${region} --query '${kind}s[].[${columns}]' --output text"`;
  switch (field) {
    case 'vpcId':
      return `${list('Vpc', 'VpcId,CidrBlock')} lists those of the account.`;
    case 'subnetId':
      return `${list('Subnet', 'SubnetId,VpcId,CidrBlock')} lists those of the account; take a private one of the VPC, with a way out to port 443.`;
    case 'peerCidr':
      return `All hosts are in the subnet of subnetId, so that its range is the right one: ${list('Subnet', 'SubnetId,CidrBlock')}.`;
    case 'clientCidr':
      return `The range that wallet backends and owners come from, as hosts see them: that of their own subnet, such as ${list('Subnet', 'SubnetId,CidrBlock')} lists; never 0.0.0.0/0.`;
    case 'imageId':
      return `"aws ssm get-parameter --region ${region} --name /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64 --query Parameter.Value --output text" names the newest.`;
    default:
      return 'Write the value; the comment above it says where it comes from.';
  }
}
