package importer

import (
	"database/sql"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver, in pure Go
)

// row is one row of a table: versions differ in which columns there are.
type row map[string]any

func (r row) text(column string) string {
	switch v := r[column].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func (r row) number(column string) int {
	switch v := r[column].(type) {
	case int64:
		return int(v)
	case float64:
		return int(v)
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

func (r row) is(column string) bool { return r.number(column) != 0 }

// kumaMonitors are the rows of the table monitor.
func kumaMonitors(path string) (monitors []row, err error) {
	path, remove, err := unlocked(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Query("SELECT * FROM monitor ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
		}
		m := row{}
		for i, column := range columns {
			m[column] = values[i]
		}
		monitors = append(monitors, m)
	}
	return monitors, rows.Err()
}

// unlocked is a database that no other process writes to: the one at path, or, where
// Uptime Kuma has written what is not in it yet, a copy with that.
func unlocked(path string) (string, func() error, error) {
	switch is, err := os.Stat(path); {
	case err != nil:
		return "", nil, err
	case is.IsDir():
		return "", nil, errors.New("it is a directory; the database is kuma.db in it")
	}
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		return path, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "logstream-import-")
	if err != nil {
		return "", nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	at := filepath.Join(dir, "kuma.db")
	if err := errors.Join(duplicate(path, at), duplicate(path+"-wal", at+"-wal"), checkpoint(at)); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return at, remove, nil
}

func duplicate(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// checkpoint takes what stands beside the database into it.
func checkpoint(path string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		return err
	}
	_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, db.Close())
}
