import { partitionOf } from '../../../shared/aws/partitions.ts';
import type { VaultDocument } from '../document.ts';
import { describeRoles, type RoleDescription } from '../roles.ts';
import type { OpenFinding } from './finding.ts';
import { isOpenValue } from './placeholders.ts';
import { KNOWN_REGIONS, REGIONS_OF } from './regions.ts';

/** Finds accounts, Regions and people that should be apart and are not, or that do not belong together. */
export function checkAccounts(document: VaultDocument): OpenFinding[] {
  const roles = describeRoles(document);
  return [
    ...checkSeparation(document),
    ...checkRegions(document),
    ...roles.flatMap((role) => checkAdmins(document, role)),
    ...checkPeople(document, roles),
  ];
}

/** Path of a role's own part of vault.yaml. */
export function pathOfRole(
  document: VaultDocument,
  { role }: Pick<RoleDescription, 'role'>,
): (string | number)[] {
  if (role === 'infrastructure') return ['infrastructure'];
  return ['nodes', document.nodes.findIndex(({ node }) => role === `node-${node}`)];
}

function checkSeparation({ infrastructure, nodes }: VaultDocument): OpenFinding[] {
  const known = nodes.filter(({ account }) => !isOpenValue(account));
  const inside = known.filter(({ account }) => account === infrastructure.account);
  const shared = [...Map.groupBy(known, ({ account }) => account).values()].filter(
    ({ length }) => length > 1,
  );
  return [
    ...inside.map<OpenFinding>(({ node }) => ({
      code: 'NODE_IN_INFRASTRUCTURE_ACCOUNT',
      severity: 'error',
      roles: ['infrastructure', `node-${node}`],
      path: ['nodes', nodes.findIndex((entry) => entry.node === node), 'account'],
      text: `the KMS key of node ${node} would lie in the account of its host: whoever administrates the host could open the key for another image`,
      advice: 'Give the node admin an account that infrastructure has no role in.',
    })),
    ...shared.map<OpenFinding>((members) => ({
      code: 'NODES_IN_ONE_ACCOUNT',
      severity: 'error',
      roles: members.map(({ node }) => `node-${node}` as const),
      path: ['nodes', nodes.findIndex((entry) => entry === members[1]), 'account'],
      text: `nodes ${members.map(({ node }) => node).join(', ')} have one account: its admin alone decides for as many nodes`,
      advice: 'Give each node an account of its own.',
    })),
  ];
}

function checkRegions(document: VaultDocument): OpenFinding[] {
  const places = [
    { region: document.region, path: ['region'], roles: [] as const },
    ...document.nodes.flatMap(({ region, node }, index) =>
      region === undefined
        ? []
        : [{ region, path: ['nodes', index, 'region'], roles: [`node-${node}`] as const }],
    ),
  ];
  const first = partitionOf(document.region);
  return places.flatMap<OpenFinding>(({ region, path, roles }) => {
    const partition = partitionOf(region);
    if (partition?.publicRoots !== true) {
      return [
        {
          code: 'REGION_UNFIT',
          severity: 'error',
          roles,
          path,
          text: `${region} is no Region whose KMS an enclave can authenticate`,
          advice:
            'Take a Region of the partitions aws, aws-cn, aws-eusc or aws-us-gov, spelt as AWS spells it.',
        },
      ];
    }
    if (partition.id !== first?.id) {
      return [
        {
          code: 'PARTITIONS_DIFFER',
          severity: 'error',
          roles,
          path,
          text: `${region} is of the partition ${partition.id}, and hosts are in ${document.region}: no role of one is known in the other`,
          advice: 'Put all of the vault into Regions of one partition.',
        },
      ];
    }
    const unknown = KNOWN_REGIONS.has(region) ? [] : [regionUnknown(region, path, roles)];
    if (region === document.region) return unknown;
    return [
      ...unknown,
      {
        code: 'REGIONS_DIFFER',
        severity: 'note',
        roles,
        path,
        text: `the key is in ${region}, and its host in ${document.region}: the host needs a way to KMS there`,
        advice: 'Nothing, if it is meant; a start takes some more milliseconds.',
      },
    ];
  });
}

