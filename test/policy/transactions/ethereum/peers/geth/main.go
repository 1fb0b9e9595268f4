// Reads Ethereum payloads with go-ethereum's own types: one request in JSON a line, one response a line.
//
//	{"kind":"transaction","bytes":HEX}    unsigned bytes: makes the signed twin, which types.Transaction has to take
//	{"kind":"authorization","bytes":HEX}  0x05 and the list of EIP-7702
//	{"kind":"message","bytes":HEX}        EIP-191, version 0x45
//	{"kind":"typed-data","document":TEXT} EIP-712
//
// The response is {"error":TEXT} or {"digest":HEX,"fields":{…}}, numbers as decimal strings, bytes in hex.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
)

type request struct {
	Kind     string `json:"kind"`
	Bytes    string `json:"bytes"`
	Document string `json:"document"`
}

type response struct {
	Error  string         `json:"error,omitempty"`
	Digest string         `json:"digest,omitempty"`
	Fields map[string]any `json:"fields,omitempty"`
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		var asked request
		if err != nil || json.Unmarshal(line, &asked) != nil {
			os.Exit(1)
		}
		if encoder.Encode(answer(asked)) != nil || out.Flush() != nil {
			os.Exit(1)
		}
	}
}

func answer(asked request) (result response) {
	defer func() {
		if fault := recover(); fault != nil {
			result = response{Error: fmt.Sprint("panic: ", fault)}
		}
	}()
	digest, fields, err := read(asked)
	if err != nil {
		return response{Error: err.Error()}
	}
	return response{Digest: hex.EncodeToString(digest), Fields: fields}
}

func read(asked request) ([]byte, map[string]any, error) {
	if asked.Kind == "typed-data" {
		digest, err := readTypedData(asked.Document)
		return digest, nil, err
	}
	payload, err := hex.DecodeString(asked.Bytes)
	if err != nil {
		return nil, nil, err
	}
	switch asked.Kind {
	case "transaction":
		return readTransaction(payload)
	case "authorization":
		return readAuthorization(payload)
	case "message":
		return accounts.TextHash(payload), nil, nil
	}
	return nil, nil, errors.New("unknown kind")
}

func readTransaction(unsigned []byte) ([]byte, map[string]any, error) {
	twin, err := signedTwin(unsigned)
	if err != nil {
		return nil, nil, err
	}
	var tx types.Transaction
	if err := tx.UnmarshalBinary(twin); err != nil {
		return nil, nil, err
	}
	signer := types.LatestSignerForChainID(tx.ChainId())
	return signer.Hash(&tx).Bytes(), describe(&tx), nil
}

// signedTwin appends the signature (0, 1, 1) to the outer list of an unsigned transaction, whose items it leaves as they
// are; in the nine-field form of EIP-155 it replaces chain id and two empty strings by v, 1, 1.
func signedTwin(unsigned []byte) ([]byte, error) {
	if len(unsigned) == 0 {
		return nil, errors.New("empty")
	}
	if unsigned[0] < 0xc0 {
		content, rest, err := rlp.SplitList(unsigned[1:])
		if err != nil {
			return nil, err
		}
		if len(rest) > 0 {
			return nil, errors.New("trailing bytes")
		}
		return append([]byte{unsigned[0]}, encodeList(append(bytes.Clone(content), 0x80, 1, 1))...), nil
	}
	content, rest, err := rlp.SplitList(unsigned)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, errors.New("trailing bytes")
	}
	body := content
	for range 6 {
		if _, _, body, err = rlp.Split(body); err != nil {
			return nil, err
		}
	}
	head := content[:len(content)-len(body)]
	var chain big.Int
	_, _, tail, err := rlp.Split(body)
	if err != nil {
		return nil, err
	}
	if err := rlp.DecodeBytes(body[:len(body)-len(tail)], &chain); err != nil {
		return nil, err
	}
	if !bytes.Equal(tail, []byte{0x80, 0x80}) || chain.Sign() == 0 {
		return nil, errors.New("not the nine fields of EIP-155")
	}
	v, err := rlp.EncodeToBytes(new(big.Int).Add(new(big.Int).Lsh(&chain, 1), big.NewInt(35)))
	if err != nil {
		return nil, err
	}
	return encodeList(append(append(bytes.Clone(head), v...), 1, 1)), nil
}

