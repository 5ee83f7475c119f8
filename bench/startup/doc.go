// Package startup measures how long logstream takes to start on a log that has
// a past, and what memory it takes: the time and memory must not grow with the log.
package startup
