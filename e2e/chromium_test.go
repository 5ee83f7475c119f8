//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/sys/unix"
)

// asChromium in the environment makes this program become Chromium.
const asChromium = "LOGSTREAM_E2E_AS_CHROMIUM"

// browser is a headless Chromium, or a failure that says how to install it.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("Chromium is not installed: make deps")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(self), chromedp.Env(asChromium+"="+path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(2*time.Minute))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if _, err := chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil { // this starts it
		t.Fatalf("start Chromium: %v", err)
	}
	// Only a page with the focus may copy.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	recorded(t, ctx)
	longer, _ := time.ParseDuration(os.Getenv("LOGSTREAM_FLEET_FOR")) // a soak
	ctx, cancel = context.WithTimeout(ctx, 15*time.Minute+longer)
	t.Cleanup(cancel)
	return ctx
}

// becomeChromium replaces this program by Chromium without netlink: it drops every
// connection when an address of this machine comes or goes, which is what starting
// a container is. Without netlink it does not notice that, and always
// considers the machine connected.
func becomeChromium(path string) error {
	runtime.LockOSThread()       // the filter is the thread's, and exec keeps it
	const number, family = 0, 16 // bytes into struct seccomp_data: the call, and the low half of its first argument
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
	}
	answer := func(value uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value} }
	filter := []unix.SockFilter{
		load(number), unless(unix.SYS_SOCKET, 3),
		load(family), unless(unix.AF_NETLINK, 1),
		answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)),
		answer(unix.SECCOMP_RET_ALLOW),
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fmt.Errorf("keep netlink from Chromium: %w", err)
	}
	if err := os.Unsetenv(asChromium); err != nil {
		return err
	}
	return fmt.Errorf("start %s: %w", path, syscall.Exec(path, append([]string{path}, os.Args[1:]...), os.Environ()))
}

// TestChromiumKeepsConnectionsWhenAnAddressChanges: an address of this machine
// appears and disappears while requests wait for a connection. Chromium opens six to one
// server.
func TestChromiumKeepsConnectionsWhenAnAddressChanges(t *testing.T) {
	t.Parallel()
	ip := func(args ...string) {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Errorf("ip %v: %v: %s", args, err, out)
		}
	}
	const name = "lse2e-chromium"
	var moves sync.Once
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/slow" {
			moves.Do(func() {
				ip("link", "add", name, "up", "type", "bridge")
				ip("addr", "add", "192.0.2.1/32", "dev", name) // of a network for documents
				ip("link", "del", name)
			})
			time.Sleep(time.Second) // within which Chromium, where it hears of it, drops what waits
		}
		fmt.Fprint(w, "whole")
	}))
	t.Cleanup(page.Close)
	ctx := browser(t)
	does(t, ctx, chromedp.Navigate(page.URL))
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`Promise.all(Array.from({length: 12}, (_, i) => fetch("/slow?" + i).then(r => r.text()))).then(all => [...new Set(all)].join(), String)`, chromedp.EvalAwaitPromise))
	if err != nil || got != "whole" {
		t.Errorf("the page was answered %q (%v)", got, err)
	}
	if !eval[bool](t, ctx, `navigator.onLine`) {
		t.Error("Chromium takes this machine for disconnected")
	}
}
