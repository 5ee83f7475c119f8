package container

// Fault is one that Inject may know, as a person reads it.
type Fault struct {
	Name string
	Does string // what it does, in one sentence
	Undo string // the action that repairs it: start, restart or unpause
}

// KnownFaults are all faults there are. Which of them a container knows is
// Runtime.Faults.
func KnownFaults() []Fault {
	return []Fault{
		{FaultStop, "Asks the main process to end, as docker stop does.", "start"},
		{FaultKill, "Kills the main process, as docker kill does.", "start"},
		{FaultPause, "Freezes every process: connections are accepted and never answered.", "unpause"},
		{FaultExit, "The service panics and exits by itself with code 1.", "start"},
		{FaultFail, "The service answers every request with 500 until it is restarted.", "restart"},
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
