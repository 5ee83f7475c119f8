//go:build e2e

package kafka

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Tools is a folder with Kafka's own console consumer and producer, under the
// names that they have in its distribution.
func Tools(t testing.TB) string {
	t.Helper()
	jars, err := find()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, class := range map[string]string{
		"kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
		"kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
	} {
		script := fmt.Sprintf("#!/bin/sh\nexec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '%s' %s \"$@\"\n",
			filepath.Join(jars, "*"), class)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
