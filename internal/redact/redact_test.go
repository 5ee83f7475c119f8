package redact

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing secret", "GET /pay 200 in 12 ms, token bucket is full", "GET /pay 200 in 12 ms, token bucket is full"},
		{"assignment", "connecting with password=hunter2 to db", "connecting with password=*** to db"},
		{"environment", "DB_PASSWORD=a,b exported", "DB_PASSWORD=***,b exported"},
		{"yaml", "api_key: 0123456789", "api_key: ***"},
		{"json", `{"access_token":"abc def","user":"x"}`, `{"access_token":***,"user":"x"}`},
		{"json with an escape", `{"secret":"a\"b","n":1}`, `{"secret":***,"n":1}`},
		{"single quotes", `passwd = 'with space' ok`, `passwd = *** ok`},
		{"address", "dial postgres://app:s3cr@t@db:5432/x?y=1", "dial postgres://app:***@db:5432/x?y=1"},
		{"address with a token in it", "GET https://x/y?token=abc&z=1", "GET https://x/y?token=***&z=1"},
		{"header", "Authorization: Bearer abcdef0123456789", "Authorization: ***"},
		{"header of another scheme", "Authorization: Token hunter2, then 401", "Authorization: ***, then 401"},
		{"header with a short value", "proxy-authorization: basic YTpi\nAccept: *", "proxy-authorization: ***\nAccept: *"},
		{"header in JSON", `{"Authorization":"Token hunter2","n":1}`, `{"Authorization":***,"n":1}`},
		{"signature of a cloud", "authorization=AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host", "authorization=***, SignedHeaders=host"},
		{"cookies", "Cookie: theme=dark; sid=hunter2; a=b\nHost: x", "Cookie: ***\nHost: x"},
		{"JSON within JSON", `{"msg":"{\"user\":\"x\",\"password\":\"hunter2\",\"n\":1}"}`, `{"msg":"{\"user\":\"x\",\"password\":***,\"n\":1}"}`},
		{"JSON within JSON within JSON", `{\\\"token\\\":\\\"hunter2\\\"}`, `{\\\"token\\\":***}`},
		{"JSON that is cut off", `{"user":"x","secret":"hunter2 and mo`, `{"user":"x","secret":***`},
		{"hash of Ruby", `{"password"=>"hunter2", :x=>1}`, `{"password"=>***, :x=>1}`},
		{"assignment of Go", `secret := "hunter2"`, `secret := ***`},
		{"compared", "token==hunter2", "token==***"},
		{"short names", "SMTP_PASS=hunter2 db-pass: hunter2 {user: 'x', pass: 'hunter2'}", "SMTP_PASS=*** db-pass: *** {user: 'x', pass: ***}"},
		{"shorter names", "login pw=hunter2 db_pw: hunter2 {pw: 'hun ter2', \"psw\":\"x y\"} GET /x?user=a&pw=hunter2&z=1", "login pw=*** db_pw: *** {pw: ***, \"psw\":***} GET /x?user=a&pw=***&z=1"},
		{"what only looks as short names", "pwm=3 npw: 4 pw-check: ok pwr=5 spw=1 raw_pwm=6", "pwm=3 npw: 4 pw-check: ok pwr=5 spw=1 raw_pwm=6"},
		{"in a query", "GET /blob?sv=2&sig=aB%2Fc%3D&se=1 and /in?sid=ab12&PASS=x#f /map?key=0123456789abcdef0", "GET /blob?sv=2&sig=***&se=1 and /in?sid=***&PASS=*** /map?key=***"},
		{"in a query that JSON or HTML wrote", `{"url":"https://x/blob?sv=2\u0026sig=aB%2Fc%3D"} <a href="/in?a=1&amp;sid=ab12">`, `{"url":"https://x/blob?sv=2\u0026sig=***"} <a href="/in?a=1&amp;sid=***">`},
		{"no secret in a query", "GET /items?key=42&page=3&design=a&sort=pass&code=404, key=0123456789abcdef0 sig=9 sid: 7", "GET /items?key=42&page=3&design=a&sort=pass&code=404, key=0123456789abcdef0 sig=9 sid: 7"},
		{"what only passes", "pass=3 fail=0, bypass: on, passing=2", "pass=3 fail=0, bypass: on, passing=2"},
		{"key of an account", "AccountKey=abc==;Endpoint=x encryption_key: hunter2", "AccountKey=***;Endpoint=x encryption_key: ***"},
		{"monkey", "monkey=1 key=abc sort_key: 7", "monkey=1 key=abc sort_key: 7"},
		{"address with a slash in its password", "dial mysql://app:sl/a?s#h@db:3306/x refused", "dial mysql://app:***@db:3306/x refused"},
		{"address with a port and an @ behind", "GET http://web:8080/of/a@b 200", "GET http://web:8080/of/a@b 200"},
		{"address with a token for a user", "clone https://0123456789abcdef0123@git.test/x as git", "clone https://***@git.test/x as git"},
		{"address with a user", "clone ssh://git@git.test/x", "clone ssh://git@git.test/x"},
		{"login without a scheme", "dial app:hunter2@tcp(db:3306)/x and ann:hunter2@db.test and amqp ann:hunter2@[::1]:5672", "dial app:***@tcp(db:3306)/x and ann:***@db.test and amqp ann:***@[::1]:5672"},
		{"no login", "web:1.25@sha256:0011 at 12:30:15@node git@git.test:x/y 10:20 a: b@c", "web:1.25@sha256:0011 at 12:30:15@node git@git.test:x/y 10:20 a: b@c"},
		{"signed address", "GET https://s3.test/x?X-Amz-Signature=0a1b&a=b", "GET https://s3.test/x?X-Amz-Signature=***&a=b"},
		{"bare bearer", "sent bearer abcdef0123456789", "sent bearer ***"},
		{"flag", "mysqld --password hunter2 --port 3306", "mysqld --password *** --port 3306"},
		{"flag of a compound word", "app --db-password hunter2", "app --db-password ***"},
		{"flag at the start", "-password hunter2", "-password ***"},
		{"no flag but a compound word", "WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS invalid username-password pair or user is disabled."},
		{"web token", "got eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc-_1 back", "got *** back"},
		{"key of a cloud", "using AKIAIOSFODNN7EXAMPLE now", "using *** now"},
		{"private key", "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb", "a\n***\nb"},
		{"private key that is cut off", "-----BEGIN PRIVATE KEY-----\nMIIE", "***"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.in); got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("password=hunter2 and more", "hunter2")
	f.Add("plain", "secret")
	f.Fuzz(func(t *testing.T, before, secret string) {
		if strings.ContainsAny(secret, " \t\n\v\f\r\"',;&)}]\\") || len(secret) < 12 || strings.ToValidUTF8(secret, "") != secret {
			return
		}
		for _, r := range secret {
			if r < '0' || r > 'z' {
				return
			}
		}
		got := Text("x password=" + secret)
		if strings.Contains(got, secret) {
			t.Errorf("Text left %q in %q", secret, got)
		}
		if again := Text(Text(before)); len(again) > 4*len(before)+64 {
			t.Errorf("masking twice grew %q to %q", before, again)
		}
	})
}
