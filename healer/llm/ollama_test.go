package llm

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"logstream/healer/llm/llmtest"
	"logstream/internal/event"
)

const modelName = "deepseek-r1:1.5b"

// client is one of a server at url.
func client(t *testing.T, url string, change func(*Config)) *Client {
	t.Helper()
	config := Default()
	config.URL = url
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheck(t *testing.T) {
	s := llmtest.Start(t, modelName, llmtest.Choose("start", ""))
	c := client(t, s.URL, nil)
	if err := c.Check(t.Context()); err != nil || c.thinks.Load() {
		t.Errorf("a model that is there: %v, thinks %v", err, c.thinks.Load())
	}
	s.Thinks(true)
	if err := c.Check(t.Context()); err != nil || !c.thinks.Load() {
		t.Errorf("a model that can think: %v, thinks %v", err, c.thinks.Load())
	}
	s.Remove()
	var missing *Missing
	if err := c.Check(t.Context()); !errors.As(err, &missing) || missing.Code != event.InvalidMissingModel || missing.Remedy.Command != "ollama pull "+modelName || missing.Unanswered {
		t.Errorf("a model that is not pulled: %v", err)
	}
	s.Close()
	if err := c.Check(t.Context()); !errors.As(err, &missing) || !missing.Unanswered || !strings.Contains(missing.Why, "nothing listens at "+s.URL) {
		t.Errorf("a server that is gone: %v", err)
	}
}

func TestCheckOfAServerThatIsNotOllama(t *testing.T) {
	for text, status := range map[string]int{"404 page not found": http.StatusNotFound, "not allowed": http.StatusMethodNotAllowed, "<html>": http.StatusOK} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}))
		if err := client(t, s.URL, nil).Check(t.Context()); err != nil {
			t.Errorf("a server that answers %d %q may know chat: %v", status, text, err)
		}
		s.Close()
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer s.Close()
	if err := client(t, s.URL, nil).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("a server that fails: %v", err)
	}
}

func TestCheckOfAServerThatNeverAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // which takes connections, and nothing serves them
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var missing *Missing
	if err := client(t, "http://"+l.Addr().String(), nil).Check(ctx); !errors.As(err, &missing) || !strings.HasSuffix(missing.Why, "does not answer") {
		t.Errorf("got %v", err)
	}
}

func TestQuery(t *testing.T) {
	s := llmtest.Start(t, modelName, llmtest.Choose("start", "It was killed."))
	got := client(t, s.URL, nil).Query(t.Context(), killed(), nil)
	if got.Opinion == nil || got.Opinion.Action != "start" || got.Opinion.Cause != "It was killed." || got.Opinion.Confidence != 0.9 || got.Invalid != "" {
		t.Fatalf("got %+v", got)
	}
	if got.Prompt != killed().prompt() || !strings.HasPrefix(got.Raw, `{"action":"start"`) {
		t.Errorf("prompt and raw: %+v", got)
	}
	queries := s.Queries()
	if len(queries) != 1 {
		t.Fatalf("queried %d times", len(queries))
	}
	q := queries[0]
	if q.Model != modelName || !q.Stream || q.Think || q.Truncate == nil || *q.Truncate || !slices.Equal(q.Actions(), []string{"start", "escalate", "none"}) ||
		q.Options["temperature"] != 0 || q.Options["num_ctx"] != contextTokens || q.Options["num_predict"] != answerTokens {
		t.Errorf("queried %+v", q)
	}
	if len(q.Messages) != 2 || q.Messages[0].Content != instructions || q.Messages[1].Content != got.Prompt {
		t.Errorf("messages %+v", q.Messages)
	}
}

