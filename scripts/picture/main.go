//go:build e2e

// Command picture records docs/repair.gif: the demo in Chromium, from the click on
// Kill to the verified repair. It is run by hand, with make picture, when the page
// has changed.
package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
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
	width, height = 1080, 760
	between       = 250 * time.Millisecond // of two frames
	longest       = 40 * time.Second       // of the recording
	read          = 2 * time.Second        // for which the dialog is shown
	last          = 2 * time.Second        // for which the end is shown
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: picture FILE.gif")
	}
	if err := record(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func record(path string) error {
	page, stop, err := demo()
	if err != nil {
		return err
	}
	defer stop()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	const up = `document.querySelectorAll('[data-service][data-status=UP]').length >= 3`
	if _, err := chromedp.Run(ctx, chromedp.Navigate(page)); err != nil {
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
		frame, err := png.Decode(bytes.NewReader(shot))
		if err != nil {
			return err
		}
		a.add(frame, time.Now())
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
	return a.write(path)
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
