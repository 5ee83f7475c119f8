package docker

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"

	"logstream/internal/container"
)

func summary(name, state string, labels ...string) apicontainer.Summary {
	c := apicontainer.Summary{ID: "id-" + name, Names: []string{"/" + name}, State: state, Labels: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		c.Labels[labels[i]] = labels[i+1]
	}
	return c
}

func TestPick(t *testing.T) {
	member := func(name, state string, more ...string) apicontainer.Summary {
		return summary(name, state, append([]string{labelProject, "shop", labelService, "web"}, more...)...)
	}
	linked := summary("db", "running")
	linked.Names = []string{"/api/database", "/db"}
	tests := []struct {
		name  string
		ref   string
		among []apicontainer.Summary
		want  string   // name of the one; empty: none
		some  []string // candidates
	}{
		{"exact name", "web", []apicontainer.Summary{summary("web", "running"), summary("web2", "running")}, "web", nil},
		{"part of a name", "we", []apicontainer.Summary{summary("web", "running")}, "", nil},
		{"a link's name", "database", []apicontainer.Summary{linked}, "", nil},
		{"own name beside a link's", "db", []apicontainer.Summary{linked}, "db", nil},
		{"nothing", "web", nil, "", nil},
		{"empty", "", []apicontainer.Summary{{Names: []string{}}}, "", nil},
		{"half a service", "shop/", []apicontainer.Summary{summary("web", "running", labelProject, "shop")}, "", nil},
		{"a slash", "/", []apicontainer.Summary{summary("web", "running")}, "", nil},
		{"project and service", "shop/web", []apicontainer.Summary{member("shop-web-1", "exited")}, "shop-web-1", nil},
		{"another project", "mall/web", []apicontainer.Summary{member("shop-web-1", "running")}, "", nil},
		{"two replicas", "shop/web", []apicontainer.Summary{member("shop-web-2", "running"), member("shop-web-1", "running")}, "",
			[]string{"shop-web-1", "shop-web-2"}},
		{"beside a one-off", "shop/web", []apicontainer.Summary{member("shop-web-run-1", "running", labelOneOff, "True"), member("shop-web-1", "running", labelOneOff, "False")}, "shop-web-1", nil},
		{"beside its successor", "shop/web", []apicontainer.Summary{member("0123456789ab_shop-web-1", "created", labelReplace, "web-1"), member("shop-web-1", "running")}, "shop-web-1", nil},
		{"the successor in its place", "shop/web", []apicontainer.Summary{member("shop-web-1", "created", labelReplace, "web-1")}, "shop-web-1", nil},
		{"a successor that runs", "shop/web", []apicontainer.Summary{member("renamed", "running", labelReplace, "shop-web-1")}, "renamed", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := pick(test.ref, test.among)
			var ambiguous *container.AmbiguousError
			switch {
			case test.some != nil:
				if !errors.As(err, &ambiguous) || !slices.Equal(ambiguous.Candidates, test.some) || ambiguous.Ref != test.ref {
					t.Errorf("got %v, want the candidates %v of %q", err, test.some, test.ref)
				}
			case test.want == "":
				if !errors.Is(err, container.ErrNotFound) {
					t.Errorf("got %v and %v, want ErrNotFound", got.Names, err)
				}
			case err != nil || summaryName(got) != test.want:
				t.Errorf("got %v and %v, want %s", got.Names, err, test.want)
			}
		})
	}
}

