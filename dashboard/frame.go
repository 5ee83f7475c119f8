package dashboard

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/gorilla/websocket"

	"logstream/dashboard/view"
)

type snapshotFrame struct {
	Type      string          `json:"type"`
	Seq       uint64          `json:"seq"`
	Services  []view.Service  `json:"services"`
	Incidents []view.Incident `json:"incidents"`
	Thinking  []view.Thought  `json:"thinking"` // models that are queried now
	Agent     view.Agent      `json:"agent"`
	Info      Info            `json:"info"`
}

// snapshot is the whole state now: the frames up to seq, and the changes that wait
// for the next frame, are in it.
func (l *loop) snapshot() []byte {
	at := now()
	return encode(snapshotFrame{"snapshot", l.seq, l.fleet.Services(at), l.fleet.Recent(at), l.fleet.Thoughts(), l.fleet.Agent(at), l.info()})
}

// encode writes what the API and the frames are made of.
func encode(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic("dashboard: encode: " + err.Error()) // a bug: these are our own types
	}
	return out
}

// message is a frame that many clients get, encoded and compressed once.
type message struct {
	body  []byte
	ready *websocket.PreparedMessage
}

func prepared(body []byte) *message {
	ready, err := websocket.NewPreparedMessage(websocket.TextMessage, body)
	if err != nil {
		panic("dashboard: prepare a frame: " + err.Error()) // it writes to memory
	}
	return &message{body, ready}
}

// batch is the changes between two frames, each encoded once, however many
// clients there are and whatever they watch. Clients' own goroutines read it.
type batch struct {
	seq   uint64
	body  []byte   // of the frame with everything
	all   *message // that frame, for those who watch everything; nil in answers
	parts []part
}

// part is one change in a batch's frame.
type part struct {
	from, to int    // in the body
	service  string // whose observation it is; empty: any other change, which every client gets
}

func newBatch(seq uint64, changes []view.Change) *batch {
	b := encodeParts(seq, changes)
	b.all = prepared(b.body)
	return b
}

func encodeParts(seq uint64, changes []view.Change) *batch {
	var body bytes.Buffer
	begin(&body, seq)
	b := &batch{seq: seq, parts: make([]part, len(changes))}
	to := json.NewEncoder(&body)
	for i, change := range changes {
		if i > 0 {
			body.WriteByte(',')
		}
		service, _ := observationOf(change)
		b.parts[i] = part{from: body.Len(), service: service}
		if err := to.Encode(change); err != nil {
			panic("dashboard: encode: " + err.Error()) // a bug: these are our own types
		}
		body.Truncate(body.Len() - 1) // the encoder ends with a new line
		b.parts[i].to = body.Len()
	}
	body.WriteString("]}")
	b.body = body.Bytes()
	return b
}

func begin(body *bytes.Buffer, seq uint64) {
	body.WriteString(`{"type":"events","seq":`)
	body.WriteString(strconv.FormatUint(seq, 10))
	body.WriteString(`,"events":[`)
}

// observationOf is whose observation a change is, if it is one.
func observationOf(change view.Change) (service string, is bool) {
	if change.Kind != view.KindHealth {
		return "", false
	}
	o, is := change.Data.(view.Observation)
	return o.Service, is
}

// outgoing is the batch as a client that watches w gets it.
func (b *batch) outgoing(w watched) outgoing {
	if w == nil {
		return outgoing{message: b.all}
	}
	return outgoing{batch: b, watch: w}
}

// writeFor writes the frame of a client that watches w: it copies the encoded changes,
// and counts in left_out those that the client does not watch. A frame without changes
// is written too, so that seq has no gap.
func (b *batch) writeFor(body *bytes.Buffer, w watched) {
	left := b.copy(body, w.has)
	body.WriteString(`],"left_out":`)
	body.WriteString(strconv.Itoa(left))
	body.WriteByte('}')
}

// copy writes the beginning of a frame, with the observations of the services that
// of names, and every other change; it says how many it left out.
func (b *batch) copy(body *bytes.Buffer, of func(name string) bool) (left int) {
	begin(body, b.seq)
	first := true
	for _, p := range b.parts {
		if p.service != "" && !of(p.service) {
			left++
			continue
		}
		if !first {
			body.WriteByte(',')
		}
		first = false
		body.Write(b.body[p.from:p.to])
	}
	return left
}

// outgoing is what waits in a client's queue: a message, or the part of a batch
// that it watches, which is put together when it is written. The zero value stands
// for frames that were dropped.
type outgoing struct {
	message *message
	batch   *batch
	watch   watched
	answer  bool    // to a watch: batch has newest observations
	had     watched // of an answer: what was watched before
}

func (o outgoing) dropped() bool { return o.message == nil && o.batch == nil }

// minCompressed is the size from which a frame is worth compressing, in bytes.
const minCompressed = 1 << 10

// write sends it. A message for all clients is compressed once, for those that accept
// that; a frame that is put together for one client is not compressed.
func (o outgoing) write(conn *websocket.Conn) error {
	if o.message != nil {
		conn.EnableWriteCompression(len(o.message.body) >= minCompressed)
		return conn.WritePreparedMessage(o.message.ready)
	}
	conn.EnableWriteCompression(false)
	body := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(body)
	body.Reset()
	o.writeTo(body)
	return conn.WriteMessage(websocket.TextMessage, body.Bytes())
}

// writeTo writes the frame of what is put together for one client.
func (o outgoing) writeTo(body *bytes.Buffer) {
	if o.answer {
		o.batch.writeAnswer(body, o.had, o.watch)
		return
	}
	o.batch.writeFor(body, o.watch)
}