func TestUnusableAnswersHaveACode(t *testing.T) {
	say := func(text string) llmtest.Reply { return llmtest.Say(text) }
	for _, tt := range []struct {
		name  string
		reply llmtest.Reply
		want  string
		code  event.InvalidCode
	}{
		{"illegal", say(`{"action":"docker rm -f db"}`), `it chose "docker rm -f db", which is not one of start, escalate, none`, event.InvalidIllegal},
		{"garbage", say("sure! docker restart db"), "its answer is not a JSON object", event.InvalidGarbage},
		{"empty", say(""), "its answer is empty", event.InvalidGarbage},
		{"no stream", func(w http.ResponseWriter, _ *http.Request, _ llmtest.Chat) {}, "its answer is empty", event.InvalidGarbage},
		{"no JSON at all", func(w http.ResponseWriter, _ *http.Request, _ llmtest.Chat) { _, _ = w.Write([]byte("<html>")) }, "its answer cannot be read", event.InvalidGarbage},
		{"cut by its bound", func(w http.ResponseWriter, _ *http.Request, _ llmtest.Chat) {
			llmtest.Piece(w, `{"cause":"a`, "", true, "length")
		}, "its answer was cut off", event.InvalidGarbage},
		{"an error in the stream", func(w http.ResponseWriter, _ *http.Request, _ llmtest.Chat) {
			_, _ = w.Write([]byte("{\"error\":\"model runner has unexpectedly stopped\"}\n"))
		}, "Ollama says: model runner has unexpectedly stopped", event.InvalidUnreachable},
		{"busy", llmtest.Refuse(503, "server busy, please try again."), "Ollama answered 503: server busy, please try again.", event.InvalidUnreachable},
		{"a bad schema", llmtest.Refuse(500, "invalid JSON schema in format"), "Ollama answered 500: invalid JSON schema in format", event.InvalidUnreachable},
		{"too long a prompt", llmtest.Refuse(400, "the input length exceeds the context length"), "Ollama answered 400: the input length", event.InvalidUnreachable},
		{"not pulled", llmtest.Refuse(404, "model 'deepseek-r1:1.5b' not found"), "Ollama has no model deepseek-r1:1.5b: ollama pull deepseek-r1:1.5b", event.InvalidMissingModel},
		{"cut off", func(w http.ResponseWriter, _ *http.Request, _ llmtest.Chat) {
			llmtest.Piece(w, `{"cause":`, "", false, "")
			panic(http.ErrAbortHandler)
		}, "its answer cannot be read", event.InvalidGarbage},
		{"endless words", func(w http.ResponseWriter, r *http.Request, _ llmtest.Chat) {
			for r.Context().Err() == nil {
				llmtest.Piece(w, strings.Repeat("word ", 1000), "", false, "")
			}
		}, "its answer was cut off", event.InvalidGarbage},
		{"endless thoughts", func(w http.ResponseWriter, r *http.Request, _ llmtest.Chat) {
			for r.Context().Err() == nil {
				llmtest.Piece(w, "", strings.Repeat("thought ", 4000), false, "")
			}
		}, "its answer", event.InvalidGarbage},
		{"late", llmtest.Late(time.Minute, llmtest.Choose("start", "")), "it did not answer within 1s", event.InvalidLate},
		{"late in the middle", func(w http.ResponseWriter, r *http.Request, c llmtest.Chat) {
			llmtest.Piece(w, `{"cause":`, "", false, "")
			llmtest.Late(time.Minute, llmtest.Choose("start", ""))(w, r, c)
		}, "it did not answer within 1s", event.InvalidLate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := llmtest.Start(t, modelName, tt.reply)
			got := client(t, s.URL, func(c *Config) {
				if c.Timeout = time.Minute; tt.code == event.InvalidLate {
					c.Timeout = time.Second
				}
			}).Query(t.Context(), killed(), nil)
			if got.Opinion != nil || !strings.HasPrefix(got.Invalid, tt.want) || got.Code != tt.code {
				t.Errorf("got %+v, %s, %q, want %s, %q", got.Opinion, got.Code, got.Invalid, tt.code, tt.want)
			}
			if got.Prompt == "" {
				t.Error("the prompt is not kept")
			}
		})
	}
}

func TestAQueryToAStoppedServerIsUnreachable(t *testing.T) {
	s := llmtest.Start(t, modelName, nil)
	s.Close()
	got := client(t, s.URL, nil).Query(t.Context(), killed(), nil)
	if got.Opinion != nil || got.Code != event.InvalidUnreachable || got.Invalid != "nothing listens at "+s.URL {
		t.Errorf("got %+v", got)
	}
}

