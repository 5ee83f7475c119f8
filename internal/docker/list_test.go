package docker

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/docker/go-connections/nat"

	"logstream/internal/container"
)

func TestList(t *testing.T) {
	r := newReplay(t)
	r.on("GET", "/containers/json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `[
			{"Id":"2","Names":["/web/db","/shop-web-2"],"State":"running","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web",
				"com.docker.compose.container-number":"2","com.docker.compose.oneoff":"False",
				"com.docker.compose.depends_on":"db:service_healthy:false,init:service_completed_successfully:true,cache:service_started:false",
				"logstream.url":"http://localhost:8080","maintainer":"ann"}},
			{"Id":"1","Names":["/plain"],"State":"exited","Labels":{"com.docker.compose.container-number":"7"}},
			{"Id":"3","Names":["/shop-web-run-1"],"State":"running","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web","com.docker.compose.oneoff":"True"}},
			{"Id":"4","Names":["/0123456789ab_shop-web-2"],"State":"created","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web",
				"com.docker.compose.container-number":"70000"}},
			{"Id":"5","Names":[],"State":"removing"}]`)
	})
	got, err := r.runtime(t).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	none := map[string]string{}
	want := []container.Listed{
		{Name: "0123456789ab_shop-web-2", ID: "4", Status: container.Created, Labels: none, Project: "shop", Service: "web", Temporary: true},
		{Name: "plain", ID: "1", Status: container.Exited, Labels: none},
		{Name: "shop-web-2", ID: "2", Status: container.Running, Labels: map[string]string{"logstream.url": "http://localhost:8080"},
			Project: "shop", Service: "web", Number: 2, DependsOn: []string{"db", "cache"}},
		{Name: "shop-web-run-1", ID: "3", Status: container.Running, Labels: none, Project: "shop", Service: "web", Temporary: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestLabelsAreBounded(t *testing.T) {
	all := map[string]string{"other": "x", "logstream.note": strings.Repeat("x", 10*maxLabel)}
	for i := range 10 * maxLabels {
		all[fmt.Sprintf("logstream.x%d", i)] = "y"
	}
	own := ownLabels(all)
	if len(own) != maxLabels || own["other"] != "" || len(own["logstream.note"]) > maxLabel {
		t.Errorf("%d labels are kept, one of %d bytes", len(own), len(own["logstream.note"]))
	}
	if n := len(dependsOn(strings.Repeat("a,", 10*maxNeeded))); n > maxNeeded {
		t.Errorf("%d services are needed", n)
	}
}

func TestPublishedPorts(t *testing.T) {
	bindings := nat.PortMap{
		"9090/tcp": {{HostPort: "19090"}},
		"53/udp":   {{HostPort: "53"}},
		"80/tcp":   {{HostIP: "0.0.0.0", HostPort: "8080"}, {HostIP: "::", HostPort: "8080"}},
		"443/tcp":  {{HostIP: "127.0.0.1", HostPort: "8443"}},
		"444/tcp":  {{HostIP: "192.0.2.7", HostPort: "8444"}},
		"8000/tcp": {{HostPort: ""}, {HostPort: "0"}, {HostPort: "8000-8010"}},
		"8001/tcp": nil,
	}
	for host, want := range map[string][]string{
		"unix:///var/run/docker.sock": {"127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8443", "192.0.2.7:8444", "127.0.0.1:19090"},
		"tcp://10.0.0.5:2376":         {"10.0.0.5:8080", "10.0.0.5:8080", "192.0.2.7:8444", "10.0.0.5:19090"},
	} {
		if got := publishedAt(bindings, engineAddress(host)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", host, got, want)
		}
	}
}

func TestPorts(t *testing.T) {
	r := newReplay(t)
	r.on("GET", "/containers/x/json", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Id":"x","State":{"Status":"exited"},"Config":{},"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]}}}`)
	})
	runtime := r.runtime(t)
	if got, err := runtime.Ports(t.Context(), "x"); err != nil || !slices.Equal(got, []string{"127.0.0.1:8080"}) {
		t.Errorf("got %v and the error %v, want one address of this machine", got, err)
	}
	runtime.self = "0123456789ab"
	if got, err := runtime.Ports(t.Context(), "x"); err != nil || len(got) > 0 {
		t.Errorf("from within a container: got %v and the error %v, want none", got, err)
	}
}
