package check

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"logstream/internal/event"
	"logstream/internal/service"
)

const protocolKafka = "Kafka"

var kafkaKind = Kind{Name: "kafka", Schemes: []string{"kafka"}, Example: "kafka://localhost:9092/topic", Problems: kafkaProblems, New: newKafka}

const (
	// kafkaMetadata is the version of the request that every broker since Kafka
	// 2.1 knows, and the oldest that Kafka 4 promises to.
	kafkaMetadata = 7
	// kafkaCorrelation stands in the request and in its answer.
	kafkaCorrelation = 1
	// maxKafka is how large an answer may be: that of a topic of 10,000 partitions.
	maxKafka = 512 << 10
)

// kafkaCheck queries one broker for the cluster's metadata: there is a controller,
// and every partition of the topic, where the url names one, has a leader.
//
// It frames its one request itself: a client that also produces and consumes is
// large, and tries other brokers where this one is to be checked.
type kafkaCheck struct {
	stateless
	topic string
}

func newKafka(def service.Definition, env Env) Checker {
	c := &kafkaCheck{stateless: statelessOf(def, env, protocolKafka, "9092"), topic: strings.TrimPrefix(urlOf(def).Path, "/")}
	c.run = c.metadata
	return c
}

func kafkaProblems(_ service.Definition, u *url.URL) []service.Problem {
	if u.User != nil {
		return urlProblem(u, "has a user, and this check does not log in; name a listener without a login")
	}
	if strings.Contains(strings.TrimPrefix(u.Path, "/"), "/") {
		return urlProblem(u, "has a path that is not the name of one topic, such as kafka://localhost:9092/orders")
	}
	return urlProblems(u)
}

func (c *kafkaCheck) metadata(ctx context.Context, p *progress) error {
	answer, err := c.query(ctx, p)
	if err != nil {
		return err
	}
	return c.judge(p, answer)
}

// query sends one request to the broker of the url, once.
func (c *kafkaCheck) query(ctx context.Context, p *progress) (*kmsg.MetadataResponse, error) {
	s := p.session(ctx)
	defer s.end()
	conn, err := s.open()
	if err != nil {
		return nil, err
	}
	request := kmsg.NewPtrMetadataRequest()
	request.Version = kafkaMetadata
	request.Topics = []kmsg.MetadataRequestTopic{} // none; nil would be all
	if c.topic != "" {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &c.topic
		request.Topics = append(request.Topics, topic)
	}
	request.AllowAutoTopicCreation = false
	if _, err := conn.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("logstream")).AppendRequest(nil, request, kafkaCorrelation)); err != nil {
		return nil, err
	}
	body, err := readKafka(conn)
	if err != nil {
		return nil, err
	}
	response := kmsg.NewPtrMetadataResponse()
	response.Version = kafkaMetadata
	if err := response.ReadFrom(body); err != nil {
		return nil, errNotKafka
	}
	return response, nil
}

// readKafka is what follows the header of an answer.
func readKafka(conn io.Reader) ([]byte, error) {
	var header [8]byte // how long the rest is, and what it answers
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[:4])
	if size < 4 || size > maxKafka || binary.BigEndian.Uint32(header[4:]) != kafkaCorrelation {
		return nil, errNotKafka
	}
	body := make([]byte, size-4)
	_, err := io.ReadFull(conn, body)
	return body, err
}

var errNotKafka = errors.New("not an answer of Kafka")

// kafkaAuth are the errors of what this check may not see.
var kafkaAuth = []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.SaslAuthenticationFailed, kerr.IllegalSaslState}

// refused is an error of the broker's, about the request.
func (c *kafkaCheck) refused(answers string, said *kerr.Error) error {
	failure := event.FailureAnswer
	if slices.Contains(kafkaAuth, said) {
		failure = event.FailureAuth
	}
	return failed(failure, "%s %s: %s (error %d)", c.host, answers, said.Message, said.Code)
}

func (c *kafkaCheck) judge(p *progress, answer *kmsg.MetadataResponse) error {
	for _, broker := range answer.Brokers {
		p.noteAnswer("broker", net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port))))
	}
	if len(answer.Brokers) == 0 || answer.ControllerID < 0 {
		return failed(event.FailureAnswer, "%s reports that its cluster has no controller", c.host)
	}
	name := c.foreign(c.topic)
	for _, topic := range answer.Topics {
		if said := kerr.TypedErrorForCode(topic.ErrorCode); said != nil {
			return c.refused("answers for the topic "+name, said)
		}
		for _, partition := range topic.Partitions {
			if partition.Leader < 0 {
				return failed(event.FailureAnswer, "%s answers that partition %d of the topic %s has no leader", c.host, partition.Partition, name)
			}
		}
	}
	return nil
}
