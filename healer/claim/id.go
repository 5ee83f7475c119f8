package claim

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
)

// ids are Crockford's base 32 in small letters: short, and without letters that are easy to confuse.
var ids = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// incidentID is the n-th incident id under a claim: the same for the same claim, so
// that the world needs no randomness, and different for every other.
func incidentID(nonce string, n int) string {
	sum := sha256.Sum256([]byte(nonce + "/" + strconv.Itoa(n)))
	return ids.EncodeToString(sum[:5])
}
