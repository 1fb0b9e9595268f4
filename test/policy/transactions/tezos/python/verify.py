"""Hashes and verifies with pytezos: reads lines of {publicKey, signature, message in hex}, prints {digest, isVerified}.

isVerified is null for P-256, which pytezos leaves to a library that the pinned one has outgrown.
"""

import json
import sys

from pytezos.crypto.key import Key, blake2b_32


def is_verified(asked, message):
    if asked["publicKey"].startswith("p2pk"):
        return None
    try:
        return Key.from_encoded_key(asked["publicKey"]).verify(asked["signature"], message)
    except ValueError:
        return False


for line in sys.stdin:
    asked = json.loads(line)
    message = bytes.fromhex(asked["message"])
    print(json.dumps({"digest": blake2b_32(message).digest().hex(), "isVerified": is_verified(asked, message)}))
