/*
 * Kafka's own code as the judge of ours: run by hand against the jars of Kafka 4.1, never by a test.
 *
 *     javac -cp 'LIBS/*' -d /tmp/judge KafkaBatches.java
 *     java -cp '/tmp/judge:LIBS/*' KafkaBatches write > kafka_4_1_batches.json
 *     java -cp '/tmp/judge:LIBS/*' KafkaBatches read  < LINES    a batch in base64 per line: prints its records
 *     java -cp '/tmp/judge:LIBS/*' KafkaBatches judge < LINES    prints what a produced batch is answered
 *
 * `write` makes batches with MemoryRecordsBuilder and tells what Kafka reads in them.
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.*;

public class KafkaBatches {
  static final long T = 1_700_000_000_000L;
  static final Header[] NONE = new Header[0];

  public static void main(String[] args) throws Exception {
    if (args[0].equals("write")) { write(); return; }
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      byte[] bytes = Base64.getDecoder().decode(line.trim());
      System.out.println(args[0].equals("read") ? read(bytes) : judge(bytes));
    }
  }

  static void write() {
    List<String> cases = new ArrayList<>();
    for (CompressionType type : CompressionType.values()) {
      Compression codec = Compression.of(type).build();
      cases.add(batch(type.name + " small create", few(builder(codec, TimestampType.CREATE_TIME, 1 << 12))));
      cases.add(batch(type.name + " small append", few(builder(codec, TimestampType.LOG_APPEND_TIME, 1 << 12))));
      if (type != CompressionType.NONE) {
        // More than a block of lz4 and several chunks of snappy.
        cases.add(batch(type.name + " many create", many(builder(codec, TimestampType.CREATE_TIME, 1 << 18))));
      }
    }
    MemoryRecordsBuilder idempotent = MemoryRecords.builder(ByteBuffer.allocate(4096), (byte) 2, Compression.NONE,
        TimestampType.CREATE_TIME, 41L, -1L, 4_000_000_001L, (short) 7, 2147483646, true, 5);
    cases.add(batch("none transactional, sequence about to wrap", few(idempotent)));
    cases.add(batch("control commit", MemoryRecords.withEndTransactionMarker(100L, T, 3, 77L, (short) 2,
        new EndTransactionMarker(ControlRecordType.COMMIT, 9))));
    cases.add(batch("control abort", MemoryRecords.withEndTransactionMarker(101L, T, 3, 77L, (short) 2,
        new EndTransactionMarker(ControlRecordType.ABORT, 10))));
    cases.add(batch("control leader change", MemoryRecords.withLeaderChangeMessage(0L, T, 1,
        ByteBuffer.allocate(256), new LeaderChangeMessage().setLeaderId(1))));
    ByteBuffer empty = ByteBuffer.allocate(61);
    DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, 5L, (short) 1, 10, 200L, 204L, 4,
        TimestampType.CREATE_TIME, T, false, false);
    empty.flip();
    cases.add(batch("empty, as compaction leaves it", MemoryRecords.readableRecords(empty)));
    System.out.println("[\n  " + String.join(",\n  ", cases) + "\n]");
  }

  static MemoryRecordsBuilder builder(Compression codec, TimestampType type, int bytes) {
    return MemoryRecords.builder(ByteBuffer.allocate(bytes), (byte) 2, codec, type, 0L,
        type == TimestampType.LOG_APPEND_TIME ? T + 5000 : -1L, -1L, (short) -1, -1, false, 0);
  }

  static MemoryRecords few(MemoryRecordsBuilder builder) {
    builder.append(T, bytes("key"), bytes("value"), NONE);
    builder.append(T - 3, (byte[]) null, bytes("no key"), NONE);
    builder.append(T + 1_000_000, bytes("no value"), null, NONE);
    builder.append(T, (byte[]) null, (byte[]) null, new Header[] {
        new RecordHeader("h", bytes("1")), new RecordHeader("h", (byte[]) null), new RecordHeader("\u00fc\u20ac", new byte[0]) });
    builder.append(T + 70, new byte[0], new byte[300], NONE);
    return builder.build();
  }

  static MemoryRecords many(MemoryRecordsBuilder builder) {
    for (int i = 0; i < 1500; i++) {
      builder.append(T + i * 11L, bytes("k" + i % 7), bytes("event " + (i * 7919) % 1009 + " of a file that repeats itself, line " + i), NONE);
    }
    return builder.build();
  }

  static byte[] bytes(String text) { return text.getBytes(StandardCharsets.UTF_8); }

  static String batch(String name, MemoryRecords records) {
    ByteBuffer buffer = records.buffer().duplicate();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return "{\"name\":\"" + name + "\",\"batch\":\"" + Base64.getEncoder().encodeToString(bytes) + "\"," + read(bytes) + "}";
  }

  /** Header and records as Kafka reads them; of many records the first 3 and a checksum of all. */
  static String read(byte[] bytes) {
    RecordBatch batch = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches().iterator().next();
    batch.ensureValid();
    List<String> records = new ArrayList<>();
    java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
    for (org.apache.kafka.common.record.Record record : batch) {
      String line = line(record);
      crc.update(bytes(line));
      if (records.size() < 5) records.add("\"" + line + "\"");
    }
    return "\"header\":{\"baseOffset\":" + batch.baseOffset() + ",\"lastOffset\":" + batch.lastOffset()
        + ",\"partitionLeaderEpoch\":" + batch.partitionLeaderEpoch() + ",\"crc\":" + batch.checksum()
        + ",\"compressionType\":\"" + batch.compressionType().name + "\",\"timestampType\":\""
        + (batch.timestampType() == TimestampType.CREATE_TIME ? "create" : "append") + "\",\"isTransactional\":" + batch.isTransactional()
        + ",\"isControl\":" + batch.isControlBatch() + ",\"maxTimestamp\":" + batch.maxTimestamp() + ",\"producerId\":" + batch.producerId()
        + ",\"producerEpoch\":" + batch.producerEpoch() + ",\"baseSequence\":" + batch.baseSequence() + ",\"lastSequence\":" + batch.lastSequence()
        + ",\"recordCount\":" + batch.countOrNull() + "},\"records\":[" + String.join(",", records) + "],\"recordsCrc\":" + crc.getValue();
  }

  /** offset timestamp key value header=value..., bytes in hex, null as "-". */
  static String line(org.apache.kafka.common.record.Record record) {
    StringBuilder line = new StringBuilder();
    line.append(record.offset()).append(' ').append(record.timestamp()).append(' ').append(hex(record.key())).append(' ').append(hex(record.value()));
    for (Header header : record.headers()) {
      line.append(' ').append(hex(ByteBuffer.wrap(bytes(header.key())))).append('=')
          .append(hex(header.value() == null ? null : ByteBuffer.wrap(header.value())));
    }
    return line.toString();
  }

  static String hex(ByteBuffer bytes) {
    if (bytes == null) return "-";
    StringBuilder hex = new StringBuilder("x");
    for (ByteBuffer b = bytes.duplicate(); b.hasRemaining();) hex.append(String.format("%02x", b.get()));
    return hex.toString();
  }

  /** As a broker answers Produce 9 for a topic with the default settings but a limit of 100,000 bytes. */
  static String judge(byte[] bytes) {
    try {
      MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
      ProduceRequest.validateRecords((short) 9, records);
      for (MutableRecordBatch batch : records.batches()) { // UnifiedLog.analyzeAndValidateRecords
        if (batch.baseOffset() != 0) throw new org.apache.kafka.common.InvalidRecordException("base offset");
        if (batch.sizeInBytes() > 100_000) throw new org.apache.kafka.common.errors.RecordTooLargeException("size");
        if (!batch.isValid()) throw new org.apache.kafka.common.errors.CorruptRecordException("crc");
      }
      CompressionType type = records.batches().iterator().next().compressionType();
      LogValidator validator = new LogValidator(records, new TopicPartition("t", 0), CLOCK, type, Compression.of(type).build(), false,
          (byte) 2, TimestampType.CREATE_TIME, Long.MAX_VALUE, 3_600_000L, 0, AppendOrigin.CLIENT);
      LogValidator.ValidationResult result =
          validator.validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(0), new NoMetrics(), BufferSupplier.NO_CACHING);
      return "NONE " + result.maxTimestampMs + (result.messageSizeMaybeChanged ? " rewritten" : "");
    } catch (Throwable fault) {
      Throwable cause = fault;
      if (fault instanceof RecordValidationException) cause = ((RecordValidationException) fault).invalidException();
      return Errors.forException(cause).name();
    }
  }

  /** A clock that stands still. */
  static final Time CLOCK = (Time) java.lang.reflect.Proxy.newProxyInstance(KafkaBatches.class.getClassLoader(),
      new Class<?>[] { Time.class }, (proxy, method, arguments) -> method.getReturnType() == long.class ? (Object) T : null);

  static class NoMetrics implements LogValidator.MetricsRecorder {
    public void recordInvalidMagic() {}
    public void recordInvalidOffset() {}
    public void recordInvalidSequence() {}
    public void recordInvalidChecksums() {}
    public void recordNoKeyCompactedTopic() {}
  }
}
