package check

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"logstream/internal/nearest"
	"logstream/internal/service"
)

// queryKey is a key that a kind's url may have in its query, and its values;
// none: the kind checks them itself.
type queryKey struct {
	name   string
	values []string
}

// urlProblems are what is wrong with a url: no host, a port that there is not,
// a query that its kind of check does not know. A mistyped key would otherwise
// be without effect.
func urlProblems(u *url.URL, known ...queryKey) []service.Problem {
	if u.Hostname() == "" {
		return urlProblem(u, "names no host")
	}
	return slices.Concat(portProblems(u), queryProblems(u, known...))
}

func portProblems(u *url.URL) []service.Problem {
	if n, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || n == 0) {
		return urlProblem(u, "has the port "+u.Port()+"; ports are 1 to 65535")
	}
	return nil
}

func queryProblems(u *url.URL, known ...queryKey) []service.Problem {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return urlProblem(u, "has a query that cannot be read")
	}
	var all []service.Problem
	names := make([]string, len(known))
	for i, key := range known {
		names[i] = key.name
		if value := query.Get(key.name); query.Has(key.name) && key.values != nil && !slices.Contains(key.values, value) {
			all = append(all, service.Problem{Key: "url", Value: service.MaskURL(u.String()), Suggestion: nearest.Of(value, key.values),
				Message: fmt.Sprintf("has an unknown %s; use one of %s", key.name, strings.Join(key.values, ", "))})
		}
	}
	for name := range query {
		switch {
		case slices.Contains(names, name):
		case len(names) == 0:
			all = append(all, urlProblem(u, fmt.Sprintf("has a query, and %s:// takes none", u.Scheme))...)
		default:
			all = append(all, service.Problem{Key: "url", Value: service.MaskURL(u.String()), Suggestion: nearest.Of(name, names),
				Message: fmt.Sprintf("has a key in its query that %s:// does not take; it takes %s", u.Scheme, strings.Join(names, ", "))})
		}
	}
	return all
}

// urlProblem is one, which shows the url without its secrets.
func urlProblem(u *url.URL, message string) []service.Problem {
	return []service.Problem{{Key: "url", Value: service.MaskURL(u.String()), Message: message}}
}
