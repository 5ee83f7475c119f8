// Package recording is the file in which something is kept to be read again:
// one JSON value a line, compressed or not. The first line says what the file
// is, the last that it is whole. Every error names the line.
package recording

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Kind is what a file holds, and the version of its form.
type Kind struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
}

// maxLine is the longest line that a reader accepts: more than the largest
// record, escaped.
const maxLine = 8 << 20

type first struct {
	Kind
	Header any `json:"header"`
}

type last struct {
	End *int `json:"end"` // how many lines stand between the first and this one
}

// Writer writes a file. Each line is one call of the underlying writer's Write,
// so that a process that is killed leaves whole lines.
type Writer struct {
	to io.Writer
	n  int
}

// NewWriter writes the first line.
func NewWriter(to io.Writer, kind Kind, header any) (*Writer, error) {
	w := &Writer{to: to}
	return w, w.write(first{kind, header})
}

// Write writes one line.
func (w *Writer) Write(line any) error {
	w.n++
	return w.write(line)
}

// Close writes the last line. The underlying writer is the caller's to close.
func (w *Writer) Close() error { return w.write(last{&w.n}) }

func (w *Writer) write(value any) error {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("line %d: %w", w.n+1, err)
	}
	_, err := w.to.Write(line.Bytes())
	return err
}

// ErrCutOff says that a file has no last line: what was read of it before is
// right, and something may be missing behind it.
var ErrCutOff = errors.New("the recording ends early: it was cut off")

// LineError is what is wrong with a file, and where.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Reader reads a file, compressed or not.
type Reader struct {
	from *bufio.Reader
	line int
}

// NewReader reads the first line: header gets the writer's. A file of another
// kind, or of a later version, is an error.
func NewReader(from io.Reader, kind Kind, header any) (*Reader, error) {
	r := &Reader{from: bufio.NewReader(from)}
	if magic, _ := r.from.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		plain, err := gzip.NewReader(r.from)
		if err != nil {
			return nil, &LineError{1, fmt.Errorf("%w (%v)", ErrCutOff, err)}
		}
		r.from = bufio.NewReader(plain)
	}
	raw, err := r.read()
	switch {
	case errors.Is(err, ErrCutOff) && len(raw) == 0:
		return nil, &LineError{1, fmt.Errorf("the file is empty, not a %s", kind.Format)}
	case errors.Is(err, ErrCutOff) && !bytes.HasPrefix(raw, []byte(`{"format":`)):
		return nil, &LineError{1, fmt.Errorf("the file is not a %s", kind.Format)}
	case err != nil:
		return nil, err
	}
	var is struct {
		Kind
		Header json.RawMessage `json:"header"`
	}
	switch err := json.Unmarshal(raw, &is); {
	case err != nil || is.Format != kind.Format:
		return nil, r.Wrong(fmt.Errorf("the file is not a %s", kind.Format))
	case is.Version > kind.Version:
		return nil, r.Wrong(fmt.Errorf("the file has format version %d; this program reads versions up to %d", is.Version, kind.Version))
	}
	if err := json.Unmarshal(is.Header, header); err != nil {
		return nil, r.Wrong(err)
	}
	return r, nil
}

// Next is the next line between the first and the last; io.EOF where there is
// none.
func (r *Reader) Next() (json.RawMessage, error) {
	raw, err := r.read()
	if err != nil {
		return nil, err
	}
	if !json.Valid(raw) {
		return nil, r.Wrong(errors.New("is not valid JSON"))
	}
	if bytes.HasPrefix(raw, []byte(`{"end":`)) {
		return nil, r.end(raw)
	}
	return raw, nil
}

// end checks the last line.
func (r *Reader) end(raw []byte) error {
	var l last
	if err := json.Unmarshal(raw, &l); err != nil || l.End == nil || *l.End != r.line-2 {
		return r.Wrong(fmt.Errorf("%w: it has %d lines before its end, but its end says %s", ErrCutOff, r.line-2, raw))
	}
	switch _, err := r.from.ReadByte(); {
	case err == nil:
		return &LineError{r.line + 1, errors.New("there is data after the end of the recording")}
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return &LineError{r.line + 1, cutOff(err)}
	}
}

// Line is the number of the line that was read last, from 1.
func (r *Reader) Line() int { return r.line }

// Wrong is err about the line that was read last.
func (r *Reader) Wrong(err error) error { return &LineError{r.line, err} }

// read is the next line; with an error, what there is of it.
func (r *Reader) read() ([]byte, error) {
	var line []byte
	for {
		part, err := r.from.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, &LineError{r.line + 1, fmt.Errorf("is longer than %d bytes", maxLine)}
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return line, &LineError{r.line + 1, cutOff(err)}
		}
		r.line++
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

// cutOff is an error of reading; an end where none may be is ErrCutOff.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCutOff
	}
	return err
}
