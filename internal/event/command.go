package event

import "time"

// Commands that an operator, or the page, may write.
const (
	CommandHeal = "heal"
	// CommandPropose proposes a repair, which waits for an operator's approval.
	CommandPropose   = "propose"
	CommandInject    = "inject"
	CommandHold      = "hold"
	CommandRelease   = "release"
	CommandSilence   = "silence"
	CommandUnsilence = "unsilence"
	CommandApprove   = "approve"
	CommandDeny      = "deny"
	CommandUndo      = "undo"
	// CommandAcknowledge stops the repeated notifications of an incident.
	CommandAcknowledge = "acknowledge"
	// CommandNote adds an operator's text to an incident. The request itself is the
	// note: no result follows.
	CommandNote = "note"
)

// ByPhoneLink is the Command.By of what was confirmed on the page of a signed
// link. It names no person.
const ByPhoneLink = ByOperator + "phone-link"

// MaxNote is how many bytes the text of a note has at most.
const MaxNote = 2000

// Command is a request: a record of TopicCommands. The instance that
// executes it writes it a second time, with Result.
type Command struct {
	ID      string         `json:"id"`
	Time    time.Time      `json:"time"`
	By      string         `json:"by"` // operator:<name>, or mcp:<name> of a program that proposes
	Service string         `json:"service"`
	Command string         `json:"command"`
	Args    CommandArgs    `json:"args"`
	Result  *CommandResult `json:"result,omitempty"`
	Origin
}

// CommandArgs are the arguments of every command; each uses its own.
type CommandArgs struct {
	Incident string `json:"incident,omitempty"`
	Reason   string `json:"reason,omitempty"`
	For      string `json:"for,omitempty"`
	Action   string `json:"action,omitempty"`
	Fault    string `json:"fault,omitempty"`
	Undo     bool   `json:"undo,omitempty"`
	Attempt  int    `json:"attempt,omitempty"` // of undo; 0: the newest that can be undone
	Request  int    `json:"request,omitempty"` // of approve and deny: the seq of the request that is answered; 0: the one that stands
	Text     string `json:"text,omitempty"`    // of note, at most MaxNote bytes
	Link     string `json:"link,omitempty"`    // the id of the signed link that permitted it, which permits nothing more
}

// CommandResult is what became of a command.
type CommandResult struct {
	OK    bool        `json:"ok"`
	Error string      `json:"error,omitempty"` // for people
	Code  RefusalCode `json:"code,omitempty"`  // the same for programs, where there is one
	Legal []string    `json:"legal,omitempty"` // of a proposal that was refused: the actions that could be proposed instead
	// Before is what the undo of an injected fault needs, without secrets: JSON,
	// for the instance that injected it.
	Before string `json:"before,omitempty"`
}
