// Command entrypoint starts Apache Kafka in the tests' own image, from
// environment variables, as the public image apache/kafka does: it writes
// server.properties, formats the directory where that was not done yet, and
// becomes the broker. Nothing but the variables is configured.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

const (
	java       = "/opt/java/bin/java"
	properties = "/opt/kafka/config/server.properties"
	cluster    = "bG9nc3RyZWFtLWUyZS0xMg" // where CLUSTER_ID is not set
)

func main() {
	if err := run(os.Environ()); err != nil {
		fmt.Fprintln(os.Stderr, "entrypoint: "+err.Error())
		os.Exit(1)
	}
}

func run(env []string) error {
	if err := os.WriteFile(properties, []byte(settings(env)), 0o600); err != nil {
		return fmt.Errorf("write Kafka's settings: %w", err)
	}
	id := os.Getenv("CLUSTER_ID")
	if id == "" {
		id = cluster
	}
	format := command("kafka.tools.StorageTool", "format", "--ignore-formatted", "--cluster-id", id, "--config", properties)
	if out, err := exec.Command(format[0], format[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka's directory: %w: %s", err, out)
	}
	// It takes our place, so that it is the process that docker stop signals.
	if err := syscall.Exec(java, command("kafka.Kafka", properties), env); err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	return nil
}

func command(class string, args ...string) []string {
	line := append([]string{java}, strings.Fields(os.Getenv("KAFKA_HEAP_OPTS"))...)
	line = append(line, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", "/opt/kafka/libs/*", class)
	return append(line, args...)
}

// notSettings are variables of Kafka's start scripts.
var notSettings = []string{"KAFKA_VERSION", "KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_LOG4J_OPTS", "KAFKA_JMX_OPTS", "KAFKA_GC_LOG_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS"}

// settings turns KAFKA_NODE_ID=1 into node.id=1, and so on. Two underscores
// stand for one, and three for a hyphen.
func settings(env []string) string {
	var lines []string
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		key, is := strings.CutPrefix(name, "KAFKA_")
		if !is || slices.Contains(notSettings, name) {
			continue
		}
		key = strings.NewReplacer("___", "-", "__", "_", "_", ".").Replace(strings.ToLower(key))
		lines = append(lines, key+"="+value+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
