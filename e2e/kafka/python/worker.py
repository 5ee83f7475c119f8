"""Reads health logs as the worker of the proof of concept does, and prints of each the four fields that it takes."""
import json
import sys

from kafka import KafkaConsumer

consumer = KafkaConsumer("system-logs", bootstrap_servers=sys.argv[1], auto_offset_reset="earliest", group_id="ai-worker")
for msg in consumer:
    log = json.loads(msg.value)
    print(json.dumps({field: log[field] for field in ("timestamp", "service", "status", "code")}), flush=True)