func encodeList(content []byte) []byte {
	encoded, err := rlp.EncodeToBytes(rlp.RawValue(content))
	if err != nil {
		panic(err)
	}
	if len(content) < 56 {
		return append([]byte{0xc0 + byte(len(content))}, encoded...)
	}
	length := big.NewInt(int64(len(content))).Bytes()
	return append(append([]byte{0xf7 + byte(len(length))}, length...), encoded...)
}

func describe(tx *types.Transaction) map[string]any {
	fields := map[string]any{
		"type": int(tx.Type()), "chainId": tx.ChainId().String(), "nonce": fmt.Sprint(tx.Nonce()), "gas": fmt.Sprint(tx.Gas()),
		"maxFeePerGas": tx.GasFeeCap().String(), "maxPriorityFeePerGas": tx.GasTipCap().String(),
		"value": tx.Value().String(), "data": hex.EncodeToString(tx.Data()), "to": "",
		"accessList": []any{}, "blobHashes": []string{}, "authorizations": []any{}, "maxFeePerBlobGas": "0",
	}
	if to := tx.To(); to != nil {
		fields["to"] = to.Hex()
	}
	list := []any{}
	for _, entry := range tx.AccessList() {
		keys := []string{}
		for _, key := range entry.StorageKeys {
			keys = append(keys, hex.EncodeToString(key[:]))
		}
		list = append(list, map[string]any{"address": entry.Address.Hex(), "storageKeys": keys})
	}
	fields["accessList"] = list
	hashes := []string{}
	for _, hash := range tx.BlobHashes() {
		hashes = append(hashes, hex.EncodeToString(hash[:]))
	}
	fields["blobHashes"] = hashes
	if price := tx.BlobGasFeeCap(); price != nil {
		fields["maxFeePerBlobGas"] = price.String()
	}
	authorizations := []any{}
	for _, authorization := range tx.SetCodeAuthorizations() {
		authority, err := authorization.Authority()
		item := map[string]any{"chainId": authorization.ChainID.Dec(), "address": authorization.Address.Hex(),
			"nonce": fmt.Sprint(authorization.Nonce), "authority": ""}
		if err == nil {
			item["authority"] = authority.Hex()
		}
		authorizations = append(authorizations, item)
	}
	fields["authorizations"] = authorizations
	return fields
}

// readAuthorization decodes chain id, address and nonce into go-ethereum's own type by the signed twin's six fields.
func readAuthorization(payload []byte) ([]byte, map[string]any, error) {
	if len(payload) == 0 || payload[0] != 5 {
		return nil, nil, errors.New("not 0x05")
	}
	content, rest, err := rlp.SplitList(payload[1:])
	if err != nil {
		return nil, nil, err
	}
	if len(rest) > 0 {
		return nil, nil, errors.New("trailing bytes")
	}
	var authorization types.SetCodeAuthorization
	if err := rlp.DecodeBytes(encodeList(append(bytes.Clone(content), 0x80, 1, 1)), &authorization); err != nil {
		return nil, nil, err
	}
	hash := authorization.SigHash()
	return hash[:], map[string]any{"chainId": authorization.ChainID.Dec(), "address": authorization.Address.Hex(),
		"nonce": fmt.Sprint(authorization.Nonce)}, nil
}

func readTypedData(document string) ([]byte, error) {
	var data apitypes.TypedData
	decoder := json.NewDecoder(bytes.NewReader([]byte(document)))
	if err := decoder.Decode(&data); err != nil {
		return nil, err
	}
	digest, _, err := apitypes.TypedDataAndHash(data)
	return digest, err
}
