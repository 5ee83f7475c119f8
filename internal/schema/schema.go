// Package schema makes JSON Schemas, the OpenAPI document and the AsyncAPI
// document out of the Go types of the contract and of their comments. Only tests
// and go generate use it: what it makes is kept as files, so that a change of
// the contract is seen in a diff, and the program does not carry the generator.
//
// A schema says what is written. Readers skip what they don't know, so that no
// object is closed, but for the body of a command, which is read strictly. An
// enumeration that may grow is x-extensible-enum and no enum.
package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/jsonschema-go/jsonschema"
)

// Set is the schemas of types that refer to each other.
type Set struct {
	// Defs are the schemas by the name of their type.
	Defs map[string]*jsonschema.Schema
	// Names are those of types that have another name in Defs than in Go.
	Names map[reflect.Type]string
	// As are types that are written as another type.
	As map[reflect.Type]reflect.Type
	// Closed are types whose objects have no other field.
	Closed map[reflect.Type]bool
	// Refine changes the schemas of types beyond what Go says of them.
	Refine map[reflect.Type]func(*jsonschema.Schema)

	source *source
	prefix string // of references to Defs
	types  map[string]reflect.Type
}

// NewSet is a set without a type. The sources of our packages are read below
// root, and references begin with prefix.
func NewSet(root, prefix string) *Set {
	return &Set{
		Defs: map[string]*jsonschema.Schema{}, Names: map[reflect.Type]string{}, As: map[reflect.Type]reflect.Type{}, Closed: map[reflect.Type]bool{},
		Refine: map[reflect.Type]func(*jsonschema.Schema){},
		source: newSource(root), prefix: prefix, types: map[string]reflect.Type{},
	}
}

// Of is the schema of t. It refers to Defs, where every struct that t is made of
// is put.
func (s *Set) Of(t reflect.Type) (*jsonschema.Schema, error) {
	if as, is := s.As[t]; is {
		t = as
	}
	schemas, err := s.leaves(t, map[reflect.Type]bool{})
	if err != nil {
		return nil, err
	}
	made, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: schemas})
	if err != nil {
		return nil, err
	}
	tidy(made)
	return made, nil
}

// leaves are the schemas of the named types that t is made of, t included,
// but for those of skip.
func (s *Set) leaves(t reflect.Type, skip map[reflect.Type]bool) (map[reflect.Type]*jsonschema.Schema, error) {
	all := map[reflect.Type]*jsonschema.Schema{}
	var visit func(t reflect.Type) error
	visit = func(t reflect.Type) error {
		if all[t] != nil {
			return nil
		}
		as := t
		if other, is := s.As[t]; is {
			as = other
		}
		switch {
		case t == reflect.TypeFor[time.Time]():
			all[t] = &jsonschema.Schema{Type: "string", Format: "date-time"}
		case t == reflect.TypeFor[json.RawMessage]():
			all[t] = &jsonschema.Schema{Type: "object"}
		case t.Kind() == reflect.String && t.PkgPath() != "":
			values, err := s.source.values(t)
			if err != nil {
				return err
			}
			all[t] = &jsonschema.Schema{Type: "string"}
			if len(values) > 0 {
				all[t].Extra = map[string]any{"x-extensible-enum": values}
			}
			s.refine(t, all[t])
		case as.Kind() == reflect.Struct && skip[t]: // its fields are those of the one that embeds it
			for i := range t.NumField() {
				f := t.Field(i)
				if f.Tag.Get("json") == "-" || !f.IsExported() && !f.Anonymous {
					continue // it is never written
				}
				if err := visit(f.Type); err != nil {
					return err
				}
			}
		case as.Kind() == reflect.Struct:
			name, err := s.define(as)
			all[t] = &jsonschema.Schema{Ref: s.prefix + name}
			return err
		case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map:
			return visit(t.Elem())
		}
		return nil
	}
	return all, visit(t)
}

// define puts a struct into Defs, and returns its name there.
func (s *Set) define(t reflect.Type) (string, error) {
	name, named := s.Names[t]
	if !named {
		r := []rune(t.Name())
		if len(r) == 0 {
			return "", fmt.Errorf("%v has no name", t)
		}
		r[0] = unicode.ToUpper(r[0])
		name = string(r)
	}
	if other, is := s.types[name]; is {
		if other != t {
			return "", fmt.Errorf("%v and %v have the same name %s", t, other, name)
		}
		return name, nil
	}
	s.types[name] = t
	skip := map[reflect.Type]bool{t: true}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			skip[f.Type] = true
		}
	}
	schemas, err := s.leaves(t, skip)
	if err != nil {
		return "", err
	}
	made, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: schemas})
	if err != nil {
		return "", err
	}
	if !s.Closed[t] {
		made.AdditionalProperties = nil
	}
	for _, of := range made.Properties {
		tidy(of)
	}
	s.refine(t, made)
	for property, of := range made.Properties {
		if !slices.Contains(made.Required, property) {
			notNull(of)
		}
	}
	if err := s.describe(name, t, made); err != nil {
		return "", err
	}
	s.Defs[name] = made
	return name, nil
}

func (s *Set) refine(t reflect.Type, made *jsonschema.Schema) {
	if refine := s.Refine[t]; refine != nil {
		refine(made)
	}
}

// tidy makes a schema as we write JSON: a list is never null, and what points to
// another object is that object or null.
func tidy(s *jsonschema.Schema) {
	switch {
	case s.Ref != "" && len(s.Types) > 0:
		s.AnyOf, s.Ref, s.Types = []*jsonschema.Schema{{Ref: s.Ref}, {Type: "null"}}, "", nil
	case slices.Equal(s.Types, []string{"null", "array"}):
		s.Type, s.Types = "array", nil
	}
	for _, of := range []*jsonschema.Schema{s.Items, s.AdditionalProperties} {
		if of != nil {
			tidy(of)
		}
	}
}

// notNull takes null from what a field may be that is left out instead.
func notNull(s *jsonschema.Schema) {
	switch {
	case len(s.AnyOf) > 0:
		s.Ref, s.AnyOf = s.AnyOf[0].Ref, nil
	case len(s.Types) == 2 && s.Types[0] == "null":
		s.Type, s.Types = s.Types[1], nil
	}
}

// describe takes descriptions from the comments of a struct and its fields.
func (s *Set) describe(as string, t reflect.Type, made *jsonschema.Schema) error {
	var err error
	if made.Description, err = s.source.comment(t, ""); err != nil {
		return err
	}
	made.Description = renamed(made.Description, t.Name(), as)
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		property := made.Properties[name]
		if f.Anonymous || property == nil {
			continue
		}
		owner := t
		if len(f.Index) > 1 {
			owner = t.FieldByIndex(f.Index[:len(f.Index)-1]).Type
		}
		if property.Description, err = s.source.comment(owner, f.Name); err != nil {
			return err
		}
		property.Description = renamed(property.Description, f.Name, name)
		if property.Description == "" && property.Ref == "" && f.Type.PkgPath() != "" && f.Type != reflect.TypeFor[time.Time]() {
			if property.Description, err = s.source.comment(f.Type, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// renamed is a comment that begins with a Go name, with the name that readers
// of the document know.
func renamed(comment, goName, as string) string {
	if rest, is := strings.CutPrefix(comment, goName); is && strings.HasPrefix(rest, " ") {
		return as + rest
	}
	return comment
}
