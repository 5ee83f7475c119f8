package redact

import (
	"encoding/json"
	"testing"
)

func TestJSON(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing to hide", `{"service":"web","code":200,"latency_ms":1.50,"ok":true,"none":null,"list":["a"]}`, `{"code":200,"latency_ms":1.50,"list":["a"],"none":null,"ok":true,"service":"web"}`},
		{"in a text", `{"error":"GET http://ann:hunter2@web: refused"}`, `{"error":"GET http://ann:***@web: refused"}`},
		{"by its name", `{"password":"hunter2","pw":"hunter2","api_key":["a1","a2"],"DB_PASSWORD":12345}`, `{"DB_PASSWORD":"***","api_key":["***","***"],"password":"***","pw":"***"}`},
		{"deep", `[{"args":{"secret":"x\"y"}}]`, `[{"args":{"secret":"***"}}]`},
		{"in a name", `{"password=hunter2":1}`, `{"password=***":1}`},
		{"large numbers stay", `{"n":12345678901234567890}`, `{"n":12345678901234567890}`},
		{"no markup is escaped", `{"t":"a <b> & c"}`, `{"t":"a <b> & c"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := JSON([]byte(tt.in))
			if err != nil || string(got) != tt.want || !json.Valid(got) {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
	if got, err := JSON([]byte(`{"a canary":["a canary \" b"]}`), `canary " b`, "a can"); err != nil || string(got) != `{"***ary":["a ***"]}` {
		t.Errorf("known secrets: got %s, %v", got, err)
	}
	if _, err := JSON([]byte("password=x")); err == nil {
		t.Error("what is not JSON passes")
	}
}
