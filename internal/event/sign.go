package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(topic))
	h.Write([]byte{0})
	h.Write(key)
	h.Write([]byte{0})
	h.Write(value)
	return h.Sum(nil)
}
