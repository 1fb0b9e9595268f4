#!/bin/bash
# Whether go-ethereum signs a typed-data document (EIP-712) whose domain has an empty string.
#
# EIP-712 ("Definition of domainSeparator") has a domain consist of the fields that its type declares; a string may be empty.
# One would guess that a document with "name": "" and a declared name is signed like any other.
#
# Seen: go-ethereum's apitypes, which clef signs with, takes an empty name or version for one that is missing, and then
# refuses the document, because its type declares the field: "provided data '<nil>' doesn't match type 'string'". ethers
# and viem give one digest, keccak-256 of an empty string in it. Nobody signs anything wrong; whoever has both kinds of
# signer should give a domain's strings a character, or leave them out.
#
# Needs npm, node, go. Exit 0: as written here; 1: the behaviour is another.
set -euo pipefail
ETHERS=6.17.0
VIEM=2.57.20
GETH=v1.17.10

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"

cat > document.json << 'END'
{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"chainId","type":"uint256"}],"Note":[{"name":"text","type":"string"}]},
"primaryType":"Note","domain":{"name":"","chainId":1},"message":{"text":""}}
END

cat > digests.mjs << 'END'
import { readFileSync } from 'node:fs';
import { TypedDataEncoder } from 'ethers';
import { hashTypedData } from 'viem';
const document = JSON.parse(readFileSync('document.json', 'utf8'));
const { EIP712Domain, ...types } = document.types;
const ethers = TypedDataEncoder.hash(document.domain, types, document.message);
console.log(ethers === hashTypedData(document) ? 'ethers and viem: the same digest' : 'ethers and viem: two digests');
END
npm install --silent --no-audit --no-fund --ignore-scripts "ethers@$ETHERS" "viem@$VIEM"
seen=$(node digests.mjs)

cat > main.go << 'END'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ethereum/go-ethereum/signer/core/apitypes"
)

func main() {
	text, err := os.ReadFile("document.json")
	if err != nil {
		panic(err)
	}
	var document apitypes.TypedData
	if err := json.Unmarshal(text, &document); err != nil {
		panic(err)
	}
	if _, _, err := apitypes.TypedDataAndHash(document); err != nil {
		fmt.Println("go-ethereum: refuses it,", err)
		return
	}
	fmt.Println("go-ethereum: takes it")
}
END
go mod init finding 2> /dev/null
go get "github.com/ethereum/go-ethereum@$GETH" 2> /dev/null
go mod tidy 2> /dev/null
seen+=$'\n'$(go run .)

printf '%s\n' "$seen"
expected="ethers and viem: the same digest
go-ethereum: refuses it, provided data '<nil>' doesn't match type 'string'"
[ "$seen" = "$expected" ]
