package process_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"logstream/internal/container"
	"logstream/internal/container/containertest"
	"logstream/internal/process"
)

func TestConformance(t *testing.T) {
	containertest.Exercise(t, func(t *testing.T) containertest.Fixture {
		at := address(t)
		r, _ := run(t,
			process.Child{Name: "plain-service", Args: []string{"plain-service", at}, Env: atOnce, StopTimeout: 5 * time.Second},
			process.Child{Name: "stubborn-service", Args: []string{"stubborn"}, Env: atOnce, StopTimeout: time.Second})
		eventually(t, "the service answers", func() bool { return code(at) == http.StatusOK })
		other := find(t, r, "stubborn-service")
		eventually(t, "the stubborn service is ready", func() bool {
			lines, err := r.Logs(t.Context(), other.ID, 1)
			return err == nil && len(lines) == 1 && lines[0].Text == "ready"
		})
		return containertest.Fixture{
			Runtime: r, Injector: process.NewInjector(r), Name: "plain-service", URL: "http://" + at + "/", StopSignal: "15", Stubborn: "stubborn-service",
			Unsupported: unsupported(),
			Exit: func(t *testing.T, code int) {
				// It exits instead of answering.
				_, _ = http.Post(fmt.Sprintf("http://%s/exit?code=%d", at, code), "", nil)
			},
			Say: func(t *testing.T, text string) {
				response, err := http.Post("http://"+at+"/say", "text/plain", strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
			},
		}
	})
}

// unsupported are the calls that child processes lack, here and off Linux.
func unsupported() []string {
	lacks := []string{"Connect", "Disconnect", "SetMemory", "Specification", "Recreate", "Restore"}
	if runtime.GOOS != "linux" {
		lacks = append(lacks, "Stats", "Processes")
	}
	return lacks
}

func TestKnowsTheFaultsOfTheDemo(t *testing.T) {
	r, _ := run(t, demo("payment-service", address(t)))
	for _, fault := range process.NewInjector(r).Faults("payment-service") {
		if _, known := container.FaultNamed(fault); !known {
			t.Errorf("nothing explains the fault %q", fault)
		}
	}
	if got := len(process.NewInjector(r).Faults("payment-service")); got != 12 {
		t.Errorf("it knows %d faults, want 12", got)
	}
	if got := process.NewInjector(r).Faults("else"); got != nil {
		t.Errorf("it knows %v of a child that there is none", got)
	}
}
