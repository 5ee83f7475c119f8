package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"logstream/internal/event"
	"logstream/internal/health"
	"logstream/internal/redact"
	"logstream/internal/service"
	"logstream/internal/text"
)

// Missing says that the model cannot be queried: why, and how to fix it.
type Missing struct {
	Code       event.InvalidCode // missing_model or unreachable
	Why        string            // such as "nothing listens at http://localhost:11434"
	Remedy     health.Remedy
	Unanswered bool // no server answered at all: perhaps no model is wanted here
}

func (m *Missing) Error() string { return m.Why + ": " + m.Remedy.String() }

// Brief is what every incident says meanwhile: why, and how to fix it where
// that is one command.
func (m *Missing) Brief() string {
	if m.Unanswered {
		return m.Why
	}
	return m.Error()
}

// Client speaks to one Ollama server about one model. It is safe for
// concurrent use.
//
// Ollama's own Go client is not used: it takes the server's whole module
// (23 MB) for two calls, reads the user's environment and keys, follows
// redirects, and bounds nothing of what a server sends.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
	thinks atomic.Bool // the model can, as last reported
}

// Bounds of what is taken from a server.
const (
	maxAnswer   = 4 << 20  // bytes of one answer, with everything in it
	maxContent  = 16 << 10 // bytes of what the model says
	maxThinking = 32 << 10 // bytes of its thinking; what comes after it is not kept
	maxRefusal  = 4 << 10  // bytes of an error
)

// The bounds of a query. Ollama cuts a prompt that is longer than the
// context silently, unless a query forbids that.
const (
	contextTokens  = 8192
	answerTokens   = 400
	thinkingTokens = 2048
	keepLoaded     = "30m" // after a query, so that the next one doesn't load it again
)

// thinkingShare is how much of the time-out may go by in thinking before the
// answer begins; the rest is kept for a second query without thinking.
const thinkingShare = 0.6

