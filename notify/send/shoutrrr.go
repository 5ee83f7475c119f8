package send

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"logstream/internal/nearest"
	"logstream/internal/supervise"
)

// maxBehind is how many sends that hang may be left behind.
const maxBehind = 4

// ntfyActions is how many buttons ntfy takes.
const ntfyActions = 3

// viaShoutrrr sends through a service of shoutrrr.
type viaShoutrrr struct {
	url    string
	kind   string
	given  url.Values // settings of the operator's own, which are not changed
	behind chan struct{}
}

// excluded are services that send nothing to anyone, or that we have a way for.
var excluded = []string{"logger", "telegram", "xmpp"}

func newShoutrrr(address string, u *url.URL) (*viaShoutrrr, error) {
	kind, _, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	s := &viaShoutrrr{address, kind, u.Query(), make(chan struct{}, maxBehind)}
	known := append(slices.DeleteFunc((&router.ServiceRouter{}).ListServices(), func(name string) bool { return slices.Contains(excluded, name) }), "telegram", "https")
	slices.Sort(known)
	if !slices.Contains(known, kind) {
		why := fmt.Sprintf("begins with an unknown kind of receiver; use one of %s", strings.Join(known, ", "))
		if near := nearest.Of(kind, known); near != "" {
			why = fmt.Sprintf("begins with an unknown kind of receiver; did you mean %s://?", near)
		}
		return nil, errors.New(why)
	}
	if _, err := s.service(); err != nil {
		why := fmt.Sprintf("is not a valid url of %s", kind) // shoutrrr does not say why
		if examples[kind] == "" {
			why += "; the form of its urls is at https://shoutrrr.nickfedor.com"
		}
		return nil, errors.New(why)
	}
	return s, nil
}

// innermost is the part of an error that says what is wrong.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// service is a new one for each message: services keep the settings of the last.
func (s *viaShoutrrr) service() (types.Service, error) {
	var locator router.ServiceRouter
	locator.SetLogger(log.New(io.Discard, "", 0)) // it would log addresses
	service, err := locator.Locate(s.url)
	if err != nil {
		return nil, err
	}
	_, own := s.given["disabletlsverification"] // of its client
	if takes, is := service.(interface{ SetHTTPClient(*http.Client) }); is && !own {
		takes.SetHTTPClient(client)
	}
	return service, nil
}

// once has Discord's service try once, within ctx: it would repeat by itself, for
// longer than a message may take, and send twice.
type once struct {
	ctx    context.Context
	failed error
}

var errGivenUp = errors.New("no further attempt")

// Do is discord.HTTPClient's.
func (o *once) Do(request *http.Request) (*http.Response, error) {
	if o.failed == nil {
		response, err := client.Do(request.WithContext(o.ctx))
		switch {
		case err != nil:
			o.failed = reached(err)
		case response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500:
			response.Body.Close()
			o.failed = refusal{status: response.StatusCode}
		default:
			return response, nil
		}
	}
	return nil, errGivenUp
}

// titled are the services that have a title beside the text.
var titled = []string{"bark", "discord", "gotify", "ifttt", "join", "lark", "mattermost", "matrix", "ntfy", "pushbullet", "pushover", "slack", "smtp", "teams"}

// prepare is the text and the settings of a message.
func (s *viaShoutrrr) prepare(m Message) (string, *types.Params) {
	params := types.Params{}
	set := func(key, value string) {
		if _, is := s.given[key]; !is && value != "" {
			params[key] = value
		}
	}
	if !slices.Contains(titled, s.kind) {
		return m.whole(), &params
	}
	set("title", m.Title)
	links := m.Actions
	switch s.kind {
	case "smtp":
		delete(params, "title")
		if _, is := s.given["subject"]; !is {
			params["subject"] = mime.QEncoding.Encode("utf-8", m.Title)
		}
	case "discord":
		set("splitLines", "no") // else each line is an item, and ten of them a message
	case "ntfy":
		buttons := m.Actions[:min(len(m.Actions), ntfyActions)]
		links = m.Actions[len(buttons):]
		var all []string
		for _, a := range buttons {
			all = append(all, fmt.Sprintf("view, %s, %s, clear=true", a.Label, a.URL))
		}
		set("actions", strings.Join(all, ";"))
		set("click", m.Click)
		m.Click = ""
		switch {
		case m.Urgent:
			set("priority", "high")
		case m.Quiet:
			set("priority", "low")
		}
	}
	body := m.body(links)
	if body == "" {
		body = m.Title // some refuse an empty text
	}
	return body, &params
}

func (s *viaShoutrrr) send(ctx context.Context, m Message) error {
	service, err := s.service()
	if err != nil {
		return innermost(err)
	}
	select {
	case s.behind <- struct{}{}:
	default:
		return fmt.Errorf("%d earlier messages still wait for its answer", maxBehind)
	}
	tries := &once{ctx: ctx}
	if of, is := service.(*discord.Service); is {
		of.HTTPClient = tries
	}
	body, params := s.prepare(m)
	done := make(chan error, 1)
	var alone errgroup.Group
	supervise.Go(ctx, &alone, "notification", func(context.Context) (err error) {
		defer func() { <-s.behind }()
		defer func() {
			if value := recover(); value != nil {
				err = fmt.Errorf("the library that sends to it failed: %v", value)
			}
			done <- err
		}()
		err = service.Send(body, params)
		if tries.failed != nil {
			err = tries.failed
		}
		return err
	})
	select {
	case err := <-done:
		if err != nil {
			return reached(err)
		}
		return nil
	case <-ctx.Done():
		return errors.New("did not answer in time")
	}
}
