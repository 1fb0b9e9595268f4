/** Setting that a person would type again and again: a field of holdfast.yaml, or a variable of the environment. */
export interface Setting {
  readonly variable: string;
  /** True for the name of a file: in holdfast.yaml relative to the folder that the profile lies in. */
  readonly isFile: boolean;
  /** True for several values; in the variable with commas between them. */
  readonly isList: boolean;
  readonly description: string;
}

const one = (variable: string, description: string): Setting => ({
  variable,
  isFile: false,
  isList: false,
  description,
});
const file = (variable: string, description: string): Setting => ({
  ...one(variable, description),
  isFile: true,
});

/** All settings. None is a secret: of a key, a setting is the name of the file that holds it. */
export const SETTINGS = {
  url: one('HOLDFAST_URL', 'where the node is reached: https://host:port'),
  status: one('HOLDFAST_STATUS', "its parent's status page: http://host:port"),
  root: file('HOLDFAST_ROOT', "the root of attestation documents, PEM or DER; without it, AWS's own"),
  pcrs: file('HOLDFAST_PCRS', 'pcr.json of the image'),
  manifest: file('HOLDFAST_MANIFEST', "the node's manifest"),
  client: one('HOLDFAST_CLIENT', "your id in the node's configuration"),
  key: file('HOLDFAST_KEY', "the client's Ed25519 private key, PEM"),
  nodes: {
    ...file(
      'HOLDFAST_NODES',
      'profiles of the other nodes of the quorum, asked where this node does not serve',
    ),
    isList: true,
  },
  admins: {
    ...one('HOLDFAST_ADMINS', 'ARNs of the roles or users that administrate the KMS key'),
    isList: true,
  },
  nodeRole: one('HOLDFAST_NODE_ROLE', "ARN of the parent instance's role"),
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

export const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);
