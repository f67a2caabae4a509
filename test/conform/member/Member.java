import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A member of a group by Kafka's own client: java -cp 'LIBS/*' Member.java HOST:PORT GROUP TOPIC
 * PROTOCOL [INSTANCE], the protocol being "classic" or "consumer". Prints "PARTITION OFFSET VALUE" of
 * every record, and on stderr when partitions have moved; SIGTERM commits and leaves.
 */
public class Member {
  public static void main(String[] words) {
    // Kafka's logging writes to what is stdout by then, in the middle of a record's line if need be.
    PrintStream records = System.out;
    System.setOut(System.err);
    Properties settings = new Properties();
    settings.put("bootstrap.servers", words[0]);
    settings.put("group.id", words[1]);
    settings.put("group.protocol", words[3]);
    settings.put("auto.offset.reset", "earliest");
    settings.put("auto.commit.interval.ms", "500");
    settings.put("key.deserializer", StringDeserializer.class.getName());
    settings.put("value.deserializer", StringDeserializer.class.getName());
    if (words[3].equals("classic")) {
      // A static member that is started again has to be there within its session.
      settings.put("session.timeout.ms", words.length > 4 ? "30000" : "6000");
      settings.put("heartbeat.interval.ms", "500");
      settings.put("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
    }
    if (words.length > 4) settings.put("group.instance.id", words[4]);
    KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings);
    endWithStarter();
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      consumer.wakeup();
      try {
        main.join();
      } catch (InterruptedException ended) {
        Thread.currentThread().interrupt();
      }
    }));
    try (consumer) {
      consumer.subscribe(List.of(words[2]), new Noting());
      while (true) {
        consumer.poll(Duration.ofMillis(100)).forEach(record -> records.println(
            record.partition() + " " + record.offset() + " " + record.value()));
      }
    } catch (WakeupException asked) {
      System.err.println("leaves");
    }
  }

  /** Ends this program when its stdin does, which is when whoever has started it is gone. */
  private static void endWithStarter() {
    Thread watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) { }
      } catch (IOException gone) {
        // The same.
      }
      Runtime.getRuntime().halt(1);
    });
    watch.setDaemon(true);
    watch.start();
  }

  /** Says when partitions have moved. */
  private static final class Noting implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      if (!partitions.isEmpty()) System.err.println("rebalanced, new are " + partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      if (!partitions.isEmpty()) System.err.println("rebalanced, gone are " + partitions);
    }
  }
}
