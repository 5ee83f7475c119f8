package container

import (
	"context"
	"errors"
)

// Injector causes real faults in the containers of a Runtime, and undoes them. It
// is not part of Runtime: what repairs must not be able to break.
type Injector interface {
	// Inject causes the fault, one of Faults, and gives what its undo needs. What
	// is so already is success. ErrUnsupported where this fault cannot be caused
	// in this container from here. Where it fails halfway, Before is what there
	// was as well.
	Inject(ctx context.Context, id, fault string) (Before, error)
	// Undo takes the fault back; before is what Inject gave, and its ID may be
	// that of a container that is gone. What was undone already, by whomever, is
	// success. ErrNoBefore where the undo needs more than before has.
	Undo(ctx context.Context, id, fault string, before Before) error
	// Faults are those that Inject knows for the container with that name.
	Faults(name string) []string
}

// Before is what a container was before a fault, as far as the fault's undo
// needs it. As JSON it holds no secret.
type Before struct {
	ID       string    `json:"id,omitempty"`
	Name     string    `json:"name,omitempty"`
	Networks []Network `json:"networks,omitempty"` // disconnect
	Limits   *Limits   `json:"limits,omitempty"`   // memory, cpu
	Set      *Limits   `json:"set,omitempty"`      // what the fault set them to
	// Spec is what Runtime.Specification gave: remove. It holds the values of
	// variables, so it stays in this process.
	Spec []byte `json:"-"`
}

// Limits are a container's, as the engine keeps them; 0: none.
type Limits struct {
	Memory     int64 `json:"memory,omitempty"`      // bytes
	MemorySwap int64 `json:"memory_swap,omitempty"` // bytes, memory included; -1: unlimited swap
	NanoCPUs   int64 `json:"nano_cpus,omitempty"`
	CPUQuota   int64 `json:"cpu_quota,omitempty"`  // µs of each period; instead of NanoCPUs
	CPUPeriod  int64 `json:"cpu_period,omitempty"` // µs
}

// ErrNoBefore: how the container was before the fault is not known.
var ErrNoBefore = errors.New("what it had before this fault is not known")

// Or is what is to be remembered after the same fault was injected into the same
// container again: first where the second time only saw what the first had
// done.
func (b Before) Or(first Before) Before {
	switch {
	case first.ID == "" || b.ID != first.ID:
	case len(b.Networks) == 0 && b.Limits == nil && b.Spec == nil:
		return first
	case b.Limits != nil && first.Set != nil && *b.Limits == *first.Set:
		return first
	}
	return b
}

// Names of faults. Any container knows the first group, the demo's own services
// the others too.
const (
	FaultStop       = "stop"
	FaultKill       = "kill"
	FaultCrash      = "crash"
	FaultPause      = "pause"
	FaultDisconnect = "disconnect"
	FaultRemove     = "remove"
	FaultMemory     = "memory"
	FaultCPU        = "cpu"

	FaultHang = "hang"
	FaultBusy = "busy"
	FaultFail = "fail"
	FaultSlow = "slow"
	FaultLeak = "leak"
	FaultExit = "exit"
	FaultDisk = "disk"
	FaultFDs  = "fds"
)

// Undo is how a fault is taken back.
type Undo string

// How faults are taken back.
const (
	UndoStart    Undo = "start"
	UndoRestart  Undo = "restart"
	UndoUnpause  Undo = "unpause"
	UndoConnect  Undo = "connect"  // to the networks that it was detached from
	UndoLimits   Undo = "limits"   // the old ones, and a start where it has ended
	UndoRecreate Undo = "recreate" // from the specification that was read before
	UndoFree     Undo = "free"     // what the fault has taken is given back
)

// Fault is one that Inject may know, as a person reads it.
type Fault struct {
	Name string
	Does string // what it does, in one sentence
	Undo Undo
	// Reversible: the undo leaves nothing changed that a restart would have kept.
	Reversible bool
	// Repairable: a correct repair without a person is possible.
	Repairable bool
}

// KnownFaults are all faults there are, those that are shown first first. Which
// of them a container knows is Injector.Faults.
func KnownFaults() []Fault {
	return []Fault{
		{FaultStop, "Asks the main process to end, as docker stop does.", UndoStart, true, true},
		{FaultKill, "Kills the main process through the engine, as docker kill does.", UndoStart, true, true},
		{FaultPause, "Freezes every process: connections are accepted and never answered.", UndoUnpause, true, true},
		{FaultExit, "The service panics and exits by itself with code 1.", UndoStart, true, true},
		{FaultFail, "The service answers every request with 500 until it is restarted.", UndoRestart, true, true},
		{FaultHang, "The service accepts connections and never answers, until it is restarted.", UndoRestart, true, true},
		{FaultLeak, "The service allocates memory until it is killed for it.", UndoRestart, true, true},
		{FaultCrash, "Kills the main process from outside the engine, as the kernel would.", UndoStart, true, true},
		{FaultBusy, "The service computes on one core without end, and answers nothing, until it is restarted.", UndoRestart, true, true},
		{FaultFDs, "The service runs out of file descriptors, and answers 500 until it is restarted.", UndoRestart, true, true},
		{FaultSlow, "The service answers slower than its latency limit until it is restarted: DEGRADED, which is not repaired.", UndoRestart, true, false},
		{FaultDisk, "The service's disk is full: it answers 507, also after a restart.", UndoFree, true, false},
		{FaultDisconnect, "Detaches the container from all of its networks, as docker network disconnect does.", UndoConnect, true, true},
		{FaultMemory, "Sets the memory limit just under what the container uses.", UndoLimits, true, false},
		{FaultCPU, "Leaves the container a fiftieth of a core.", UndoLimits, true, false},
		{FaultRemove, "Removes the container, as docker rm -f does; volumes stay, what it wrote elsewhere is lost.", UndoRecreate, false, false},
	}
}

// FaultNamed is the fault with that name, if there is one.
func FaultNamed(name string) (Fault, bool) {
	for _, f := range KnownFaults() {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}
