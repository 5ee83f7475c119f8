//go:build e2e

// Command picture records docs/repair.gif and docs/incident.png: the demo in Chromium,
// from the click on Kill to the verified repair, and that incident's page. It is run by
// hand, with make picture, when the page has changed.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	width, height = 1200, 800 // of the recording: the buttons of a card are in view
	wide, tall    = 1280, 1180
	biggest       = 800_000                // bytes of the recording
	between       = 200 * time.Millisecond // of two frames
	longest       = 40 * time.Second       // of the recording
	read          = 2 * time.Second        // for which the dialog is shown
	last          = 2 * time.Second        // for which the end is shown
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: picture REPAIR.gif INCIDENT.png")
	}
	if err := record(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func record(moving, incident string) error {
	page, stop, err := demo()
	if err != nil {
		return err
	}
	defer stop()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	const up = `document.querySelectorAll('[data-service][data-status=UP]').length >= 3`
	if _, err := chromedp.Run(ctx, chromedp.Steps(chromedp.EmulateViewport(width, height), chromedp.Navigate(page))); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](up, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		return fmt.Errorf("the demo's services are not UP: %w", err)
	}
	var a animation
	take := func() error {
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		a.add(shot, time.Now())
		return nil
	}
	if err := take(); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Click(`.card[data-service="payment-service"] [data-fault="kill"]`)); err != nil {
		return err
	}
	for opened := time.Now(); time.Since(opened) < read; time.Sleep(between) {
		if err := take(); err != nil {
			return err
		}
	}
	if _, err := chromedp.Run(ctx, chromedp.Click(`dialog[open] [type="submit"]`)); err != nil {
		return err
	}
	const resolved = `fetch('api/v1/incidents?service=payment-service').then(r => r.json()).then(all => all.length > 0 && all[0].state === 'resolved')`
	var ended time.Time
	for began := time.Now(); ; time.Sleep(between) {
		if err := take(); err != nil {
			return err
		}
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](resolved, chromedp.EvalAwaitPromise))
		if err != nil {
			return err
		}
		if is && ended.IsZero() {
			ended = time.Now()
		}
		if !ended.IsZero() && time.Since(ended) > last {
			break
		}
		if time.Since(began) > longest {
			return fmt.Errorf("no repair within %s", longest)
		}
	}
	if err := still(ctx, incident); err != nil { // first, for the lane shows the incident for a minute
		return err
	}
	if err := a.write(moving); err != nil {
		return err
	}
	written, err := os.Stat(moving)
	if err == nil && written.Size() > biggest {
		err = fmt.Errorf("%s has %d bytes, and may have %d", moving, written.Size(), biggest)
	}
	return err
}

// still takes the page of the incident that the lane shows.
func still(ctx context.Context, path string) error {
	const shown = `document.querySelectorAll(".tl > li").length >= 6 && document.fonts.status === "loaded"`
	if _, err := chromedp.Run(ctx, chromedp.Steps(chromedp.EmulateViewport(wide, tall), chromedp.Click(".lane h2 a"))); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](shown, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		return fmt.Errorf("the incident's page is not shown: %w", err)
	}
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(path, shot, 0o644)
}

// demo runs the demo, and returns the address of its dashboard.
func demo() (page string, stop func(), err error) {
	cmd := exec.Command("go", "run", ".", "run", "--demo")
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		_ = cmd.Wait()
	}
	printed := regexp.MustCompile(`Dashboard\s+(http://127\.0\.0\.1:\d+)`)
	var said bytes.Buffer
	for buffer := make([]byte, 4096); ; {
		n, err := out.Read(buffer)
		said.Write(buffer[:n])
		if found := printed.FindSubmatch(said.Bytes()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }() // what is printed later must not block it
			return string(found[1]) + "/", stop, nil
		}
		if err != nil {
			stop()
			return "", nil, fmt.Errorf("the demo printed no address: %w", err)
		}
	}
}
