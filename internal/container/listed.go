package container

// LabelPrefix begins the labels by which a container says how it is monitored.
const LabelPrefix = "logstream."

// Listed is a container as a list of all of them shows it. Its labels, and what
// is read from Compose's, are hostile input.
type Listed struct {
	Name   string
	ID     string
	Status Status
	Labels map[string]string // those that begin with LabelPrefix, bounded

	Project   string   // Compose's project and service, or empty
	Service   string   //
	Number    int      // of the replica of that service, from 1; 0: not known
	DependsOn []string // services of the same project that it needs to run
	// Temporary: it runs one command ("docker compose run"), or Compose is about
	// to put it in another container's place or to remove it, or Recreate kept it.
	Temporary bool
	Self      bool // logstream itself runs in it

	Image string // as a person named it
	// StoppedBy is the tool that stops it from time to time and starts it again,
	// by a label of that tool's, such as docker-volume-backup; empty: none is known.
	StoppedBy string
}

// Live says whether its processes exist.
func (l Listed) Live() bool {
	return l.Status == Running || l.Status == Paused || l.Status == Restarting
}
