import * as z from 'zod';
import { normaliseOn } from '../../addresses.ts';
import { checkAddress, network } from './chains.ts';
import { areUnique, identifier } from './fields.ts';

export const MAX_ADDRESS_BOOKS = 256;
const MAX_ADDRESSES = 4096;

/** A name for people: one line of printable characters, without blanks at its ends. */
const label = z
  .string()
  .max(100)
  .regex(/^[\p{L}\p{N}\p{P}\p{S}]([\p{L}\p{M}\p{N}\p{P}\p{S} ]*[\p{L}\p{M}\p{N}\p{P}\p{S}])?$/u);

/** Addresses of one network with their labels, which rules name as destinations. */
export const addressBookSchema = z
  .strictObject({
    id: identifier,
    network,
    entries: z.array(z.strictObject({ label, address: z.string().max(128) })).max(MAX_ADDRESSES),
  })
  .refine(({ entries }) => areUnique(entries.map(({ label }) => label)), {
    path: ['entries'],
    error: 'a label is given twice',
  })
  .superRefine(({ network, entries }, context) => {
    for (const [index, { address }] of entries.entries()) {
      checkAddress(context, { network, address }, ['entries', index, 'address']);
    }
    if (!areUnique(entries.map(({ address }) => normaliseOn(network, address)))) {
      context.addIssue({ code: 'custom', path: ['entries'], message: 'an address is given twice' });
    }
  });
export type AddressBook = z.infer<typeof addressBookSchema>;
