// Key-peer computes by Go's crypto what the keys of an enclave are held against: a JSON request on each line of standard
// input, a JSON response on each line of standard output. Byte strings are hex.
package main

import (
	"bufio"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"os"
	"strings"
)

type request struct {
	Do, Algorithm, Kind, Payload, Key, Signature, Secret, Nonce, Context string
}

type response struct {
	Valid     bool   `json:"valid"`
	Bytes     string `json:"bytes"`
	PublicKey string `json:"publicKey"`
	Error     string `json:"error"`
}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}

func hashOf(algorithm string) crypto.Hash {
	for suffix, hash := range map[string]crypto.Hash{
		"sha1": crypto.SHA1, "sha224": crypto.SHA224, "sha256": crypto.SHA256, "sha384": crypto.SHA384,
		"sha512": crypto.SHA512, "ed25519ph": crypto.SHA512,
	} {
		if strings.HasSuffix(algorithm, suffix) {
			return hash
		}
	}
	panic("no hash: " + algorithm)
}

func digestOf(r request) []byte {
	if r.Kind == "digest" {
		return unhex(r.Payload)
	}
	h := hashOf(r.Algorithm).New()
	h.Write(unhex(r.Payload))
	return h.Sum(nil)
}

func pss(algorithm string) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hashOf(algorithm)}
}

func verify(r request, public any, signature []byte) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
		return err == nil && ecdsa.VerifyASN1(key, digestOf(r), der)
	case ed25519.PublicKey:
		if r.Algorithm == "ed25519ph" {
			return ed25519.VerifyWithOptions(key, digestOf(r), signature, &ed25519.Options{Hash: crypto.SHA512}) == nil
		}
		return ed25519.Verify(key, unhex(r.Payload), signature)
	case *rsa.PublicKey:
		if strings.HasPrefix(r.Algorithm, "rsa-pss") {
			return rsa.VerifyPSS(key, hashOf(r.Algorithm), digestOf(r), signature, pss(r.Algorithm)) == nil
		}
		return rsa.VerifyPKCS1v15(key, hashOf(r.Algorithm), digestOf(r), signature) == nil
	}
	panic(fmt.Sprintf("no key: %T", public))
}

