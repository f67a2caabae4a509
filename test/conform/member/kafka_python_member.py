"""A member of a group by kafka-python: kafka_python_member.py HOST:PORT GROUP TOPIC.

Prints "PARTITION OFFSET VALUE" of every record; SIGTERM commits and leaves.
"""
import signal
import sys

from ends_with_its_starter import end_with_starter
from kafka import KafkaConsumer

end_with_starter()
broker, group, topic = sys.argv[1:4]
is_running = True


def stop(*_):
    global is_running
    is_running = False


signal.signal(signal.SIGTERM, stop)
consumer = KafkaConsumer(
    topic,
    bootstrap_servers=broker,
    group_id=group,
    auto_offset_reset="earliest",
    auto_commit_interval_ms=500,
    session_timeout_ms=6000,
    heartbeat_interval_ms=500,
    max_poll_interval_ms=10000,
)
while is_running:
    for messages in consumer.poll(timeout_ms=100).values():
        for message in messages:
            print(message.partition, message.offset, message.value.decode(), flush=True)
consumer.close()
