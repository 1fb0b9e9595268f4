"""Reads messages with solders, one in hex on each line, and writes one line of JSON for each: what was read, or why not."""

import json
import sys

from solders.message import Message, MessageV0, from_bytes_versioned


def read(data: bytes) -> dict:
    message = from_bytes_versioned(data)
    header = message.header
    return {
        "version": "legacy" if isinstance(message, Message) else 0 if isinstance(message, MessageV0) else 1,
        "header": [
            header.num_required_signatures,
            header.num_readonly_signed_accounts,
            header.num_readonly_unsigned_accounts,
        ],
        "keys": [bytes(key).hex() for key in message.account_keys],
        "lifetime": bytes(message.recent_blockhash).hex(),
        "instructions": [
            [it.program_id_index, bytes(it.accounts).hex(), bytes(it.data).hex()] for it in message.instructions
        ],
    }


for line in sys.stdin:
    try:
        answer = read(bytes.fromhex(line.strip()))
    except BaseException as error:  # PyO3 gives a panic as a BaseException.
        answer = {"refused": str(error)}
    print(json.dumps(answer, separators=(",", ":")))
