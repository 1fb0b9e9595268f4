import type { CodeArea } from './area.ts';

export const GATEWAY_ETHEREUM_CODES: readonly CodeArea[] = [
  {
    title: 'Door for Ethereum',
    who: '`holdfast gateway ethereum`, in `error.data.code` of JSON-RPC, in the text of a REST response and in its log; ETHEREUM_FIELD_MALFORMED is one of the library’s account, too',
    next: 'Mend the request: docs/ethereum-door.md says what the door takes.',
    codes: {
      ETHEREUM_FIELD_MALFORMED: [
        'a field of a transaction is missing, is unknown, is no value of its kind, or contradicts another',
        'Give the field that the details name; nothing is filled in, so that what is signed is what was meant.',
      ],
      RPC_ACCOUNT_UNKNOWN: [
        'the nodes have no key of this account, or the door does not serve it',
        'Compare eth_accounts with `keys` of the door and `holdfast node keys`.',
      ],
      RPC_METHOD_UNSUPPORTED: [
        'a method or path that the door does not have',
        'Sign with eth_signTransaction, and send the result to a node of the network: a door sends nothing.',
      ],
      RPC_ORIGIN_REFUSED:
        'a request that a page in a browser made, or whose body is not said to be application/json',
      RPC_PARAMETERS_MALFORMED: 'parameters that are none of the method',
      RPC_REQUEST_MALFORMED:
        'no request of JSON-RPC 2.0, one without an id, or a batch of none or more than 32',
      SIGNING_DATA_UNREADABLE: [
        'data that are neither an unsigned transaction nor a message nor an authorisation: an enclave signs nothing unread',
        'Sign documents of EIP-712 whole, by eth_signTypedData_v4.',
      ],
    },
  },
];
