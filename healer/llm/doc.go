// Package llm queries a language model for its view of a failure: which of the
// legal actions it would take, and why. It knows nothing of incidents, Kafka or
// Docker.
//
// What a model says is text from outside. It can choose from the actions
// that it was offered and from nothing else; its words are bounded and shown,
// never executed. Whatever goes wrong (nothing there, too late, no such
// model, an answer that is none) ends within the time-out as an Answer that
// says so: the caller goes on without an opinion.
//
//	config.go    where the model is, and how long it may take
//	question.go  the facts, log lines and actions as a prompt and a JSON schema (pure)
//	answer.go    from what came back to an opinion, or why it is none (pure, fuzzed)
//	ollama.go    two calls of Ollama's HTTP API: show and chat
package llm
