package event

import (
	"fmt"
	"reflect"
	"sync"
	"time"
)

var instant = reflect.TypeFor[time.Time]()

// conform is record with every instant in it in UTC, as the contract has them
// all. It is a copy: what record points to is not changed. An offset can carry
// an instant out of the years that RFC 3339 can write, which is an error. A list
// that is nil becomes an empty one: the contract has arrays, and not null.
func conform[T any](record T) (T, error) {
	if conforms(reflect.TypeOf(record)) {
		return record, nil
	}
	c := converter{}
	v := reflect.New(reflect.TypeFor[T]()).Elem()
	v.Set(c.value(reflect.ValueOf(&record).Elem()))
	return v.Interface().(T), c.err
}

// conforming remembers the answers of conforms.
var conforming sync.Map

// conforms says whether every value of a type is as the contract has it, so that
// the most frequent record, a health log, need not be scanned.
func conforms(t reflect.Type) bool {
	if known, is := conforming.Load(t); is {
		return known.(bool)
	}
	is := false
	switch t.Kind() {
	case reflect.Struct:
		is = t != instant
		for i := 0; is && i < t.NumField(); i++ {
			is = conforms(t.Field(i).Type)
		}
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.String:
		is = true
	case reflect.Pointer:
		is = t.Elem().Kind() != reflect.Struct && conforms(t.Elem()) // a struct may point to its own kind
	}
	conforming.Store(t, is)
	return is
}

// converter copies values and keeps the first error.
type converter struct{ err error }

func (c *converter) value(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == instant {
			return c.instant(v.Interface().(time.Time))
		}
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(c.value(v.Field(i)))
			}
		}
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(c.value(v.Elem()))
		return out
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		return c.value(v.Elem())
	case reflect.Slice:
		element := v.Type().Elem().Kind()
		if element != reflect.Struct && (element != reflect.String || !v.IsNil()) {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(c.value(v.Index(i)))
		}
		return out
	}
	return v
}

func (c *converter) instant(t time.Time) reflect.Value {
	t = t.UTC()
	if year := t.Year(); c.err == nil && (year < 0 || year > 9999) {
		c.err = fmt.Errorf("an instant lies in the year %d, which RFC 3339 can't write", year)
	}
	return reflect.ValueOf(t)
}
