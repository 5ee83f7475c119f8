// Package llmtest has a server that speaks Ollama's HTTP API by a script: for
// tests of what happens with each thing that a model, or its server, may do.
// What the real server does was seen with Ollama 0.17.
package llmtest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"logstream/internal/retry"
)

// Chat is a query as it arrived.
type Chat struct {
	Model    string
	Stream   bool
	Think    bool
	Truncate *bool
	Format   json.RawMessage
	Options  map[string]float64
	Messages []struct{ Role, Content string }
}

// Actions are those that its schema's enum holds.
func (c Chat) Actions() []string {
	var schema struct {
		Properties struct {
			Action struct{ Enum []string }
		}
	}
	_ = json.Unmarshal(c.Format, &schema) // what is not there is empty
	return schema.Properties.Action.Enum
}

// Reply answers a query.
type Reply func(w http.ResponseWriter, r *http.Request, chat Chat)

// Server is a scripted one. It ends with the test.
type Server struct {
	*httptest.Server

	mu           sync.Mutex
	models       []string
	capabilities []string
	reply        Reply
	queries      []Chat
	shows        int // how often the abilities of its model were queried
}

// Start starts a server that has one model, which answers with reply.
func Start(t testing.TB, model string, reply Reply) *Server {
	t.Helper()
	return StartAt(t, "127.0.0.1:0", model, reply)
}

// StartAt is Start at an address, such as that of one that was closed.
func StartAt(t testing.TB, address, model string, reply Reply) *Server {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{models: []string{model}, capabilities: []string{"completion"}, reply: reply}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/show", s.show)
	mux.HandleFunc("POST /api/chat", s.chat)
	s.Server = httptest.NewUnstartedServer(mux)
	_ = s.Listener.Close() // the one that it made itself
	s.Listener = l
	s.Server.Start()
	t.Cleanup(s.Close)
	return s
}

// Script changes what the model answers from now on.
func (s *Server) Script(reply Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

// Thinks says whether the model can think from now on.
func (s *Server) Thinks(can bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.capabilities = []string{"completion"}
	if can {
		s.capabilities = append(s.capabilities, "thinking")
	}
}

// Remove removes the models: they are not pulled.
func (s *Server) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models = nil
}

// Queries are those so far.
func (s *Server) Queries() []Chat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

// Shows is how often the abilities of its model were queried so far.
func (s *Server) Shows() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shows
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	var request struct{ Model string }
	if json.NewDecoder(r.Body).Decode(&request) != nil {
		Refuse(http.StatusBadRequest, "missing request body")(w, r, Chat{})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shows++
	if !slices.Contains(s.models, request.Model) {
		unpulled(request.Model)(w, r, Chat{})
		return
	}
	answer(w, map[string]any{"capabilities": s.capabilities, "details": map[string]string{"family": "llama"}})
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	var chat Chat
	if err := json.NewDecoder(r.Body).Decode(&chat); err != nil {
		Refuse(http.StatusBadRequest, err.Error())(w, r, chat)
		return
	}
	s.mu.Lock()
	s.queries = append(s.queries, chat)
	reply := s.reply
	if !slices.Contains(s.models, chat.Model) {
		reply = unpulled(chat.Model)
	} else if chat.Think && !slices.Contains(s.capabilities, "thinking") {
		reply = Refuse(http.StatusBadRequest, fmt.Sprintf("%q does not support thinking", chat.Model))
	}
	s.mu.Unlock()
	reply(w, r, chat)
}

func unpulled(model string) Reply {
	return Refuse(http.StatusNotFound, fmt.Sprintf("model '%s' not found", model))
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	_ = json.NewEncoder(w).Encode(v) // a caller that is gone needs no answer
	if f, is := w.(http.Flusher); is {
		f.Flush()
	}
}

// Refuse answers with a status and an error, as Ollama does.
func Refuse(status int, text string) Reply {
	return func(w http.ResponseWriter, _ *http.Request, _ Chat) {
		w.WriteHeader(status)
		answer(w, map[string]string{"error": text})
	}
}

// Piece is one line of a streamed answer.
func Piece(w http.ResponseWriter, content, thinking string, done bool, reason string) {
	line := map[string]any{"model": "scripted", "done": done, "message": map[string]string{"role": "assistant", "content": content, "thinking": thinking}}
	if reason != "" {
		line["done_reason"] = reason
	}
	answer(w, line)
}

// Say answers with content, a few bytes at a time.
func Say(content string) Reply {
	return func(w http.ResponseWriter, _ *http.Request, _ Chat) {
		for piece := range slices.Chunk([]byte(content), 16) {
			Piece(w, string(piece), "", false, "")
		}
		Piece(w, "", "", true, "stop")
	}
}

// Choose answers with a valid choice.
func Choose(action, cause string) Reply {
	return func(w http.ResponseWriter, r *http.Request, chat Chat) {
		content, _ := json.Marshal(map[string]any{"cause": cause, "why": "the facts say so", "action": action, "confidence": 0.9}) // strings always can
		Say(string(content))(w, r, chat)
	}
}

// Think writes the words one by one, then goes on with reply. It skips them
// where the query wants no thinking.
func Think(words []string, each time.Duration, then Reply) Reply {
	return func(w http.ResponseWriter, r *http.Request, chat Chat) {
		for _, word := range words {
			if !chat.Think || !retry.Sleep(r.Context(), each) {
				break
			}
			Piece(w, "", word, false, "")
		}
		then(w, r, chat)
	}
}

// Late waits before it goes on with reply, or for the caller to disconnect.
func Late(d time.Duration, then Reply) Reply {
	return func(w http.ResponseWriter, r *http.Request, chat Chat) {
		if retry.Sleep(r.Context(), d) {
			then(w, r, chat)
		}
	}
}
