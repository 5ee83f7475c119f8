// Package raced lets a test that has one goroutine do less under the race
// detector, which makes it eight times as slow and finds nothing in it. make unit
// runs the packages that use it without the detector as well, in full.
package raced

import "testing"

// Skip skips a test that has one goroutine under the race detector.
func Skip(t testing.TB) {
	t.Helper()
	if Detector {
		t.Skip("it has one goroutine")
	}
}

// Share is n, or a twentieth of it under the race detector.
func Share(n int) int {
	if Detector {
		return (n + 19) / 20
	}
	return n
}