/** A name that could be one of a Region, and is in no list: a slip of the pen, or a Region that AWS has opened since. */
function regionUnknown(
  region: string,
  path: OpenFinding['path'],
  roles: NonNullable<OpenFinding['roles']>,
): OpenFinding {
  return {
    code: 'REGION_UNKNOWN',
    severity: 'warning',
    roles,
    path,
    text: `${region} is none of the Regions that AWS had on ${REGIONS_OF}`,
    advice:
      'Look whether AWS has opened it since ("aws account list-regions"): if so, nothing is to be done. A slip of the pen shows here alone until the first stack is made.',
  };
}

function checkAdmins(document: VaultDocument, description: RoleDescription): OpenFinding[] {
  const { role, account, admins, region } = description;
  const path = [...pathOfRole(document, description), 'admins'];
  const findings = admins.flatMap<OpenFinding>((arn, index) => {
    if (isOpenValue(arn)) return [];
    const [, partition = '', , , owner = '', resource = ''] = arn.split(':');
    const at = { roles: [role], path: [...path, index] };
    const found: OpenFinding[] = [];
    if (owner !== account && !isOpenValue(account)) {
      found.push({
        ...at,
        code: 'ADMIN_OF_OTHER_ACCOUNT',
        severity: 'error',
        text: `${arn} is of account ${owner}, and ${role} has account ${account}`,
        advice:
          'Name a role of the account itself: admins of another account would decide for it from there.',
      });
    }
    const expected = partitionOf(region)?.id;
    if (expected !== undefined && partition !== expected) {
      found.push({
        ...at,
        code: 'ADMIN_OF_OTHER_PARTITION',
        severity: 'error',
        text: `${arn} is of the partition ${partition}, and ${region} of ${expected}`,
        advice: `Write the ARN as IAM shows it: arn:${expected}:iam::…`,
      });
    }
    if (resource.startsWith('user/')) {
      found.push({
        ...at,
        code: 'ADMIN_IS_USER',
        severity: 'warning',
        text: `${arn} is a user, whose access keys are valid until somebody takes them away`,
        advice: 'Name a role that people assume with a second factor.',
      });
    }
    return found;
  });
  if (admins.length > 1) return findings;
  return [
    ...findings,
    {
      code: 'ADMIN_ALONE',
      severity: 'warning',
      roles: [role],
      path,
      text: `${role} has one admin: without that IAM role nobody can change a key policy any more`,
      advice: 'Name a second role, whose holder is another person.',
    },
  ];
}

function checkPeople(document: VaultDocument, roles: readonly RoleDescription[]): OpenFinding[] {
  const named = roles.flatMap((description) => description.admins.map((arn) => ({ description, arn })));
  // A role of an IAM path is the same role without it, as AWS names its sessions.
  const nameOf = (arn: string) => `${arn.split(':')[4]}/${arn.slice(arn.lastIndexOf('/') + 1)}`.toLowerCase();
  return [...Map.groupBy(named, ({ arn }) => nameOf(arn)).values()].flatMap<OpenFinding>((uses) => {
    const holders = [...new Set(uses.map(({ description }) => description.role))];
    const second = uses.find(({ description }) => description.role !== holders[0]);
    if (second === undefined || isOpenValue(second.arn)) return [];
    const index = second.description.admins.indexOf(second.arn);
    return [
      {
        code: 'PERSON_IN_TWO_ROLES',
        severity: 'error',
        roles: holders,
        path: [...pathOfRole(document, second.description), 'admins', index],
        text: `${second.arn} is an admin of ${holders.join(' and ')}: one person would decide for both`,
        advice: 'Name another person for one of them.',
      },
    ];
  });
}
