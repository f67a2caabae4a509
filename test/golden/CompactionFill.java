import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Fills a small compacted topic with all that compaction knows; see compact_with_kafka.sh. */
public class CompactionFill {
    static final String TOPIC = "c";
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};

    public static void main(String[] arguments) throws Exception {
        String address = arguments[0];
        int round = Integer.parseInt(arguments[1]);
        Random random = new Random(round);
        if (round == 1) create(address);
        for (int run = 0; run < 12; run++) {
            String transactionalId = run % 3 == 1 ? "t" + (run % 4) : null;
            try (var producer = producer(address, CODECS[(run + round) % 5], transactionalId)) {
                if (transactionalId != null) producer.initTransactions();
                for (int part = 0; part < 10; part++) {
                    if (transactionalId != null) producer.beginTransaction();
                    for (int index = 0; index < 60; index++) producer.send(record(random));
                    producer.flush();
                    if (transactionalId == null) continue;
                    if ((part + run) % 3 == 0) producer.abortTransaction();
                    else producer.commitTransaction();
                }
            }
        }
    }

    static void create(String address) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
            NewTopic topic = new NewTopic(TOPIC, 1, (short) 1);
            topic.configs(Map.of("cleanup.policy", "compact", "segment.bytes", "1048576",
                "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "100"));
            admin.createTopics(List.of(topic)).all().get();
        }
    }

    static KafkaProducer<byte[], byte[]> producer(String address, String codec, String transactionalId) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", address);
        properties.put("compression.type", codec);
        properties.put("linger.ms", "5");
        if (transactionalId != null) properties.put("transactional.id", transactionalId);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static ProducerRecord<byte[], byte[]> record(Random random) {
        byte[] value = new byte[800];
        random.nextBytes(value);
        for (int index = 0; index < value.length; index++) value[index] = (byte) (33 + (value[index] & 63));
        boolean isRare = random.nextInt(10) == 0;
        String key = "k" + (isRare ? 5000 + random.nextInt(20000) : random.nextInt(300));
        if (random.nextInt(8) == 0) value = null;
        else if (random.nextInt(20) == 0) value = new byte[0];
        var record = new ProducerRecord<>(TOPIC, key.getBytes(StandardCharsets.UTF_8), value);
        if (random.nextInt(5) == 0) record.headers().add("h", new byte[] {1, 2});
        return record;
    }
}
