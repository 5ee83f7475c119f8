package importer

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kuma is a database with these monitors, whose columns have the names of
// Uptime Kuma's own.
func kuma(t *testing.T, monitors []row) (path string, db *sql.DB) {
	t.Helper()
	columns := map[string]bool{}
	for _, m := range monitors {
		for column := range m {
			columns[column] = true
		}
	}
	names := slices.Sorted(maps.Keys(columns))
	path = filepath.Join(t.TempDir(), "kuma.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec("PRAGMA journal_mode = WAL; CREATE TABLE monitor (" + quoted(names) + ")"); err != nil {
		t.Fatal(err)
	}
	for i, m := range monitors {
		values := []any{}
		for _, name := range names {
			values = append(values, m[name])
		}
		if _, err := db.Exec("INSERT INTO monitor VALUES ("+strings.TrimSuffix(strings.Repeat("?,", len(names)), ",")+")", values...); err != nil {
			t.Fatalf("monitor %d: %v", i, err)
		}
	}
	return path, db
}

func quoted(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprintf("%q", name))
	}
	return strings.Join(all, ", ")
}

// monitorOf is one as Uptime Kuma adds it, with these columns beside.
func monitorOf(id int, name, kind string, more row) row {
	m := row{"id": id, "name": name, "type": kind, "active": 1, "interval": 60, "maxretries": 0, "retry_interval": 60, "timeout": 48.0,
		"accepted_statuscodes_json": `["200-299"]`, "method": "GET", "maxredirects": 10, "ignore_tls": 0, "upside_down": 0, "expiry_notification": 0,
		"url": "https://", "parent": nil}
	maps.Copy(m, more)
	return m
}

var monitors = []row{
	monitorOf(1, "shop", "group", nil),
	monitorOf(2, "web", "http", row{"url": "https://shop.example/health", "parent": 1, "expiry_notification": 1, "interval": 20, "maxretries": 2, "retry_interval": 5,
		"headers": `{"X-Price": "1 $ {x}", "X-N": 7}`, "accepted_statuscodes_json": `["200-299","304"]`, "description": "when this fails,\nnobody pays"}),
	monitorOf(3, "login", "http", row{"url": "http://shop.example/login", "method": "POST", "body": `{"a": "${b}"}`, "basic_auth_user": "ann", "basic_auth_pass": "p@ss$", "auth_method": "basic", "ignore_tls": 1, "maxredirects": 0}),
	monitorOf(4, "word", "keyword", row{"url": "http://shop.example/", "keyword": "2 + 2 (ok)"}),
	monitorOf(5, "no word", "keyword", row{"url": "http://shop.example/", "keyword": "error", "invert_keyword": 1}),
	monitorOf(6, "json", "json-query", row{"url": "http://shop.example/", "json_path": "$.db.list[0].state", "json_path_operator": "==", "expected_value": "up"}),
	monitorOf(7, "json more", "json-query", row{"url": "http://shop.example/", "json_path": "$count(list)", "json_path_operator": ">", "expected_value": "3"}),
	monitorOf(21, "json less", "json-query", row{"url": "http://shop.example/", "json_path": "$.age", "json_path_operator": "<", "expected_value": "60"}),
	monitorOf(22, "json part", "json-query", row{"url": "http://shop.example/", "json_path": "state", "json_path_operator": "contains", "expected_value": "up."}),
	monitorOf(8, "mail", "port", row{"hostname": "mail.example", "port": 25}),
	monitorOf(9, "host", "ping", row{"hostname": "fe80::1"}),
	monitorOf(10, "names", "dns", row{"hostname": "example.com", "dns_resolve_server": "1.1.1.1,8.8.8.8", "port": 53, "dns_resolve_type": "AAAA"}),
	monitorOf(11, "nightly", "push", row{"push_token": "s3cret", "interval": 86400}),
	monitorOf(12, "box", "docker", row{"docker_container": "shop-web-1", "docker_host": 2}),
	monitorOf(13, "db", "postgres", row{"database_connection_string": "postgres://ann:s3cret@db.example:5432/shop", "database_query": "SELECT count(*) FROM orders"}),
	monitorOf(14, "cache", "redis", row{"database_connection_string": "redis://cache.example:6379"}),
	monitorOf(15, "rpc", "grpc-keyword", row{"grpc_url": "rpc.example:50051", "grpc_service_name": "Health", "grpc_method": "check", "keyword": "SERVING", "grpc_enable_tls": 1}),
	monitorOf(16, "things", "mqtt", row{"hostname": "mqtt.example", "port": 1883}),
	monitorOf(17, "never", "http", row{"url": "http://down.example", "upside_down": 1}),
	monitorOf(18, "paused", "http", row{"url": "http://later.example", "active": 0}),
	monitorOf(19, "web", "http", row{"url": "http://other.example", "auth_method": "ntlm", "proxy_id": 3}),
}

func TestUptimeKuma(t *testing.T) {
	path, _ := kuma(t, monitors)
	r, err := UptimeKuma(path)
	if err != nil {
		t.Fatal(err)
	}
	r.from = "kuma.db"
	golden(t, "kuma.golden.yaml", config(t, r))
}

// Uptime Kuma may run meanwhile, with its newest monitors beside the database.
func TestADatabaseInUseIsReadAndNotChanged(t *testing.T) {
	path, db := kuma(t, monitors[:1])
	if _, err := db.Exec("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO monitor (id, name, type, url, active) VALUES (20, 'newest', 'http', 'http://new.example', 1)"); err != nil {
		t.Fatal(err)
	}
	before := sums(t, filepath.Dir(path))
	r, err := UptimeKuma(path)
	if err != nil {
		t.Fatal(err)
	}
	if out := string(config(t, r)); !strings.Contains(out, "http://new.example") {
		t.Errorf("what is not in the database yet is missing:\n%s", out)
	}
	if after := sums(t, filepath.Dir(path)); !maps.Equal(before, after) {
		t.Errorf("the files were %v and are %v", before, after)
	}
}

func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][32]byte{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name()] = sha256.Sum256(content)
	}
	return all
}

func TestWhatIsNoKumaDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "x.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{text: "not a database", filepath.Join(dir, "none.db"): "no such file", dir: "is a directory"} {
		if _, err := UptimeKuma(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s gives %v", path, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}
