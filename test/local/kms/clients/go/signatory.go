package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

// Refusals of GetPublicKey that Signatory's vault skips a key for, without a word; any other ends the whole listing.
var skipped = map[string]bool{
	"AccessDeniedException": true, "UnsupportedOperationException": true, "DisabledException": true,
	"KMSInvalidStateException": true, "NotFoundException": true, "InvalidKeyUsageException": true,
}

// What its parser of SubjectPublicKeyInfo reads, by algorithm and, for elliptic curves, curve; for any other algorithm it fails.
var (
	ecPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	ed25519     = asn1.ObjectIdentifier{1, 3, 101, 112}
	curves      = map[string]string{"1.2.840.10045.3.1.7": "tz3", "1.3.132.0.10": "tz2", "1.3.132.0.34": ""}
)

type publicKeyInfo struct {
	Algorithm struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	PublicKey asn1.BitString
}

type signed struct {
	KeyId     string `json:"keyId"`
	Kind      string `json:"kind"`
	PublicKey string `json:"publicKey"`
	Message   string `json:"message"`
	R         string `json:"r"`
	S         string `json:"s"`
}

// Calls what Signatory's awskms vault does at its start and for signatures: ListKeys without a Limit, GetPublicKey of every key
// in the list's order, and Sign of a digest by each key that it can use.
func signatory(ctx context.Context, client *kms.Client) map[string]any {
	listed := must(client.ListKeys(ctx, &kms.ListKeysInput{}))
	seen := map[string]any{"listed": len(listed.Keys), "truncated": listed.Truncated}
	keys := []signed{}
	skippedFor := []string{}
	for _, each := range listed.Keys {
		public, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: each.KeyId})
		var failure smithy.APIError
		if errors.As(err, &failure) && skipped[failure.ErrorCode()] {
			skippedFor = append(skippedFor, failure.ErrorCode())
			continue
		}
		if err != nil {
			seen["fatal"] = refusal(err)
			return seen
		}
		if public.KeyUsage != types.KeyUsageTypeSignVerify {
			skippedFor = append(skippedFor, string(public.KeyUsage))
			continue
		}
		kind, err := kindOf(public.PublicKey)
		if err != nil {
			seen["fatal"] = err.Error()
			return seen
		}
		if kind == "" {
			skippedFor = append(skippedFor, string(public.KeySpec))
			continue
		}
		keys = append(keys, signed{KeyId: *public.KeyId, Kind: kind, PublicKey: hex.EncodeToString(public.PublicKey)})
	}
	for index := range keys {
		sign(ctx, client, &keys[index])
	}
	seen["skipped"] = skippedFor
	seen["keys"] = keys
	return seen
}

func kindOf(spki []byte) (string, error) {
	var info publicKeyInfo
	if rest, err := asn1.Unmarshal(spki, &info); err != nil || len(rest) > 0 {
		return "", errors.New("no SubjectPublicKeyInfo in DER")
	}
	if info.Algorithm.Algorithm.Equal(ed25519) {
		return "tz1", nil
	}
	if !info.Algorithm.Algorithm.Equal(ecPublicKey) {
		return "", errors.New("x509: unsupported algorithm")
	}
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &curve); err != nil {
		return "", err
	}
	return curves[curve.String()], nil
}

// Signs a digest, whatever the key, and reads the signature as strict DER without anything behind it.
func sign(ctx context.Context, client *kms.Client, key *signed) {
	// Tezos hashes by BLAKE2b; KMS sees 32 bytes, whatever they come from.
	message := []byte("a request")
	digest := sha256.Sum256(message)
	answer, err := client.Sign(ctx, &kms.SignInput{
		KeyId: &key.KeyId, Message: digest[:], MessageType: types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		key.R = refusal(err)
		return
	}
	var signature struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(answer.Signature, &signature)
	again := must(asn1.Marshal(signature))
	if err != nil || len(rest) > 0 || !bytes.Equal(again, answer.Signature) {
		key.R = "not a signature in DER"
		return
	}
	key.Message, key.R, key.S = hex.EncodeToString(message), signature.R.Text(16), signature.S.Text(16)
}