func TestReplaces(t *testing.T) {
	now := time.Now()
	const id = "60ff9abc2dac65769f5c0d6ba21601bfbc06224374604208c98b01ae2bb2fd43"
	fresh := func(name, state, replaced string) apicontainer.Summary {
		c := summary(name, state, labelReplace, replaced)
		c.Created = now.Unix()
		return c
	}
	old := fresh("60ff9abc2dac_shop-web-1", "created", "web-1")
	old.Created = now.Add(-replaceWindow - time.Second).Unix()
	for _, test := range []struct {
		name string
		c    apicontainer.Summary
		want bool
	}{
		{"by its name", fresh("60ff9abc2dac_shop-web-1", "created", "web-1"), true},
		{"by its label", fresh("0123456789ab_other", "created", "shop-web-1"), true},
		{"of another", fresh("0123456789ab_shop-web-2", "created", "web-2"), false},
		{"of a former one of that name", fresh("0123456789ab_shop-web-1", "created", "web-1"), false},
		{"in its place already", fresh("shop-web-1", "created", "shop-web-1"), false},
		{"running", fresh("60ff9abc2dac_shop-web-1", "running", "web-1"), false},
		{"left by an aborted deployment", old, false},
		{"no label", summary("60ff9abc2dac_shop-web-1", "created"), false},
	} {
		if got := replaces(test.c, "shop-web-1", id, now); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestReplacedName(t *testing.T) {
	for _, test := range []struct{ name, label, want string }{
		{"60ff9abc2dac_payment-service", "payment-service", "payment-service"},
		{"e8ebc536d436_shop-worker-1", "worker-1", "shop-worker-1"},
		{"renamed", "worker-1", "worker-1"},
		{"e8ebc536d436_shop-worker-1", "", ""},
	} {
		if got := replacedName(test.name, test.label); got != test.want {
			t.Errorf("%s with the label %q replaces %q, want %q", test.name, test.label, got, test.want)
		}
	}
}

// Find requests little from the engine, and never lets it take a name for a
// pattern or for the beginning of an ID.
func TestFind(t *testing.T) {
	r := newReplay(t)
	const id = "57bdd467c4fea50c51562d0529ecb02429a2a54b014613475a3947e32adb6154"
	r.file(t, "GET", "/containers/json", "list-name")
	r.file(t, "GET", "/containers/"+id+"/json", "inspect-running")
	runtime := r.runtime(t)
	state, err := runtime.Find(t.Context(), "payment-service")
	if err != nil || state.ID != id {
		t.Errorf("Find gives %s and %v, want %s", state.ID, err, id)
	}
	if calls := r.calls("GET /containers/json?all=1&filters=%7B%22name%22%3A%7B%22%5E%2F%3Fpayment-service%24%22"); len(calls) != 1 {
		t.Errorf("asked %q, want the name as an anchored pattern", r.calls("GET"))
	}
	r.file(t, "GET", "/containers/json", "list-two")
	var ambiguous *container.AmbiguousError
	if _, err := runtime.Find(t.Context(), "shop/worker"); !errors.As(err, &ambiguous) || !slices.Equal(ambiguous.Candidates, []string{"shop-worker-1", "shop-worker-2"}) {
		t.Errorf("Find of a service with two containers gives %v, want both as candidates", err)
	}
	r.file(t, "GET", "/containers/json", "list-none")
	if _, err := runtime.Find(t.Context(), ".*"); !errors.Is(err, container.ErrNotFound) {
		t.Errorf("Find(.*) gives %v, want ErrNotFound", err)
	}
	if calls := r.calls("GET /containers/json?all=1&filters=%7B%22name%22%3A%7B%22%5E%2F%3F%5C%5C.%5C%5C%2A%24"); len(calls) != 1 {
		t.Errorf("asked %q, want the name quoted", r.calls("GET"))
	}
}

// While Compose recreates a service, the old container is the service's, and
// says by what it is being replaced.
func TestFindDuringRecreation(t *testing.T) {
	r := newReplay(t)
	const id = "60ff9abc2dac65769f5c0d6ba21601bfbc06224374604208c98b01ae2bb2fd43"
	_, _, body := recording(t, "list-service-replacing")
	var both []map[string]any
	if err := json.Unmarshal(body, &both); err != nil {
		t.Fatal(err)
	}
	for _, c := range both {
		c["Created"] = time.Now().Unix() // what is old is no announcement
	}
	r.on("GET", "/containers/json", func(w http.ResponseWriter, request *http.Request) {
		among := both
		if strings.Contains(request.URL.Query().Get("filters"), `"created"`) {
			among = both[:1]
		}
		_ = json.NewEncoder(w).Encode(among)
	})
	r.file(t, "GET", "/containers/"+id+"/json", "inspect-replaced")
	state, err := r.runtime(t).Find(t.Context(), "shop/payment")
	if err != nil || state.ID != id || state.Replacing != "0123456789ab_payment-service" {
		t.Errorf("Find gives %s, replaced by %q, and %v; want %s, replaced by 0123456789ab_payment-service", state.ID, state.Replacing, err, id)
	}
}
