package event

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
	"sync/atomic"
)

// SignatureHeader is the record header that carries a signature.
const SignatureHeader = "sig"

// Sign is hex(HMAC-SHA256(secret, topic ‖ 0x00 ‖ key ‖ 0x00 ‖ value)). An
// absent key is empty.
func Sign(secret []byte, topic string, key, value []byte) string {
	return hex.EncodeToString(mac(secret, topic, key, value))
}

// Verify says whether signature is Sign's for the rest, in constant time.
func Verify(secret []byte, topic string, key, value []byte, signature string) bool {
	given, err := hex.DecodeString(signature)
	return err == nil && hmac.Equal(given, mac(secret, topic, key, value))
}

func mac(secret []byte, topic string, key, value []byte) []byte {
	states := statesOf(secret)
	h := states.Get().(hash.Hash)
	defer states.Put(h)
	h.Reset()
	h.Write([]byte(topic))
	h.Write([]byte{0})
	h.Write(key)
	h.Write([]byte{0})
	h.Write(value)
	return h.Sum(nil)
}

// keyed are HMACs that begin with a secret: to make one costs more than to sign a
// record, and a start verifies a hundred thousand.
type keyed struct {
	secret []byte
	states sync.Pool
}

// lastKeyed is of the secret that was used last. A process has one.
var lastKeyed atomic.Pointer[keyed]

func statesOf(secret []byte) *sync.Pool {
	k := lastKeyed.Load()
	if k == nil || !bytes.Equal(k.secret, secret) {
		k = &keyed{secret: bytes.Clone(secret)}
		k.states.New = func() any { return hmac.New(sha256.New, k.secret) }
		lastKeyed.Store(k)
	}
	return &k.states
}
