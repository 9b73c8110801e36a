package mail

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	//lint:ignore SA1019 NTLM is made of it
	"golang.org/x/crypto/md4"
)

// stepwise is a SASL server made of one function for each message of the client.
type stepwise struct {
	steps []func(message []byte) (challenge []byte, done bool, err error)
}

func (s *stepwise) Next(message []byte) ([]byte, bool, error) {
	if len(s.steps) == 0 {
		return nil, false, errors.New("message after the end")
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	return step(message)
}

func plainServer(user, password string) sasl.Server {
	return sasl.NewPlainServer(func(_, u, p string) error {
		if u != user || p != password {
			return smtp.ErrAuthFailed
		}
		return nil
	})
}

func loginServer(user, password string) sasl.Server {
	given := ""
	return &stepwise{steps: []func([]byte) ([]byte, bool, error){
		func([]byte) ([]byte, bool, error) { return []byte("Username:"), false, nil },
		func(m []byte) ([]byte, bool, error) { given = string(m); return []byte("Password:"), false, nil },
		func(m []byte) ([]byte, bool, error) {
			if given != user || string(m) != password {
				return nil, false, smtp.ErrAuthFailed
			}
			return nil, true, nil
		},
	}}
}

// cramServer is CRAM-MD5 (RFC 2195).
func cramServer(user, password string) sasl.Server {
	challenge := "<1896.697170952@mail.test>"
	return &stepwise{steps: []func([]byte) ([]byte, bool, error){
		func([]byte) ([]byte, bool, error) { return []byte(challenge), false, nil },
		func(m []byte) ([]byte, bool, error) {
			mac := hmac.New(md5.New, []byte(password))
			mac.Write([]byte(challenge))
			if string(m) != fmt.Sprintf("%s %x", user, mac.Sum(nil)) {
				return nil, false, smtp.ErrAuthFailed
			}
			return nil, true, nil
		},
	}}
}

// scramServer is SCRAM-SHA-1 (RFC 5802). forged makes it answer with a
// signature that it could not make without the password.
func scramServer(user, password string, iterations int, forged bool) sasl.Server {
	salt, nonce := []byte("0123456789abcdef"), rand.Text()
	var clientBare, serverFirst, clientNonce string
	sum := func(key, text []byte) []byte {
		mac := hmac.New(sha1.New, key)
		mac.Write(text)
		return mac.Sum(nil)
	}
	return &stepwise{steps: []func([]byte) ([]byte, bool, error){
		func(m []byte) ([]byte, bool, error) { // no initial response: an empty challenge asks for it
			if len(m) != 0 {
				return nil, false, errors.New("unexpected initial response")
			}
			return nil, false, nil
		},
		func(m []byte) ([]byte, bool, error) {
			bare, ok := strings.CutPrefix(string(m), "n,,")
			name, rest, found := strings.Cut(bare, ",r=")
			if !ok || !found || name != "n="+user {
				return nil, false, smtp.ErrAuthFailed
			}
			clientBare, clientNonce = bare, rest
			serverFirst = fmt.Sprintf("r=%s%s,s=%s,i=%d", clientNonce, nonce, base64.StdEncoding.EncodeToString(salt), iterations)
			return []byte(serverFirst), false, nil
		},
		func(m []byte) ([]byte, bool, error) {
			final, proof64, ok := strings.Cut(string(m), ",p=")
			if !ok || final != "c=biws,r="+clientNonce+nonce {
				return nil, false, smtp.ErrAuthFailed
			}
			salted, err := pbkdf2.Key(sha1.New, password, salt, iterations, sha1.Size)
			if err != nil {
				return nil, false, err
			}
			text := []byte(clientBare + "," + serverFirst + "," + final)
			clientKey := sum(salted, []byte("Client Key"))
			stored := sha1.Sum(clientKey)
			signature := sum(stored[:], text)
			proof, err := base64.StdEncoding.DecodeString(proof64)
			if err != nil || len(proof) != len(signature) {
				return nil, false, smtp.ErrAuthFailed
			}
			for i := range proof {
				proof[i] ^= signature[i]
			}
			if !forged && !bytes.Equal(proof, clientKey) {
				return []byte("e=invalid-proof"), false, nil
			}
			server := sum(sum(salted, []byte("Server Key")), text)
			return []byte("v=" + base64.StdEncoding.EncodeToString(server)), false, nil
		},
		func([]byte) ([]byte, bool, error) { return nil, true, nil },
	}}
}

// ntlmServer checks an NTLMv2 response ([MS-NLMP] section 3.3.2).
func ntlmServer(domain, user, password string) sasl.Server {
	nonce := make([]byte, 8)
	rand.Read(nonce)
	return &stepwise{steps: []func([]byte) ([]byte, bool, error){
		func(m []byte) ([]byte, bool, error) {
			if !bytes.HasPrefix(m, []byte("NTLMSSP\x00\x01\x00\x00\x00")) {
				return nil, false, smtp.ErrAuthFailed
			}
			return ntlmChallenge(nonce), false, nil
		},
		func(m []byte) ([]byte, bool, error) {
			if err := checkNTLM(m, nonce, domain, user, password); err != nil {
				return nil, false, smtp.ErrAuthFailed
			}
			return nil, true, nil
		},
	}}
}

// ntlmChallenge is a CHALLENGE_MESSAGE ([MS-NLMP] section 2.2.1.2).
func ntlmChallenge(nonce []byte) []byte {
	target := utf16le("MAIL")
	var info []byte
	for _, pair := range []struct {
		id   uint16
		text string
	}{{2, "MAIL"}, {1, "SERVER"}, {4, "mail.test"}, {0, ""}} {
		value := utf16le(pair.text)
		info = binary.LittleEndian.AppendUint16(info, pair.id)
		info = binary.LittleEndian.AppendUint16(info, uint16(len(value)))
		info = append(info, value...)
	}
	const header = 48
	b := []byte("NTLMSSP\x00\x02\x00\x00\x00")
	b = appendField(b, len(target), header)
	b = binary.LittleEndian.AppendUint32(b, 0x00000001|0x00000200|0x00800000) // unicode, NTLM, target info
	b = append(b, nonce...)
	b = append(b, make([]byte, 8)...)
	b = appendField(b, len(info), header+len(target))
	return slices.Concat(b, target, info)
}

func appendField(b []byte, length, offset int) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	return binary.LittleEndian.AppendUint32(b, uint32(offset))
}

