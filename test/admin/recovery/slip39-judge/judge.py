"""Joins or splits by the reference implementation of SLIP-39: one JSON object in, one out."""

import json
import sys

from shamir_mnemonic import combine_mnemonics, generate_mnemonics

asked = json.load(sys.stdin)
if "words" in asked:
    print(json.dumps(combine_mnemonics(asked["words"]).hex()))
else:
    groups = [(asked["threshold"], asked["count"])]
    secret = bytes.fromhex(asked["secret"])
    made = generate_mnemonics(1, groups, secret, iteration_exponent=asked["exponent"], extendable=asked["extendable"])
    print(json.dumps(made[0]))
