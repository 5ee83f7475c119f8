package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	named   = regexp.MustCompile("`([a-z0-9_]+(?:/[a-z0-9_]+)*(?:\\.go|/))`|`((?:healer|internal|dashboard|monitor|bus|e2e)/[a-z0-9_/]+)`")
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors are the places in a document that a link may name, as GitHub makes them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}

// documents are those of this module, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(filepath.Join(Root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(content)
		}
	}
	if len(all) < 8 {
		t.Fatalf("found %d documents only", len(all))
	}
	return all
}

// TestLinksLead: what a document links to is there, down to the heading.
func TestLinksLead(t *testing.T) {
	all := documents(t)
	for path, text := range all {
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			to, anchor, _ := strings.Cut(l[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			target := path
			if to != "" {
				target = filepath.Join(filepath.Dir(path), filepath.FromSlash(to))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(path), l[1])
				continue
			}
			if document, is := all[target]; is && anchor != "" && !anchors(document)[anchor] {
				t.Errorf("%s links to %s, and that has no such heading", filepath.Base(path), l[1])
			}
		}
	}
}

// TestTheArchitectureNamesWhatThereIs: each file and folder in ARCHITECTURE.md exists.
func TestTheArchitectureNamesWhatThereIs(t *testing.T) {
	found := 0
	for _, n := range named.FindAllStringSubmatch(documents(t)[filepath.Join(Root(t), "ARCHITECTURE.md")], -1) {
		found++
		if _, err := os.Stat(filepath.Join(Root(t), n[1]+n[2])); err != nil {
			t.Errorf("ARCHITECTURE.md names %s, which is not there", n[1]+n[2])
		}
	}
	if found < 30 {
		t.Errorf("found %d names only", found)
	}
}
