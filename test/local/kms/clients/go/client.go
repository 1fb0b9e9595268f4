// Uses the KMS that its environment names as programs with AWS's SDK for Go do, and prints what it saw as JSON: every kind of
// call, or, with the argument `signatory`, what Signatory's awskms vault calls.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func refusal(err error) string {
	if err == nil {
		return "answered"
	}
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return err.Error()
}

func main() {
	ctx := context.Background()
	// By hand: the module that reads the environment brings half of AWS along.
	client := kms.New(kms.Options{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_KMS")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			}, nil
		}),
	})
	seen := walk
	if len(os.Args) > 1 && os.Args[1] == "signatory" {
		seen = signatory
	}
	if err := json.NewEncoder(os.Stdout).Encode(seen(ctx, client)); err != nil {
		panic(err)
	}
}

func walk(ctx context.Context, client *kms.Client) map[string]any {
	seen := map[string]any{}
	made := must(client.CreateKey(ctx, &kms.CreateKeyInput{
		Tags: []types.Tag{{TagKey: aws.String("CreatedBy"), TagValue: aws.String("Go")}},
	}))
	key := made.KeyMetadata.Arn
	pairs := map[string]string{"purpose": "test"}
	sealed := must(client.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("a message"), EncryptionContext: pairs}))
	opened := must(client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: pairs}))
	seen["decrypted"] = string(opened.Plaintext)
	tags := []string{}
	for _, tag := range must(client.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: key})).Tags {
		tags = append(tags, *tag.TagKey)
	}
	seen["tags"] = tags
	must(client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/go"), TargetKeyId: key}))
	aliases := []string{}
	for _, alias := range must(client.ListAliases(ctx, &kms.ListAliasesInput{KeyId: key})).Aliases {
		aliases = append(aliases, *alias.AliasName)
	}
	seen["aliases"] = aliases
	seen["rotates"] = must(client.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key})).KeyRotationEnabled
	must(client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key}))
	_, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("a")})
	seen["disabled"] = refusal(err)
	must(client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: key}))
	signing := must(client.CreateKey(ctx, &kms.CreateKeyInput{
		KeySpec: types.KeySpecEccSecgP256k1, KeyUsage: types.KeyUsageTypeSignVerify,
	})).KeyMetadata.KeyId
	signed := must(client.Sign(ctx, &kms.SignInput{
		KeyId: signing, Message: []byte("a message"), SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	}))
	check := func(message string) (*kms.VerifyOutput, error) {
		return client.Verify(ctx, &kms.VerifyInput{
			KeyId: signing, Message: []byte(message), Signature: signed.Signature,
			SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
		})
	}
	seen["verified"] = must(check("a message")).SignatureValid
	_, err = check("another")
	seen["forged"] = refusal(err)
	seen["publicKey"] = must(client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: signing})).KeySpec
	macKey := must(client.CreateKey(ctx, &kms.CreateKeyInput{
		KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac,
	})).KeyMetadata.KeyId
	mac := must(client.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId: macKey, Message: []byte("a"), MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
	}))
	seen["mac"] = must(client.VerifyMac(ctx, &kms.VerifyMacInput{
		KeyId: macKey, Message: []byte("a"), MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Mac: mac.Mac,
	})).MacValid
	dataKey := must(client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: key, KeySpec: types.DataKeySpecAes256}))
	plain := must(client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: dataKey.CiphertextBlob}))
	seen["dataKey"] = bytes.Equal(plain.Plaintext, dataKey.Plaintext)
	// A KMS that has neither pairs nor grants says so by name.
	pair, err := client.GenerateDataKeyPair(ctx, &kms.GenerateDataKeyPairInput{KeyId: key, KeyPairSpec: types.DataKeyPairSpecEccNistP256})
	if err != nil {
		seen["pair"] = refusal(err)
	} else {
		private := must(client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: pair.PrivateKeyCiphertextBlob}))
		seen["pair"] = bytes.Equal(private.Plaintext, pair.PrivateKeyPlaintext)
	}
	grant, err := client.CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: key, GranteePrincipal: aws.String("arn:aws:iam::111122223333:role/node"),
		Operations: []types.GrantOperation{types.GrantOperationDecrypt},
	})
	if err != nil {
		seen["grants"] = refusal(err)
	} else {
		grants := []bool{}
		for _, listed := range must(client.ListGrants(ctx, &kms.ListGrantsInput{KeyId: key})).Grants {
			grants = append(grants, *listed.GrantId == *grant.GrantId)
		}
		seen["grants"] = grants
		must(client.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key, GrantId: grant.GrantId}))
	}
	listed := map[string]bool{}
	for pages := kms.NewListKeysPaginator(client, &kms.ListKeysInput{Limit: aws.Int32(1)}); pages.HasMorePages(); {
		for _, each := range must(pages.NextPage(ctx)).Keys {
			listed[*each.KeyArn] = true
			listed[*each.KeyId] = true
		}
	}
	own := 0
	for _, id := range []*string{key, signing, macKey} {
		if listed[*id] {
			own++
		}
	}
	seen["listed"] = own
	_, err = client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/nobody")})
	var notFound *types.NotFoundException
	seen["notFound"] = refusal(err)
	if !errors.As(err, &notFound) {
		seen["notFound"] = "not typed"
	}
	_, err = client.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(1025)})
	seen["invalid"] = refusal(err)
	seen["pending"] = must(client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key, PendingWindowInDays: aws.Int32(7)})).KeyState
	return seen
}
