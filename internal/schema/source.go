package schema

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// module is the path of our own packages.
const module = "logstream"

// source is what the Go sources of our packages say and reflection does not:
// comments, and the constants of a type.
type source struct {
	root     string
	packages map[string]*texts // by path
}

// texts are those of one package.
type texts struct {
	comments map[string]string   // by type, and by type and field with a dot between
	values   map[string][]string // the constants of a type of strings, in their order
}

func newSource(root string) *source { return &source{root, map[string]*texts{}} }

// comment is that of a type, or of its field; empty where there is none.
func (s *source) comment(t reflect.Type, field string) (string, error) {
	read, err := s.read(t.PkgPath())
	if err != nil {
		return "", err
	}
	key := t.Name()
	if field != "" {
		key += "." + field
	}
	return read.comments[key], nil
}

// values are the constants of a type of strings.
func (s *source) values(t reflect.Type) ([]string, error) {
	read, err := s.read(t.PkgPath())
	if err != nil {
		return nil, err
	}
	return read.values[t.Name()], nil
}

func (s *source) read(path string) (*texts, error) {
	if known := s.packages[path]; known != nil {
		return known, nil
	}
	read := &texts{map[string]string{}, map[string][]string{}}
	s.packages[path] = read
	within, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return read, nil
	}
	files, err := filepath.Glob(filepath.Join(s.root, filepath.FromSlash(within), "*.go"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no sources of %s below %s", path, s.root)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range parsed.Decls {
			if general, is := decl.(*ast.GenDecl); is {
				read.take(general)
			}
		}
	}
	return read, nil
}

func (x *texts) take(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			x.comments[spec.Name.Name] = text(decl.Doc, spec.Doc, spec.Comment)
			if of, is := spec.Type.(*ast.StructType); is {
				for _, f := range of.Fields.List {
					for _, name := range f.Names {
						x.comments[spec.Name.Name+"."+name.Name] = text(f.Doc, f.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			of, is := spec.Type.(*ast.Ident)
			if decl.Tok != token.CONST || !is {
				continue
			}
			for _, value := range spec.Values {
				if literal, is := value.(*ast.BasicLit); is && literal.Kind == token.STRING {
					if s, err := strconv.Unquote(literal.Value); err == nil {
						x.values[of.Name] = append(x.values[of.Name], s)
					}
				}
			}
		}
	}
}

// text is the first comment that there is, in one line.
func text(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if g != nil {
			return strings.Join(strings.Fields(g.Text()), " ")
		}
	}
	return ""
}
