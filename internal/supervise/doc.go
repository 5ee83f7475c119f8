// Package supervise keeps the parts of the process running.
//
// An actor is a function Run(ctx) error that blocks, owns its goroutines, and
// returns after they have. The whole of its contract:
//
//   - It returns when ctx ends, and then only after its workers have returned.
//     What it returns after that is logged, and has no other effect.
//   - Whatever it returns before is a failure: an error, a panic, a nil that
//     without a request to stop, and also a context error, since that context was not
//     ours. It is run again, with a fresh start from the event log: Run builds
//     its state and leans on nothing that the last run left behind.
//   - An error that is ErrStay says: don't run me again, the others go on.
//     One that is ErrTerminate says: end the process.
//
// Every goroutine of the process is started through Go, because errgroup does
// not recover panics, and a panic in a bare goroutine takes the process with
// it. A test at the module's root forbids the go statement anywhere else.
//
// Guarantees: a failed actor is logged once, with its stack where it
// panicked; while it is down the registry has a problem under its name, which is
// cleared a moment after it runs again; between two runs it waits about 100 ms,
// doubling up to 5 s, and from 100 ms again after a minute without a failure;
// after more than eight failures in a minute Keep
// returns an error, which is meant to end the process.
package supervise
