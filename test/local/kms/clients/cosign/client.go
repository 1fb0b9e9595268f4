// Uses a key of KMS as cosign's `generate-key-pair --kms`, `sign-blob`, `verify-blob` and `public-key` do, by the package that
// cosign has for awskms:// references, and prints what it saw as JSON. The rest of cosign is no part of it: its modules take
// longer to build than all other clients together.
package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"os"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	_ "github.com/sigstore/sigstore/pkg/signature/kms/aws"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	seen := map[string]any{}
	key := must(kms.Get(ctx, "awskms:///alias/cosign", crypto.SHA256))
	made := must(key.CreateKey(ctx, key.DefaultAlgorithm()))
	// Made once: a key that the alias names already is taken.
	again := must(must(kms.Get(ctx, "awskms:///alias/cosign", crypto.SHA256)).CreateKey(ctx, key.DefaultAlgorithm()))
	seen["algorithm"] = key.DefaultAlgorithm()
	seen["sameKey"] = cryptoutils.EqualKeys(made, again) == nil
	blob := []byte("an artifact")
	signed := must(key.SignMessage(bytes.NewReader(blob), options.WithContext(ctx)))
	public := must(key.PublicKey(options.WithContext(ctx)))
	seen["pem"] = string(must(cryptoutils.MarshalPublicKeyToPEM(public)))
	local := must(signature.LoadVerifier(public, crypto.SHA256))
	seen["verified"] = local.VerifySignature(bytes.NewReader(signed), bytes.NewReader(blob)) == nil
	remote := options.WithRemoteVerification(true)
	seen["verifiedByKms"] = key.VerifySignature(bytes.NewReader(signed), bytes.NewReader(blob), remote) == nil
	seen["forged"] = key.VerifySignature(bytes.NewReader(signed), bytes.NewReader([]byte("another")), remote) == nil
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		panic(err)
	}
}
