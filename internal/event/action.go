package event

import "time"

// Network is how a container is attached to one network: what was asked for,
// and not what the engine assigned.
type Network struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	IPv4    string   `json:"ipv4,omitempty"` // asked for; empty: the engine chooses
	IPv6    string   `json:"ipv6,omitempty"`
}

// Params say exactly what an action does; each action uses its own. They hold no
// secret: a container's variables never enter them.
type Params struct {
	Networks    []Network `json:"networks,omitempty"`     // connect: what it is attached to
	MemoryBytes int64     `json:"memory_bytes,omitempty"` // raise_memory: the limit from then on
	ImageID     string    `json:"image_id,omitempty"`     // rollback, recreate: what the new container is made of
	Image       string    `json:"image,omitempty"`        // the same as a person names it
	SpecHash    string    `json:"spec_hash,omitempty"`    // recreate: of the remembered specification
	Command     string    `json:"command,omitempty"`      // run: the name in heal.commands
	ContainerID string    `json:"container_id,omitempty"` // of an undo: the container that was kept
	// RestartPolicy and RestartLimit are those of a container that is to be
	// replaced, and Stopped that it does not run: of an undo.
	RestartPolicy string `json:"restart_policy,omitempty"`
	RestartLimit  int    `json:"restart_limit,omitempty"`
	Stopped       bool   `json:"stopped,omitempty"`
}

// Good is how a service's container was while the service was last healthy. The
// values of its variables are not in it.
type Good struct {
	Since       time.Time `json:"since"` // from when on it was seen so
	ContainerID string    `json:"container_id"`
	SpecHash    string    `json:"spec_hash"`
	ImageID     string    `json:"image_id"`
	Image       string    `json:"image"`
	Networks    []Network `json:"networks,omitempty"`
	MemoryBytes int64     `json:"memory_bytes,omitempty"` // its limit; 0: none
	Variables   []string  `json:"variables,omitempty"`    // names
	// Previous is the image that the service ran healthily with before this one;
	// empty where none is known.
	PreviousImageID string `json:"previous_image_id,omitempty"`
	PreviousImage   string `json:"previous_image,omitempty"`
	// ImageSince is from when on it was seen with this image, whatever else changed.
	ImageSince time.Time `json:"image_since,omitzero"`
}

// Attached are the networks that a service's container is known to have been attached to.
type Attached struct {
	ContainerID string    `json:"container_id"`
	Networks    []Network `json:"networks"`
}
