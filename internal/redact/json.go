package redact

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// JSON is a JSON value with what looks like a secret, and each of those that are
// known, masked in every text of it: by what the text is, and by the name under
// which it stands. What is not JSON is an error.
func JSON(value []byte, secrets ...string) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(masked("", v, secrets)); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// masked is a value that stands under a name.
func masked(name string, v any, secrets []string) any {
	switch v := v.(type) {
	case string:
		return Known(text(name, v), secrets...)
	case json.Number:
		if text(name, v.String()) == Mask {
			return Mask
		}
		return v
	case []any:
		for i := range v {
			v[i] = masked(name, v[i], secrets)
		}
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[Known(Text(key), secrets...)] = masked(key, inner, secrets)
		}
		return out
	}
	return v
}

// text is a text that stands under a name: masked whole where the rules would
// mask it behind that name.
func text(name, s string) string {
	if s == "" {
		return s
	}
	if named := name + ": " + strconv.Quote(s); strings.HasSuffix(Text(named), ": "+Mask) {
		return Mask
	}
	return Text(s)
}
