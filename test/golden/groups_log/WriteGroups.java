// Makes a running Apache Kafka write records of groups of every kind into __consumer_offsets.
//
// Members of both protocols, static ones, one that speaks the classic protocol in a group of the new
// one, a regular expression, commits without a member, one with an expiry timestamp of its own, a
// deleted group and a deleted offset. It ends without leaving its groups, so that they are in the log
// as they lived.

import java.io.DataInputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class WriteGroups {
  private static String bootstrap;

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    admin.createTopics(List.of(topic("orders", 3), topic("payments", 2))).all().get();
    try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
        new StringSerializer(), new StringSerializer())) {
      for (int index = 0; index < 30; index++) {
        producer.send(new ProducerRecord<>("orders", index % 3, null, "order " + index));
        producer.send(new ProducerRecord<>("payments", index % 2, null, "payment " + index));
      }
    }

    // The classic protocol: a dynamic member joins a static one, and leaves again.
    var till = member("classic-group", "classic", Map.of("group.instance.id", "till-1"));
    till.subscribe(List.of("orders", "payments"));
    poll(5, till);
    var guest = member("classic-group", "classic", Map.of("client.rack", "rack-b"));
    guest.subscribe(List.of("orders"));
    pollBoth(till, guest);
    till.commitSync();
    guest.commitSync();
    guest.close();
    poll(5, till);

    // A classic group that has become empty.
    var passing = member("empty-group", "classic", Map.of("session.timeout.ms", "10000"));
    passing.subscribe(List.of("payments"));
    poll(5, passing);
    passing.close();

    // The consumer protocol: static and dynamic, and one that leaves.
    var first = member("consumer-group", "consumer",
        Map.of("group.instance.id", "till-2", "client.rack", "rack-a"));
    first.subscribe(List.of("orders", "payments"));
    poll(5, first);
    var second = member("consumer-group", "consumer", Map.of("group.remote.assignor", "range"));
    second.subscribe(List.of("orders"));
    pollBoth(first, second);
    first.commitSync(Map.of(new TopicPartition("payments", 0), new OffsetAndMetadata(7, "seven, größe")));
    second.close();
    pollBoth(first, first);

    // A regular expression, which the broker resolves.
    var matching = member("regex-group", "consumer", Map.of());
    matching.subscribe(new SubscriptionPattern("(orders|pay.*)"));
    poll(10, matching);
    matching.commitSync();

    // A member of the classic protocol in a group of the new one.
    var modern = member("mixed-group", "consumer", Map.of());
    modern.subscribe(List.of("orders"));
    poll(5, modern);
    var classic = member("mixed-group", "classic", Map.of());
    classic.subscribe(List.of("orders"));
    pollBoth(modern, classic);

    // Offsets without members; some of them go, and so does a group.
    for (String group : List.of("simple-group", "gone-group")) {
      admin.alterConsumerGroupOffsets(group, Map.of(
          new TopicPartition("orders", 0), new OffsetAndMetadata(3),
          new TopicPartition("orders", 1), new OffsetAndMetadata(4, java.util.Optional.of(0), "")))
          .all().get();
    }
    admin.deleteConsumerGroupOffsets("simple-group", Set.of(new TopicPartition("orders", 1))).all().get();
    admin.deleteConsumerGroups(List.of("gone-group")).all().get();
    commitWithRetention();
    Runtime.getRuntime().halt(0);
  }

  private static NewTopic topic(String name, int partitions) {
    return new NewTopic(name, partitions, (short) 1);
  }

  private static KafkaConsumer<String, String> member(
      String group, String protocol, Map<String, Object> more) {
    Map<String, Object> options = new java.util.HashMap<>(more);
    options.put("bootstrap.servers", bootstrap);
    options.put("group.id", group);
    options.put("group.protocol", protocol);
    options.put("client.id", group + "-client");
    options.put("auto.offset.reset", "earliest");
    options.put("enable.auto.commit", "false");
    if (protocol.equals("classic")) options.put("heartbeat.interval.ms", "500");
    return new KafkaConsumer<>(options, new StringDeserializer(), new StringDeserializer());
  }

  private static void poll(int seconds, KafkaConsumer<?, ?> consumer) {
    long end = System.currentTimeMillis() + seconds * 1000L;
    while (System.currentTimeMillis() < end) consumer.poll(Duration.ofMillis(100));
  }

  private static void pollBoth(KafkaConsumer<?, ?> left, KafkaConsumer<?, ?> right) {
    long end = System.currentTimeMillis() + 13_000; // two heartbeats of the consumer protocol, and more
    while (System.currentTimeMillis() < end) {
      left.poll(Duration.ofMillis(100));
      right.poll(Duration.ofMillis(100));
    }
  }

  /** OffsetCommit 2 says for how long the offset shall be kept, which no client says any more. */
  private static void commitWithRetention() throws Exception {
    OffsetCommitRequestData body = new OffsetCommitRequestData()
        .setGroupId("expiring-group")
        .setRetentionTimeMs(86_400_000)
        .setTopics(List.of(new OffsetCommitRequestTopic().setName("orders").setPartitions(List.of(
            new OffsetCommitRequestPartition().setPartitionIndex(2).setCommittedOffset(5)
                .setCommittedMetadata("for a day")))));
    RequestHeader header = new RequestHeader(ApiKeys.OFFSET_COMMIT, (short) 2, "old client", 1);
    ByteBuffer head = MessageUtil.toByteBufferAccessor(header.data(), header.headerVersion()).buffer();
    ByteBuffer request = MessageUtil.toByteBufferAccessor(body, (short) 2).buffer();
    String[] place = bootstrap.split(":");
    try (Socket socket = new Socket(place[0], Integer.parseInt(place[1]))) {
      ByteBuffer frame = ByteBuffer.allocate(4 + head.remaining() + request.remaining());
      frame.putInt(head.remaining() + request.remaining()).put(head).put(request).flip();
      Channels.newChannel(socket.getOutputStream()).write(frame);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = new byte[in.readInt()];
      in.readFully(answer);
      if (answer[answer.length - 1] != 0) throw new IllegalStateException("error " + answer[answer.length - 1]);
    }
  }
}
