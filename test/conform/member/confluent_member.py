"""A member of a group by confluent-kafka: confluent_member.py HOST:PORT GROUP TOPIC [PROTOCOL].

The protocol is "classic" or "consumer". Prints "PARTITION OFFSET VALUE" of every record; SIGTERM
commits and leaves.
"""
import signal
import sys

from confluent_kafka import Consumer
from ends_with_its_starter import end_with_starter

end_with_starter()
broker, group, topic = sys.argv[1:4]
protocol = sys.argv[4] if len(sys.argv) > 4 else "classic"
settings = {
    "bootstrap.servers": broker,
    "group.id": group,
    "group.protocol": protocol,
    "auto.offset.reset": "earliest",
    "auto.commit.interval.ms": 500,
}
if protocol == "classic":
    settings["session.timeout.ms"] = 6000
    settings["heartbeat.interval.ms"] = 500
    settings["partition.assignment.strategy"] = "cooperative-sticky"
is_running = True


def stop(*_):
    global is_running
    is_running = False


signal.signal(signal.SIGTERM, stop)
consumer = Consumer(settings)
consumer.subscribe([topic])
while is_running:
    message = consumer.poll(0.1)
    if message is not None and message.error() is None:
        print(message.partition(), message.offset(), message.value().decode(), flush=True)
consumer.close()
