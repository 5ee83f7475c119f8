package check

import (
	"strings"
	"testing"

	"logstream/internal/event"
	"logstream/internal/service"
)

func TestURLsOfEachKindAreValidated(t *testing.T) {
	for url, wrong := range map[string]string{ // what is said of it; empty: nothing
		"dns://127.0.0.1:53/shop.test?type=A":    "",
		"dns://127.0.0.1/shop.test?type=caa":     "",
		"dns:///shop.test":                       "",
		"dns://127.0.0.1":                        "has no valid domain name",
		"dns://127.0.0.1/a..b":                   "has no valid domain name",
		"dns://127.0.0.1/shop.test?type=AAAAA":   "unknown type of record",
		"dns://127.0.0.1/shop.test?typ=A":        "has a key in its query that dns:// does not take; it takes type",
		"dns://ann:s3cret@127.0.0.1/shop.test":   "has a user",
		"dns://127.0.0.1:99999/shop.test":        "ports are 1 to 65535",
		"icmp://shop.test":                       "",
		"icmp://[::1]":                           "",
		"icmp://shop.test:80":                    "has a port",
		"icmp://shop.test/health":                "more than a host",
		"icmp://":                                "names no host",
		"grpc://shop.test:50051/shop.Cart":       "",
		"grpc://ann:s3cret@shop.test:50051":      "use request.bearer",
		"grpc://shop.test:50051?service=s3cret":  "has a query, and grpc:// takes none",
		"postgres://ann:s3cret@shop.test/shop":   "",
		"postgresql://ann@shop.test":             "",
		"postgres://ann@/shop":                   "names no host",
		"postgres://shop.test/shop":              "has no user",
		"postgres://ann:s3cret@shop.test/a/b":    "not the name of one database",
		"postgres://ann@h/?sslmode=verify-ful":   "unknown sslmode; use one of disable, prefer, require, verify-full",
		"postgres://ann@h/?passfile=/etc/passwd": "does not take",
		"mysql://ann:s3cret@shop.test:3306/shop": "",
		"mariadb://ann@shop.test?tls=true":       "",
		"mysql://shop.test/shop":                 "has no user",
		"mysql://ann@shop.test/?tls=yes":         "unknown tls",
		"mysql://ann@shop.test/?allowAllFiles=1": "does not take",
		"redis://shop.test":                      "",
		"rediss://ann:s3cret@shop.test/3":        "",
		"redis://shop.test/shop":                 "not the number of a database",
		"redis://shop.test/03":                   "not the number of a database",
		"redis://ann@shop.test":                  "has no password",
		"kafka://shop.test:9092/orders":          "",
		"kafka://shop.test/a/b":                  "not the name of one topic",
		"kafka://ann:s3cret@shop.test":           "does not log in",
		"kafka://:9092":                          "names no host",
		"disk:///":                               "",
		"disk:///var/lib?free=10%":               "",
		"disk:///var/lib?free=10%&inodes=5%":     "",
		"disk:///var/lib?free=5GiB&inodes=1000":  "",
		"disk:///var/lib?free=1.5TB":             "",
		"disk://var/lib":                         "with three slashes",
		"disk:///var/lib?free=much":              "use a percentage such as 10% or a size",
		"disk:///var/lib?free=100%":              "use a percentage",
		"disk:///var/lib?free=-5%":               "use a percentage",
		"disk:///var/lib?free=NaN%":              "use a percentage",
		"disk:///var/lib?inodes=5GiB":            "use a percentage such as 10% or a number",
		"disk:///var/lib?fre=10%":                "does not take; it takes free, inodes",
	} {
		problems := Problems(service.Definition{URL: url})
		switch {
		case wrong == "" && problems != nil, wrong != "" && len(problems) != 1:
			t.Errorf("%s has the problems %+v, want %q", url, problems, wrong)
		case wrong == "":
		case problems[0].Key != "url" || !strings.Contains(problems[0].Message, wrong):
			t.Errorf("%s has the problem %+v, want %q", url, problems[0], wrong)
		case strings.Contains(problems[0].Message+problems[0].Value+problems[0].Suggestion, "s3cret"):
			t.Errorf("%+v shows a secret", problems[0])
		}
	}
}

// TestEveryKindHasAnExampleWithoutProblems: the examples are shown to people.
func TestEveryKindHasAnExampleWithoutProblems(t *testing.T) {
	for _, kind := range Kinds {
		if found, is := Of(kind.Example); !is || found.Name != kind.Name {
			t.Errorf("the example %s of %s is of the kind %q", kind.Example, kind.Name, found.Name)
		}
		if problems := Problems(service.Definition{URL: kind.Example}); problems != nil {
			t.Errorf("the example %s has the problems %v", kind.Example, problems)
		}
	}
}

// FuzzProblems: whatever the url is, its problems do not show its password, and
// where there are none the check is made.
func FuzzProblems(f *testing.F) {
	for _, kind := range Kinds {
		f.Add(strings.Replace(kind.Example, "password", canary, 1))
	}
	f.Add("redis://:" + canary + "@h:port/")
	f.Add("postgres://ann:" + canary + "/@h/?sslmode=%zz")
	f.Fuzz(func(t *testing.T, url string) {
		def := service.Default()
		def.Name, def.URL = "pay", url
		problems := Problems(def)
		hidden := !strings.Contains(service.MaskURL(url), canary)
		for _, p := range problems {
			if hidden && strings.Contains(p.Message+p.Value+p.Suggestion, canary) {
				t.Fatalf("%q has the problem %+v", url, p)
			}
		}
		if kind, is := Of(url); is && problems == nil {
			kind.New(def, Env{}).Close()
		}
	})
}

// TestDiscreetChecksHideTheAnswer is for definitions that came over the
// network: who sent one does not learn what a server of ours says.
func TestDiscreetChecksHideTheAnswer(t *testing.T) {
	const inside = "7.0.15-internal"
	redis := redisServer(t, func([]string) string { return "-BUSY " + inside })
	mysql := mysqlServer(t, mysqlError(0, 1040, inside))
	postgres := postgresServer(t, sqlError("FATAL", "57P03"), nil)
	names := nameServer(t, zone("shop.test. 60 TXT "+inside))
	for url, failure := range map[string]event.Failure{
		"redis://" + redis:                          event.FailureAnswer,
		"mysql://ann@" + mysql + "/":                event.FailureAnswer,
		"postgres://ann:" + inside + "@" + postgres: event.FailureAnswer,
		"dns://" + names + "/shop.test?type=TXT":    event.FailureAnswer,
	} {
		kind, _ := Of(url)
		checker := kind.New(definitionOf(t, url, func(d *service.Definition) { d.Expect.Body = "^never$" }), Env{Detail: true, Discreet: true})
		seen := checker.Check(t.Context())
		checker.Close()
		sees(t, seen, event.Down, failure, "")
		for _, line := range append(seen.Detail, Detail{"error", seen.Error}) {
			if strings.Contains(line.Value, inside) || strings.Contains(line.Value, "Password") {
				t.Errorf("%s: %q shows the answer", kind.Name, line)
			}
		}
	}
}
