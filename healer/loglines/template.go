package loglines

import "hash/fnv"

// Template is a message without what differs between two occurrences of it: each
// word with a digit in it (numbers, times, addresses, ids) is one mark. A line of
// an access log is its status only.
func Template(body string) string {
	if status := accessStatus(body); status != "" {
		return "access " + status[:1]
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		if n := uuid(body[i:]); n > 0 {
			out, i = append(out, '#'), i+n
			continue
		}
		end, masked := i, false
		for end < len(body) && isWord(body[end]) {
			masked = masked || isDigit(body[end])
			end++
		}
		switch {
		case end == i:
			out, i = append(out, body[i]), i+1
			continue
		case masked:
			out = append(out, '#')
		default:
			out = append(out, body[i:end]...)
		}
		i = end
	}
	return string(out)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isWord(c byte) bool  { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }

// uuid is how long the UUID is that s begins with, or 0: its groups may have no
// digit.
func uuid(s string) int {
	const length = 36
	if len(s) < length {
		return 0
	}
	for i := range length {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return 0
		}
	}
	return length
}

// keyOf is a message's template as the memory keeps it. The weight belongs to it:
// the same words at another level, or another kind of answer, are news.
func keyOf(body string, w weight) uint64 {
	h := fnv.New64a()
	h.Write([]byte{byte(w + 1)})
	h.Write([]byte(Template(body))) // neither ever fails
	return h.Sum64()
}