func utf16le(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// checkNTLM computes the NTLMv2 proof of an AUTHENTICATE_MESSAGE ([MS-NLMP]
// section 2.2.1.3) from the password and compares.
func checkNTLM(m, nonce []byte, domain, user, password string) error {
	if len(m) < 64 || !bytes.HasPrefix(m, []byte("NTLMSSP\x00\x03\x00\x00\x00")) {
		return errors.New("no AUTHENTICATE_MESSAGE")
	}
	field := func(at int) []byte {
		n, off := int(binary.LittleEndian.Uint16(m[at:])), int(binary.LittleEndian.Uint32(m[at+4:]))
		if off+n > len(m) {
			return nil
		}
		return m[off : off+n]
	}
	response := field(20)
	if len(response) < 44 || !bytes.Equal(field(28), utf16le(domain)) || !bytes.Equal(field(36), utf16le(user)) {
		return errors.New("wrong user or no NTLMv2 response")
	}
	hash := md4.New()
	hash.Write(utf16le(password))
	key := hmac.New(md5.New, hash.Sum(nil))
	key.Write(utf16le(strings.ToUpper(user) + domain))
	proof := hmac.New(md5.New, key.Sum(nil))
	proof.Write(nonce)
	proof.Write(response[16:])
	if !hmac.Equal(proof.Sum(nil), response[:16]) {
		return errors.New("wrong proof")
	}
	return nil
}

// xoauthServer accepts the access token that good names. A refusal is told as
// Google and Microsoft do: a challenge with JSON, then 535.
func xoauthServer(user string, good func() string) sasl.Server {
	return &stepwise{steps: []func([]byte) ([]byte, bool, error){
		func(m []byte) ([]byte, bool, error) {
			if string(m) == "user="+user+"\x01auth=Bearer "+good()+"\x01\x01" {
				return nil, true, nil
			}
			return []byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.test/"}`), false, nil
		},
		func([]byte) ([]byte, bool, error) { return nil, false, smtp.ErrAuthFailed },
	}}
}
