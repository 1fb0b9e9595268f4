import { symlink } from 'node:fs/promises';
import { parse } from 'yaml';
import {
  deriveRunSheet,
  parseVault,
  type ProcedureName,
  type SheetRole,
  type VaultDocument,
} from '../../../../admin/vault/index.ts';
import {
  CEREMONY_ROUNDS,
  type SampleVault,
  type VaultTestbed,
} from '../../../../local/testbed/vault/index.ts';
import { type Otherwise, Seat } from './seat.ts';

export const ADMINS = ['infrastructure', 'node-1', 'node-2', 'node-3'] as const;
export const NODES = ['node-1', 'node-2', 'node-3'] as const;
/** People of one vault, each at a machine of their own, who do what the run sheets of its vault.yaml say. */
export class PlayedVault {
  readonly testbed: VaultTestbed;
  readonly seats: ReadonlyMap<SheetRole | 'wallet', Seat>;
  /** The description as people will have it, but for the keys that they have not made yet. */
  document: VaultDocument;
  readonly #sample: SampleVault;

  private constructor(
    testbed: VaultTestbed,
    seats: ReadonlyMap<SheetRole | 'wallet', Seat>,
    sample: SampleVault,
  ) {
    this.testbed = testbed;
    this.seats = seats;
    this.#sample = sample;
    this.document = parseVault(Buffer.from(JSON.stringify(sample)));
  }

  /** @param change what all agree to before anything is typed */
  static async sit(
    testbed: VaultTestbed,
    change: (vault: SampleVault) => void = () => undefined,
  ): Promise<PlayedVault> {
    const seats = new Map<SheetRole | 'wallet', Seat>();
    for (const role of ADMINS) seats.set(role, await Seat.ofPerson(testbed, role, testbed.person(role)));
    for (const role of ['owners', 'custodians', 'auditor', 'wallet'] as const)
      seats.set(role, await Seat.withoutAccount(testbed, role));
    const [first] = seats.values();
    const sample = parse((await first?.reads('vault.yaml')) ?? '') as SampleVault;
    change(sample);
    const vault = new PlayedVault(testbed, seats, sample);
    await vault.seat('owners').hasKey('operations', testbed.keys.clients.get('operations') ?? '');
    await vault.seat('wallet').hasKey('wallet-backend', testbed.keys.clients.get('wallet-backend') ?? '');
    return vault;
  }

  seat(role: SheetRole | 'wallet'): Seat {
    const seat = this.seats.get(role);
    if (seat === undefined) throw new RangeError(`nobody is ${role}`);
    return seat;
  }

  /** Lays a sheet before somebody, of which some commands were typed already. */
  lay(role: SheetRole, name: ProcedureName, typed = 0): Seat {
    const seat = this.seat(role);
    seat.lay(
      deriveRunSheet(this.document, role).procedures.find((one) => one.name === name),
      typed,
    );
    return seat;
  }

  /** Has several people do the next command of their sheets, side by side. */
  async together(roles: readonly SheetRole[], otherwise?: Otherwise): Promise<void> {
    await Promise.all(roles.map(async (role) => await this.seat(role).succeeds(otherwise)));
  }

  /** Takes up what infrastructure has written: what was open is filled in, and everybody gets the same bytes. */
  async agree(path = 'vault.yaml'): Promise<void> {
    const written = parse(await this.seat('infrastructure').reads(path)) as SampleVault;
    const { release, infrastructure, clients, tenant } = this.#sample;
    const { network, host } = infrastructure;
    const agreed = {
      ...written,
      release,
      infrastructure: { ...written.infrastructure, network, host },
      clients,
      // Keys are those that the description was written with.
      tenant: { ...tenant, keys: written.tenant.keys },
    };
    const bytes = Buffer.from(JSON.stringify(agreed, undefined, 2));
    this.document = parseVault(bytes);
    for (const seat of this.seats.values()) await seat.writes('vault.yaml', bytes);
  }

  /** Has everybody check the description, fetch the release, and get their sheets. */
  async begin(): Promise<void> {
    await this.together(ADMINS);
  }

  /** Plays the rounds of the ceremony, once everybody has begun. */
  async serve(): Promise<void> {
    for (const roles of CEREMONY_ROUNDS) await this.together(roles);
  }

  /** Takes the place of a lost vault: everybody's folder is the `new/` of the recovery sheets. */
  async succeed(lost: PlayedVault): Promise<void> {
    for (const [role, seat] of this.seats) await symlink(seat.folder, lost.seat(role).at('new'));
  }
}