// TestServerErrorsAreSanitized: its errors are bounded and without
// controls, its answers without what looks like a secret; so is its address.
func TestServerErrorsAreSanitized(t *testing.T) {
	long := "password=hunter2 \x1b[2J" + strings.Repeat("word ", 100_000)
	encoded, err := json.Marshal(map[string]string{"error": long})
	if err != nil {
		t.Fatal(err)
	}
	for name, reply := range map[string]llmtest.Reply{
		"an error":               llmtest.Refuse(500, long),
		"an error in the stream": func(w http.ResponseWriter, _ *http.Request, _ llmtest.Chat) { _, _ = w.Write(encoded) },
	} {
		s := llmtest.Start(t, modelName, reply)
		got := client(t, s.URL, nil).Query(t.Context(), killed(), nil)
		if len(got.Invalid) > 2*maxWords || strings.Contains(got.Invalid, "hunter2") || strings.ContainsRune(got.Invalid, 0x1b) || got.Invalid == "" {
			t.Errorf("%s: %d bytes: %.200q", name, len(got.Invalid), got.Invalid)
		}
	}
	s := llmtest.Start(t, modelName, llmtest.Think([]string{"the password=hunter2"}, 0, llmtest.Choose("start", "password=hunter2")))
	s.Thinks(true)
	got := client(t, s.URL, func(c *Config) { c.Think = ThinkOn }).Query(t.Context(), killed(), nil)
	if strings.Contains(got.Raw+got.Reasoning+got.Opinion.Cause, "hunter2") {
		t.Errorf("got %+v", got)
	}
	s.Close()
	withPassword := strings.Replace(s.URL, "http://", "http://ann:hunter2@", 1)
	if err := client(t, withPassword, nil).Check(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	elsewhere := llmtest.Start(t, modelName, llmtest.Choose("start", ""))
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/api/chat", http.StatusTemporaryRedirect))
	defer s.Close()
	got := client(t, s.URL, nil).Query(t.Context(), killed(), nil)
	if got.Opinion != nil || len(elsewhere.Queries()) != 0 {
		t.Errorf("evidence was sent elsewhere: %+v", got)
	}
}

func TestThinkingIsStreamedWhileItComes(t *testing.T) {
	words := []string{"It ", "was ", "killed", "."}
	s := llmtest.Start(t, modelName, llmtest.Think(words, time.Millisecond, llmtest.Choose("start", "")))
	s.Thinks(true)
	c := client(t, s.URL, nil)
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	var pieces []string
	got := c.Query(t.Context(), killed(), func(text string) { pieces = append(pieces, text) })
	if !slices.Equal(pieces, words) || got.Reasoning != "It was killed." || got.Opinion == nil || !s.Queries()[0].Think {
		t.Errorf("pieces %v, got %+v", pieces, got)
	}
	off := client(t, s.URL, func(c *Config) { c.Think = ThinkOff })
	off.thinks.Store(true)
	if got := off.Query(t.Context(), killed(), nil); got.Reasoning != "" || got.Opinion == nil {
		t.Errorf("think: off: %+v", got)
	}
}

// TestAModelThatThinksTooLongIsQueriedAgainWithoutThinking: half an answer in time is worth more
// than a whole one that comes too late.
func TestAModelThatThinksTooLongIsQueriedAgainWithoutThinking(t *testing.T) {
	for name, reply := range map[string]llmtest.Reply{
		"for ever":              llmtest.Think(slices.Repeat([]string{"hm "}, 10_000), 10*time.Millisecond, llmtest.Choose("start", "")),
		"and then says nothing": llmtest.Think([]string{"hm"}, time.Millisecond, nothingAfterThinking),
		"and then hangs up": llmtest.Think([]string{"hm"}, time.Millisecond, func(w http.ResponseWriter, r *http.Request, chat llmtest.Chat) {
			if !chat.Think {
				llmtest.Choose("start", "")(w, r, chat)
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := llmtest.Start(t, Default().Model, reply)
			s.Thinks(true)
			got := client(t, s.URL, func(c *Config) { c.Timeout, c.Think = 2*time.Second, ThinkOn }).Query(t.Context(), killed(), nil)
			queries := s.Queries()
			if got.Opinion == nil || !strings.HasPrefix(got.Reasoning, "hm") || len(queries) != 2 || !queries[0].Think || queries[1].Think {
				t.Errorf("queried %d times, got %+v", len(queries), got)
			}
		})
	}
}

func nothingAfterThinking(w http.ResponseWriter, r *http.Request, chat llmtest.Chat) {
	if chat.Think {
		llmtest.Piece(w, "", "", true, "length")
		return
	}
	llmtest.Choose("start", "")(w, r, chat)
}

func TestAModelThatCannotThinkIsQueriedWithoutThinking(t *testing.T) {
	s := llmtest.Start(t, modelName, llmtest.Choose("start", ""))
	got := client(t, s.URL, func(c *Config) { c.Think = ThinkOn }).Query(t.Context(), killed(), nil)
	if got.Opinion == nil || len(s.Queries()) != 2 {
		t.Errorf("queried %d times, got %+v", len(s.Queries()), got)
	}
}

func TestACancelledQueryEndsAtTheServer(t *testing.T) {
	gone := make(chan struct{})
	s := llmtest.Start(t, modelName, func(w http.ResponseWriter, r *http.Request, _ llmtest.Chat) {
		llmtest.Piece(w, "{", "", false, "")
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	got := client(t, s.URL, nil).Query(ctx, killed(), nil)
	if got.Opinion != nil || got.Invalid != "the query was cancelled" {
		t.Errorf("got %+v", got)
	}
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the server still works on it")
	}
}

// What a model writes may have been put into its mouth by a log line.
func TestATranscriptIsPrintable(t *testing.T) {
	s := llmtest.Start(t, modelName, llmtest.Think([]string{"It\x1b[2J is\u202e ", "\x1b[36mpassword\x1b[0m=hunter2\nhere."}, 0, llmtest.Say("\x1b]0;owned\x07{\"action\":\u202e\"start\"}\n")))
	s.Thinks(true)
	c := client(t, s.URL, nil)
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := c.Query(t.Context(), Question{Service: "web", Legal: []event.Choice{{Letter: "A", Action: "start"}}}, nil)
	if answer.Reasoning != "It is password=***\nhere." || answer.Raw != "{\"action\":\"start\"}\n" {
		t.Errorf("the transcript is %q and %q", answer.Reasoning, answer.Raw)
	}
}