// sign signs with a key of its own, which it makes: what ours has to verify.
func sign(r request) (signer crypto.Signer, signature []byte, err error) {
	var options crypto.SignerOpts = hashOf(r.Algorithm)
	switch {
	case strings.HasPrefix(r.Algorithm, "ecdsa"):
		curve := elliptic.P256()
		if strings.Contains(r.Algorithm, "p384") {
			curve = elliptic.P384()
		}
		signer, err = ecdsa.GenerateKey(curve, rand.Reader)
	case r.Algorithm == "ed25519ph":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
		options = &ed25519.Options{Hash: crypto.SHA512}
	default:
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
		if strings.HasPrefix(r.Algorithm, "rsa-pss") {
			options = pss(r.Algorithm)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	signature, err = signer.Sign(rand.Reader, digestOf(r), options)
	if err == nil && strings.HasPrefix(r.Algorithm, "ecdsa") {
		signature = halves(signature, signer.Public().(*ecdsa.PublicKey).Curve)
	}
	return signer, signature, err
}

func halves(der []byte, curve elliptic.Curve) []byte {
	var parsed struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &parsed); err != nil || len(rest) > 0 {
		panic("no signature")
	}
	size := (curve.Params().BitSize + 7) / 8
	return append(parsed.R.FillBytes(make([]byte, size)), parsed.S.FillBytes(make([]byte, size))...)
}

// xaes derives the AES-256-GCM of one message of XAES-256-GCM (C2SP) by CMAC of SP 800-38B over whole blocks.
func xaes(key, nonce []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	zero := make([]byte, 16)
	block.Encrypt(zero, zero)
	doubled := new(big.Int).Lsh(new(big.Int).SetBytes(zero), 1)
	if doubled.BitLen() > 128 {
		doubled.SetBit(doubled, 128, 0)
		doubled.Xor(doubled, big.NewInt(0x87))
	}
	var derived []byte
	for counter := range 2 {
		message := append([]byte{0, byte(counter + 1), 'X', 0}, nonce[:12]...)
		mac := new(big.Int).Xor(doubled, new(big.Int).SetBytes(message)).FillBytes(make([]byte, 16))
		block.Encrypt(mac, mac)
		derived = append(derived, mac...)
	}
	if block, err = aes.NewCipher(derived); err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func answer(r request) (response, error) {
	switch r.Do {
	case "verify":
		public, err := x509.ParsePKIXPublicKey(unhex(r.Key))
		if err != nil {
			return response{}, err
		}
		return response{Valid: verify(r, public, unhex(r.Signature))}, nil
	case "sign":
		signer, signature, err := sign(r)
		if err != nil {
			return response{}, err
		}
		public, err := x509.MarshalPKIXPublicKey(signer.Public())
		return response{Bytes: hex.EncodeToString(signature), PublicKey: hex.EncodeToString(public)}, err
	case "sign-deterministically":
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), unhex(r.Secret))
		if err != nil {
			return response{}, err
		}
		der, err := key.Sign(nil, digestOf(r), hashOf(r.Algorithm)) // RFC 6979
		return response{Bytes: hex.EncodeToString(halves(der, elliptic.P384()))}, err
	case "encrypt":
		public, err := x509.ParsePKIXPublicKey(unhex(r.Key))
		if err != nil {
			return response{}, err
		}
		var oaep hash.Hash = sha256.New()
		if r.Algorithm == "rsa-oaep-sha1" {
			oaep = sha1.New()
		}
		sealed, err := rsa.EncryptOAEP(oaep, rand.Reader, public.(*rsa.PublicKey), unhex(r.Payload), nil)
		return response{Bytes: hex.EncodeToString(sealed)}, err
	case "decrypt":
		key, err := x509.ParsePKCS8PrivateKey(unhex(r.Secret))
		if err != nil {
			return response{}, err
		}
		var oaep hash.Hash = sha256.New()
		if r.Algorithm == "rsa-oaep-sha1" {
			oaep = sha1.New()
		}
		opened, err := rsa.DecryptOAEP(oaep, nil, key.(*rsa.PrivateKey), unhex(r.Payload), nil)
		return response{Bytes: hex.EncodeToString(opened)}, err
	case "mac":
		hashes := map[string]func() hash.Hash{"hmac-sha224": sha256.New224, "hmac-sha256": sha256.New, "hmac-sha384": sha512.New384, "hmac-sha512": sha512.New}
		mac := hmac.New(hashes[r.Algorithm], unhex(r.Secret))
		mac.Write(unhex(r.Payload))
		return response{Bytes: hex.EncodeToString(mac.Sum(nil))}, nil
	case "agree":
		curve := map[string]ecdh.Curve{"p256": ecdh.P256(), "p384": ecdh.P384()}[r.Kind]
		own, err := curve.NewPrivateKey(unhex(r.Secret))
		if err != nil {
			return response{}, err
		}
		public, err := x509.ParsePKIXPublicKey(unhex(r.Key))
		if err != nil {
			return response{}, err
		}
		peer, err := public.(*ecdsa.PublicKey).ECDH()
		if err != nil {
			return response{}, err
		}
		shared, err := own.ECDH(peer)
		return response{Bytes: hex.EncodeToString(shared)}, err
	case "open", "seal":
		nonce := unhex(r.Nonce)
		aead, err := xaes(unhex(r.Secret), nonce)
		if err != nil {
			return response{}, err
		}
		if r.Do == "seal" {
			return response{Bytes: hex.EncodeToString(aead.Seal(nil, nonce[12:], unhex(r.Payload), unhex(r.Context)))}, nil
		}
		opened, err := aead.Open(nil, nonce[12:], unhex(r.Payload), unhex(r.Context))
		return response{Bytes: hex.EncodeToString(opened)}, err
	}
	return response{}, errors.New("nothing to do")
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			panic(err)
		}
		result, err := answer(r)
		if err != nil {
			result = response{Error: err.Error()}
		}
		if err := out.Encode(result); err != nil {
			panic(err)
		}
	}
}
