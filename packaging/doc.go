// Package packaging has what LogStream is installed with, and the tests of it.
package packaging
