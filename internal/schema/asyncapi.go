package schema

import (
	"strings"
)

// object is a part of a document.
type object = map[string]any

func ref(path string) object { return object{"$ref": path} }

// described is a schema of a string with a description.
func described(what string) object { return object{"type": "string", "description": what} }

// asyncAPI describes all topics in one AsyncAPI document.
func asyncAPI(root string) ([]byte, error) {
	s := NewSet(root, "#/components/schemas/")
	if err := s.RefineRecords(); err != nil {
		return nil, err
	}
	channels, operations, messages := object{}, object{}, object{}
	for _, topic := range Topics() {
		message, err := s.message(topic)
		if err != nil {
			return nil, err
		}
		name := "DeadLetter"
		if topic.Record != nil {
			name = topic.Record.Name()
		}
		messages[name] = message
		for _, address := range topic.Names {
			channel := channelOf(address)
			channels[channel] = object{
				"address": address, "description": topic.Summary + " Kept: " + topic.Kept + ".",
				"messages": object{name: ref("#/components/messages/" + name)},
				"bindings": object{"kafka": object{"topic": address, "bindingVersion": "0.5.0"}},
			}
			operations["publish"+channel] = operation3("send", channel, "LogStream publishes these records.")
			if topic.Anybody {
				operations["read"+channel] = operation3("receive", channel, "LogStream reads what any other program publishes.")
			}
		}
	}
	return encode(object{
		"asyncapi": "3.0.0",
		"info": object{"title": "LogStream", "version": "1", "license": object{"name": "MIT"},
			"description": "The records of LogStream on Kafka. Fields, types and topics may be added; none changes its name, type or meaning. Readers skip what they don't know."},
		"defaultContentType": "application/json",
		"servers":            object{"embedded": object{"host": "127.0.0.1:9092", "protocol": "kafka", "description": "The embedded broker, or the one of bus.brokers in config.yaml."}},
		"channels":           channels,
		"operations":         operations,
		"components":         object{"messages": messages, "schemas": s.Defs},
	})
}

func (s *Set) message(topic Topic) (object, error) {
	if topic.Record == nil {
		return object{
			"title": "DeadLetter", "summary": topic.Summary, "contentType": "application/octet-stream",
			"headers": object{"type": "object", "properties": object{
				"reason": described("why it could not be read"), "topic": described("where it stood"),
				"partition": described("where it stood"), "offset": described("where it stood"),
				"place": described("the other place that the record names; only of such a record"),
			}},
			"payload": object{"description": "the bytes of the record, untouched"},
		}, nil
	}
	of, err := s.Of(topic.Record)
	if err != nil {
		return nil, err
	}
	return object{
		"title": topic.Record.Name(), "summary": topic.Summary,
		"headers": object{"type": "object", "properties": object{
			"sig": described("of LogStream's own records: hex(HMAC-SHA256(bus.secret, topic ‖ 0x00 ‖ key ‖ 0x00 ‖ value))"),
		}},
		"payload":  of,
		"bindings": object{"kafka": object{"key": described(topic.Key), "bindingVersion": "0.5.0"}},
	}, nil
}

// operation3 is an operation as AsyncAPI 3 has it.
func operation3(action, channel, summary string) object {
	return object{"action": action, "channel": ref("#/channels/" + channel), "summary": summary}
}

// channelOf names a topic with letters and digits alone: LogstreamRollups1m.
func channelOf(topic string) string {
	name := ""
	for _, part := range strings.FieldsFunc(topic, func(r rune) bool { return r == '.' || r == '-' }) {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}
