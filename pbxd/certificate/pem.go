package certificate

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// Types of PEM blocks (RFC 7468 section 4, 10 and 11; the others are OpenSSL's).
const (
	blockCertificate = "CERTIFICATE"
	blockPKCS8       = "PRIVATE KEY"
	blockEncrypted   = "ENCRYPTED PRIVATE KEY"
	blockRSA         = "RSA PRIVATE KEY" // PKCS#1
	blockEC          = "EC PRIVATE KEY"  // SEC1, RFC 5915
	blockCurve       = "EC PARAMETERS"   // openssl ecparam writes it before the key
)

// readBlocks returns the PEM blocks of an upload. Text before a block is
// allowed (RFC 7468 section 5.2); a beginning without a readable block and
// text behind the last block are not: something is missing.
func readBlocks(text []byte, field Field, none string) ([]*pem.Block, error) {
	if len(text) > MaxSize {
		return nil, refuse(field, TooLarge, nil, templateTooLarge, "limit", MaxSize>>10)
	}
	var blocks []*pem.Block
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors write a byte order mark
	rest := text
	for {
		block, after := pem.Decode(rest)
		if block == nil {
			break
		}
		blocks, rest = append(blocks, block), after
	}
	begins := bytes.Count(text, []byte("-----BEGIN"))
	switch {
	case begins == 0:
		return nil, refuse(field, NotPEM, nil, none)
	case begins != len(blocks):
		return nil, refuse(field, NotPEM, nil, templateDamagedPEM)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, refuse(field, NotPEM, nil, templateTrailing)
	}
	return blocks, nil
}

// readChain returns the certificates of an upload in its order, each once.
func readChain(text []byte) ([]*x509.Certificate, error) {
	blocks, err := readBlocks(text, FieldCertificate, templateNoPEM)
	if err != nil {
		return nil, err
	}
	if len(blocks) > maxChain {
		return nil, refuse(FieldCertificate, WrongBlock, nil, templateTooMany, "count", len(blocks), "limit", maxChain)
	}
	var certs []*x509.Certificate
	seen := map[string]bool{}
	for i, b := range blocks {
		if b.Type != blockCertificate {
			return nil, refuse(FieldCertificate, WrongBlock, nil, templateBlock, "block", b.Type)
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, refuse(FieldCertificate, Unreadable, err, templateUnreadable, "number", i+1)
		}
		// Also before a signature is verified with it: that of a key of many
		// thousand bits takes seconds.
		if k, ok := c.PublicKey.(*rsa.PublicKey); ok && !usableKey(k) {
			return nil, refuse(FieldCertificate, KeyKind, nil, templateKeyKind, "kind", kindOf(k))
		}
		if !seen[string(c.Raw)] {
			certs = append(certs, c)
		}
		seen[string(c.Raw)] = true
	}
	return certs, nil
}

// readKey returns the one private key of an upload.
func readKey(text []byte) (crypto.Signer, error) {
	blocks, err := readBlocks(text, FieldKey, templateNoKeyPEM)
	if err != nil {
		return nil, err
	}
	var keys []*pem.Block
	for _, b := range blocks {
		switch b.Type {
		case blockPKCS8, blockRSA, blockEC:
			// RFC 1421 section 4.6.1.1, the form of old OpenSSL.
			if strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED") {
				return nil, refuse(FieldKey, Encrypted, nil, templateEncrypted)
			}
			keys = append(keys, b)
		case blockEncrypted:
			return nil, refuse(FieldKey, Encrypted, nil, templateEncrypted)
		case blockCurve:
		default:
			return nil, refuse(FieldKey, WrongBlock, nil, templateBlock, "block", b.Type)
		}
	}
	if len(keys) != 1 {
		return nil, refuse(FieldKey, WrongBlock, nil, templateKeys, "count", len(keys))
	}
	key, err := parseKey(keys[0])
	if err != nil {
		// What the parser says names fields, never their values.
		return nil, refuse(FieldKey, Unreadable, err, templateBadKey)
	}
	signer, ok := key.(crypto.Signer)
	if !ok || !usableKey(signer.Public()) {
		return nil, refuse(FieldKey, KeyKind, nil, templateKeyKind, "kind", kindOf(publicOf(key)))
	}
	return signer, nil
}

// parseKey reads a private key in the form that the block's type names, or in
// another: some programs write the wrong type. The error is of the form named.
func parseKey(b *pem.Block) (any, error) {
	forms := map[string]func([]byte) (any, error){
		blockRSA:   func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		blockEC:    func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
		blockPKCS8: x509.ParsePKCS8PrivateKey,
	}
	key, err := forms[b.Type](b.Bytes)
	for _, kind := range []string{blockPKCS8, blockRSA, blockEC} {
		if err == nil {
			break
		}
		if other, otherErr := forms[kind](b.Bytes); otherErr == nil {
			return other, nil
		}
	}
	return key, err
}

// publicOf returns the public half of a private key, or the key itself when it
// has none that can sign (X25519).
func publicOf(key any) any {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k.Public()
	case *ecdsa.PrivateKey:
		return k.Public()
	case crypto.Signer:
		return k.Public()
	}
	return key
}
