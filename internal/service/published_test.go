package service

import (
	"reflect"
	"testing"
	"time"

	"logstream/internal/size"
)

// TestPublishedIsMaskedAgainToTheSame sets every field, so that one that is
// added and not read back is found.
func TestPublishedIsMaskedAgainToTheSame(t *testing.T) {
	var d Definition
	fill(t, reflect.ValueOf(&d).Elem())
	d.URL = "http://ann:s3cret@host/health?token=s3cret"
	masked := d.Masked()
	if again := Published(*masked).Masked(); !reflect.DeepEqual(again, masked) {
		t.Errorf("got\n%+v\nwant\n%+v", again, masked)
	}
	if plain := valid(); Published(*plain.Masked()).Hash() != plain.Hash() {
		t.Error("a definition of defaults has another hash after it was published")
	}
}

func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		v.SetInt(int64(3 * time.Second))
	case v.Type() == reflect.TypeFor[StatusRange]():
		v.Set(reflect.ValueOf(StatusRange{{200, 299}, {304, 304}}))
	case v.Type() == reflect.TypeFor[size.Size]():
		v.SetInt(512 << 20)
	case v.Kind() == reflect.String:
		v.SetString("text")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Int:
		v.SetInt(7)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case v.Kind() == reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"key": "value"}))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a %s cannot be filled: say here how", v.Type())
	}
}
