package event

import "encoding/json"

// Other is the data of a type that this version does not know.
type Other struct {
	Type Type
	Raw  json.RawMessage
}

func (Opened) eventType() Type            { return TypeOpened }
func (Noted) eventType() Type             { return TypeNoted }
func (Evidence) eventType() Type          { return TypeEvidence }
func (Diagnosed) eventType() Type         { return TypeDiagnosed }
func (ApprovalRequested) eventType() Type { return TypeApprovalRequested }
func (Approved) eventType() Type          { return TypeApproved }
func (Denied) eventType() Type            { return TypeDenied }
func (Acknowledged) eventType() Type      { return TypeAcknowledged }
func (ActionStarted) eventType() Type     { return TypeActionStarted }
func (ActionFinished) eventType() Type    { return TypeActionFinished }
func (Verified) eventType() Type          { return TypeVerified }
func (Resolved) eventType() Type          { return TypeResolved }
func (Escalated) eventType() Type         { return TypeEscalated }
func (Suppressed) eventType() Type        { return TypeSuppressed }
func (Reported) eventType() Type          { return TypeReported }
func (Claim) eventType() Type             { return TypeClaim }
func (o Other) eventType() Type           { return o.Type }

// MarshalJSON writes what was read.
func (o Other) MarshalJSON() ([]byte, error) {
	if len(o.Raw) == 0 {
		return []byte("{}"), nil
	}
	return o.Raw, nil
}

// TypeOf is the type of an event that says data.
func TypeOf(data Data) Type { return data.eventType() }
