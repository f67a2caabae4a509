import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/** Fills topics of a running Kafka, waits for its cleaner, and prints what its own consumer reads. */
public class WriteTopics {
    static String brokers;

    public static void main(String[] args) throws Exception {
        brokers = args[0];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            admin.createTopics(List.of(
                topic("codecs", Map.of("segment.ms", "700", "index.interval.bytes", "100")),
                topic("compacted", Map.of("cleanup.policy", "compact", "segment.ms", "500",
                    "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "600000",
                    "index.interval.bytes", "100")),
                topic("transactions", Map.of("segment.ms", "900", "index.interval.bytes", "100")),
                topic("compacted_transactions", Map.of("cleanup.policy", "compact", "segment.ms", "500",
                    "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "600000")))).all().get();
        }
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            try (var producer = producer(Map.of("compression.type", codec))) {
                for (int at = 0; at < 12; at++) {
                    producer.send(record("codecs", "k" + at % 3, codec + " " + at + " " + "abc".repeat(at * 7)));
                    if (at % 3 == 2) producer.flush();
                }
            }
            Thread.sleep(300);
        }
        try (var producer = producer(Map.of("compression.type", "lz4"))) {
            for (int round = 0; round < 6; round++) {
                for (int at = 0; at < 10; at++) {
                    boolean isTombstone = round > 2 && at == 4;
                    producer.send(record("compacted", "k" + at, isTombstone ? null : "round " + round + " " + at));
                }
                producer.flush();
                Thread.sleep(700);
            }
        }
        for (String topic : List.of("transactions", "compacted_transactions")) transactions(topic);
        Thread.sleep(25000); // the cleaner's back-off is 15 s
        for (String topic : List.of("codecs", "compacted", "transactions", "compacted_transactions")) {
            for (String isolation : List.of("read_uncommitted", "read_committed")) print(topic, isolation);
        }
    }

    static void transactions(String topic) throws Exception {
        for (int round = 0; round < 4; round++) {
            for (boolean isAborted : List.of(false, true)) {
                String id = topic + (isAborted ? "-a" : "-c");
                try (var producer = producer(Map.of("transactional.id", id, "compression.type", "none"))) {
                    producer.initTransactions();
                    producer.beginTransaction();
                    for (int at = 0; at < 4; at++) {
                        producer.send(record(topic, "k" + at, (isAborted ? "aborted " : "committed ") + round + " " + at));
                    }
                    producer.flush();
                    if (isAborted) producer.abortTransaction(); else producer.commitTransaction();
                }
            }
            Thread.sleep(700);
        }
    }

    static NewTopic topic(String name, Map<String, String> config) {
        return new NewTopic(name, 1, (short) 1).configs(config);
    }

    static KafkaProducer<String, String> producer(Map<String, String> more) {
        Map<String, Object> config = new HashMap<>(more);
        config.put("bootstrap.servers", brokers);
        config.put("linger.ms", "20");
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    static ProducerRecord<String, String> record(String topic, String key, String value) {
        return new ProducerRecord<>(topic, null, key, value);
    }

    static void print(String topic, String isolation) {
        Map<String, Object> config = Map.of("bootstrap.servers", brokers, "isolation.level", isolation);
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            var partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (var one : consumer.poll(Duration.ofMillis(200))) {
                    System.out.printf("{\"topic\":\"%s\",\"isolation\":\"%s\",\"offset\":%d,\"timestamp\":%d,\"key\":%s,\"value\":%s}%n",
                        topic, isolation, one.offset(), one.timestamp(), text(one.key()), text(one.value()));
                }
            }
        }
    }

    static String text(String text) {
        return text == null ? "null" : "\"" + text + "\"";
    }
}