// New is a client. Nothing is dialled.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil {
		return nil, fmt.Errorf("the model's address: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // a server that was started again is a new one: no call fails for an old connection
	transport.DialContext = (&net.Dialer{Timeout: 3 * time.Second}).DialContext
	return &Client{config: config, base: base, http: &http.Client{
		Transport: transport,
		// A redirect could lead evidence to another machine.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Model is the model's name.
func (c *Client) Model() string { return c.config.Model }

// Check finds out whether the model is there, without loading it. An error is a
// *Missing, or that of ctx.
func (c *Client) Check(ctx context.Context) error {
	var shown struct {
		Capabilities []string `json:"capabilities"`
	}
	err := c.post(ctx, "/api/show", map[string]any{"model": c.config.Model}, func(answer *json.Decoder) error {
		_ = answer.Decode(&shown) // something answers there: a query shows what
		return nil
	})
	var refused *refusal
	switch {
	case err == nil:
		c.thinks.Store(strings.Contains(" "+strings.Join(shown.Capabilities, " ")+" ", " thinking "))
		return nil
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.As(err, &refused) && refused.unpulled():
		return c.missing(err)
	case errors.As(err, &refused) && refused.status < http.StatusInternalServerError:
		return nil // it may support chat without show
	}
	return c.missing(err)
}

// missing is why the model cannot be queried, in words.
func (c *Client) missing(err error) *Missing {
	var refused *refusal
	var timeout net.Error
	at := service.MaskURL(c.config.URL)
	switch {
	case errors.As(err, &refused) && refused.unpulled():
		return &Missing{Code: event.InvalidMissingModel, Why: "Ollama has no model " + c.config.Model, Remedy: health.Remedy{Command: "ollama pull " + c.config.Model}}
	case errors.As(err, &refused):
		return &Missing{Code: event.InvalidUnreachable, Why: refused.Error(), Remedy: health.Remedy{Text: "see Ollama's log"}}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Missing{Code: event.InvalidUnreachable, Why: "nothing listens at " + at, Remedy: health.Remedy{Text: "set healer.decide: runbook, or start Ollama", Command: "ollama serve"}, Unanswered: true}
	case errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded):
		return &Missing{Code: event.InvalidUnreachable, Why: at + " does not answer", Remedy: health.Remedy{Text: "restart Ollama, or set healer.decide: runbook"}, Unanswered: true}
	}
	return &Missing{Code: event.InvalidUnreachable, Why: fmt.Sprintf("%s does not answer: %v", at, plain(err)), Remedy: health.Remedy{Text: "correct healer.llm.url, or start Ollama", Command: "ollama serve"}, Unanswered: true}
}

// plain is an error without the method and address that the HTTP client adds.
func plain(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Query puts the question to the model once, within the time-out. thinks gets
// the model's thinking while it comes, from this goroutine.
func (c *Client) Query(ctx context.Context, q Question, thinks func(string)) Answer {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	answer := Answer{Prompt: q.prompt()}
	think := c.config.Think == ThinkOn || c.config.Think == ThinkAuto && c.thinks.Load()
	said, err := c.chat(ctx, q, answer.Prompt, think, thinks)
	answer.Reasoning = redact.Text(text.Block(said.thinking))
	if think && ctx.Err() == nil && (errors.Is(err, errThinksLong) || noThinker(err) || errors.Is(err, errEmpty) || err == nil && said.content == "") {
		said, err = c.chat(ctx, q, answer.Prompt, false, nil)
	}
	answer.Raw = redact.Text(text.Block(said.content))
	if err == nil && said.cut {
		err = errors.New("its answer was cut off: it is longer than the limit")
	}
	if err == nil {
		answer.Opinion, err = parse(said.content, q.Legal)
	}
	if err != nil {
		answer.Code, answer.Invalid = c.invalid(ctx, err)
	}
	return answer
}

// noThinker says that the model was to think, and the request was refused as it
// stands: as one of a model that cannot. Ollama has no code for that; the same
// request without it shows whether it was that.
func noThinker(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) && refused.status == http.StatusBadRequest
}

// invalid is why there is no opinion, and the same in one sentence.
func (c *Client) invalid(ctx context.Context, err error) (event.InvalidCode, string) {
	var refused *refusal
	var network *url.Error
	var illegal *illegalError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return event.InvalidLate, fmt.Sprintf("it did not answer within %s", c.config.Timeout)
	case ctx.Err() != nil:
		return "", "the query was cancelled" // and its answer is used by nothing
	case errors.As(err, &refused), errors.As(err, &network):
		missing := c.missing(err)
		return missing.Code, missing.Brief()
	case errors.As(err, &illegal):
		return event.InvalidIllegal, err.Error()
	}
	return event.InvalidGarbage, err.Error()
}

// said is what a model wrote.
type said struct {
	content, thinking string
	cut               bool // by the bound on tokens, or ours
}

var (
	errThinksLong = errors.New("it is still thinking")
	errEmpty      = errors.New("its answer is empty")
)

// chat is one call of /api/chat, as a stream.
func (c *Client) chat(ctx context.Context, q Question, prompt string, think bool, thinks func(string)) (said, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tokens := answerTokens
	var patience *time.Timer
	if think {
		tokens += thinkingTokens
		patience = time.AfterFunc(time.Duration(thinkingShare*float64(c.config.Timeout)), func() { cancel(errThinksLong) })
		defer patience.Stop()
	}
	return c.stream(ctx, c.request(q, prompt, think, tokens), thinks, patience)
}

func (c *Client) request(q Question, prompt string, think bool, tokens int) map[string]any {
	return map[string]any{
		"model": c.config.Model, "stream": true, "think": think, "format": q.schema(), "truncate": false, "keep_alive": keepLoaded,
		"messages": []map[string]string{{"role": "system", "content": instructions}, {"role": "user", "content": prompt}},
		"options":  map[string]any{"temperature": 0, "seed": 1, "num_ctx": contextTokens, "num_predict": tokens},
	}
}

// stream reads the answer's pieces until it is done. patience ends when the
// answer itself begins.
func (c *Client) stream(ctx context.Context, request map[string]any, thinks func(string), patience *time.Timer) (said, error) {
	var content, thinking strings.Builder
	var out said
	err := c.post(ctx, "/api/chat", request, func(answer *json.Decoder) error {
		for {
			var piece struct {
				Message    struct{ Content, Thinking string } `json:"message"`
				Done       bool                               `json:"done"`
				DoneReason string                             `json:"done_reason"`
				Error      string                             `json:"error"`
			}
			switch err := answer.Decode(&piece); {
			case errors.Is(err, io.EOF) && content.Len() > 0:
				return nil // a server that doesn't stream may not say that it is done
			case errors.Is(err, io.EOF):
				return errEmpty
			case err != nil:
				return fmt.Errorf("its answer cannot be read: %w", err)
			case piece.Error != "":
				return &refusal{http.StatusOK, displayable(piece.Error), true}
			}
			if text := piece.Message.Thinking; text != "" && thinking.Len() < maxThinking {
				thinking.WriteString(text)
				if thinks != nil {
					thinks(text)
				}
			}
			if content.WriteString(piece.Message.Content); content.Len() > 0 && patience != nil {
				patience.Stop()
			}
			out.cut = piece.DoneReason == "length" || content.Len() > maxContent
			if piece.Done || out.cut {
				return nil
			}
		}
	})
	out.content, out.thinking = strings.ToValidUTF8(content.String(), ""), strings.ToValidUTF8(thinking.String(), "")
	out.content = out.content[:min(len(out.content), maxContent)]
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errThinksLong) {
		err = errThinksLong
	}
	return out, err
}

// refusal is an answer that is an error.
type refusal struct {
	status int
	text   string
	formed bool // as Ollama's errors are: {"error": "…"}
}

func (r *refusal) Error() string {
	if r.status == http.StatusOK {
		return "Ollama says: " + r.text
	}
	return strings.TrimSuffix(fmt.Sprintf("Ollama answered %d: %s", r.status, r.text), ": ")
}

// unpulled says whether the server does not have the model: what we request exists
// in each Ollama, and one that does not speak for itself, such as a proxy, answers
// 404 in another form.
func (r *refusal) unpulled() bool { return r.status == http.StatusNotFound && r.formed }

// post sends body and hands what comes back, bounded, to read.
func (c *Client) post(ctx context.Context, path string, body any, read func(*json.Decoder) error) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath(path).String(), bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	bounded := io.LimitReader(response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(bounded, maxRefusal)) // what can be read of it
		said, formed := errorText(text)
		return &refusal{response.StatusCode, said, formed}
	}
	return read(json.NewDecoder(bounded))
}

// errorText is what an error answer says: {"error": "…"}, which is its form, or
// else its text.
func errorText(body []byte) (said string, formed bool) {
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Error != "" {
		return displayable(answer.Error), true
	}
	return displayable(string(body)), false
}

// displayable is what a server says, fit to be shown.
func displayable(text string) string { return oneLine(text, maxWords) }
