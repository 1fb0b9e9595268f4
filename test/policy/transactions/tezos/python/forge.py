"""Forges operations by pytezos: reads one {"branch", "contents"} a line, writes what it forged in hex a line."""

import json
import sys

from pytezos.operation.forge import forge_operation_group

for line in sys.stdin:
    group = json.loads(line)
    try:
        print(forge_operation_group(group).hex())
    except NotImplementedError as error:
        print(f'not implemented: {error}')
