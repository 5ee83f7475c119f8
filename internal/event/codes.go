package event

import "strings"

// Failure says at which stage a check of ours failed. Readers treat one that
// they don't know as FailureCheck.
type Failure string

// The stages at which a check can fail.
const (
	FailureDNS            Failure = "dns"             // the host's name has no address, or the resolver does not answer
	FailureConnectRefused Failure = "connect_refused" // nothing listens
	FailureConnectTimeout Failure = "connect_timeout" // no answer to the connection attempt
	FailureUnreachable    Failure = "unreachable"     // no route to the host or network
	FailureReset          Failure = "reset"           // the connection was cut after it was made
	FailureTLSCertificate Failure = "tls_certificate" // expired, of another name, or of an unknown authority
	FailureTLSTimeout     Failure = "tls_timeout"     // the handshake did not end
	FailureProtocol       Failure = "protocol"        // no HTTP, plain HTTP where TLS was meant, or the other way round
	FailureHeaderTimeout  Failure = "header_timeout"  // connected, and no answer began
	FailureBodyTimeout    Failure = "body_timeout"    // the answer began and did not end
	FailureStatus         Failure = "status"          // an HTTP status that is not expected
	FailureBody           Failure = "body"            // the answer's body is not as expected
	FailureLatency        Failure = "latency"         // slower than expected
	FailureAuth           Failure = "auth"            // a login was refused
	FailureAnswer         Failure = "answer"          // of a protocol other than HTTP, not as expected
	FailureSilence        Failure = "silence"         // a push source sent nothing
	FailureReported       Failure = "reported"        // a push source reported DOWN
	FailureDisk           Failure = "disk"            // too little space
	FailureUnhealthy      Failure = "unhealthy"       // the container's own HEALTHCHECK fails
	FailureCrashLoop      Failure = "crash_loop"      // of a container's level: it keeps exiting, and its restart policy starts it
	FailureCheck          Failure = "check"           // the check itself cannot be made
)

// Outcome is what became of an action, or of its verification.
type Outcome string

// The outcomes of ActionFinished and of Verified.
const (
	OutcomeOK          Outcome = "ok"           // the call was made and succeeded
	OutcomeRefused     Outcome = "refused"      // the engine answered with an error
	OutcomeNotExecuted Outcome = "not_executed" // the call was never made
	OutcomeUnknown     Outcome = "unknown"      // it was interrupted, and nothing shows whether it took effect

	OutcomeVerified    Outcome = "verified"    // enough good checks in a row
	OutcomeFailed      Outcome = "failed"      // the repair failed its verification
	OutcomeInterrupted Outcome = "interrupted" // an external change ended the attempt
)

// InvalidCode says why a model's view was not used, or not as it was given.
type InvalidCode string

// Why a model's view was not used.
const (
	InvalidLate         InvalidCode = "late"          // no answer within its time-out
	InvalidUnreachable  InvalidCode = "unreachable"   // the model cannot be queried: its server is down, fails or is busy
	InvalidMissingModel InvalidCode = "missing_model" // the server does not have the model
	InvalidIllegal      InvalidCode = "illegal"       // it chose what is not legal here
	InvalidGarbage      InvalidCode = "garbage"       // the answer could not be read
	InvalidNoOpinion    InvalidCode = "no_opinion"    // it would wait, or call a person, while a repair is available
	InvalidOverruled    InvalidCode = "overruled"     // its choice is not the repair of the cause that the facts prove
)

// complete gives an event that was written before outcomes had codes the one
// that its fields say.
func complete(data Data) Data {
	switch data := data.(type) {
	case ActionFinished:
		switch {
		case data.Outcome != "":
		case data.OK:
			data.Outcome = OutcomeOK
		case strings.HasPrefix(data.Error, notCarriedOut):
			data.Outcome = OutcomeNotExecuted
		default:
			data.Outcome = OutcomeRefused
		}
		return data
	case Verified:
		switch {
		case data.Outcome != "":
		case data.OK:
			data.Outcome = OutcomeVerified
		case strings.HasPrefix(data.Error, interrupted):
			data.Outcome = OutcomeInterrupted
		default:
			data.Outcome = OutcomeFailed
		}
		return data
	}
	return data
}

// What the errors of records without an outcome begin with.
const (
	notCarriedOut = "not carried out: "
	interrupted   = "interrupted: "
)

// RefusalCode says why a command about an incident was not executed.
type RefusalCode string

// Why a command was refused.
const (
	RefusedUnknown   RefusalCode = "unknown"   // there is no such incident, or attempt
	RefusedNothing   RefusalCode = "nothing"   // nothing waits for it: nothing to approve, to undo, to acknowledge
	RefusedDuplicate RefusalCode = "duplicate" // it was done before
	RefusedExpired   RefusalCode = "expired"   // the request had expired
	RefusedOvertaken RefusalCode = "overtaken" // the container is no longer as the action left it
	RefusedBusy      RefusalCode = "busy"      // an event or a repair is under way: to be requested again in a moment
	RefusedIllegal   RefusalCode = "illegal"   // a proposed action is not one of the legal ones
	RefusedHeld      RefusalCode = "held"      // a gate holds what was proposed
)
