// Package faults is the fault suite: it breaks real containers in every way that
// the list of scenarios has, and judges who repairs them, by what the engine
// itself saw and by what became of the service. The same list is run under
// LogStream and under the policies of its peers (folder peers).
//
//	go test -tags e2e ./e2e/faults                        a dozen of them, under LogStream
//	go test -tags e2e ./e2e/faults -args -all -peers      all, and the peers' policies
//	go test -tags e2e ./e2e/faults -args -only 'hang|oom' some
//	go test -tags e2e ./e2e/faults -args -report FILE     writes FILE.md and FILE.json
//
// A scenario is one entry of a list (list_*.go): its containers, how it is
// broken, and what is right. Scenarios of one group run beside each other on one
// engine and under one LogStream, together with services that have nothing to do
// with them, one of which flaps.
package faults
