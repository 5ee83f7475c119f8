package event

// ServiceContainer is the container that belongs to a service. Ran means that
// it was seen running under this ID.
type ServiceContainer struct {
	Name  string `json:"name"`
	ID    string `json:"id"`
	Image string `json:"image"`
	Ran   bool   `json:"ran"`
	// ImageID is that of the image that it is made of; Image is its name, which may
	// stand for another one by now.
	ImageID string `json:"image_id,omitempty"`
}
