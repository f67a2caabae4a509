"""A member of a group by aiokafka: aiokafka_member.py HOST:PORT GROUP TOPIC.

Prints "PARTITION OFFSET VALUE" of every record; SIGTERM commits and leaves.
"""
import asyncio
import signal
import sys

from aiokafka import AIOKafkaConsumer
from ends_with_its_starter import end_with_starter


async def main(broker, group, topic):
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker,
        group_id=group,
        auto_offset_reset="earliest",
        auto_commit_interval_ms=500,
        session_timeout_ms=6000,
        heartbeat_interval_ms=500,
        rebalance_timeout_ms=10000,
        metadata_max_age_ms=5000,
    )
    await consumer.start()
    try:
        while not stopped.is_set():
            found = await consumer.getmany(timeout_ms=100)
            for messages in found.values():
                for message in messages:
                    print(message.partition, message.offset, message.value.decode(), flush=True)
    finally:
        await consumer.stop()


end_with_starter()
asyncio.run(main(*sys.argv[1:4]))
