// Reads messages and records with the generated classes of Apache Kafka, and writes them back.
//
// Each line of the standard input is "Name direction version hexadecimal", where the direction is
// "request", "response", or, for records of __consumer_offsets, "key" or "value" (without the two bytes
// that stand before their fields), or "data" for what consumers tell each other. Lines whose message
// comes back equal are printed; of others it is told on the standard error what went wrong.
//
//     java -cp "kafka/libs/*" test/golden/MessageEcho.java < lines.txt > echoed.txt

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;

public class MessageEcho {
  public static void main(String[] args) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] parts = line.split(" ", 4);
      short version = Short.parseShort(parts[2]);
      byte[] bytes = HexFormat.of().parseHex(parts[3]);
      try {
        Message message = classOf(parts[0], parts[1]).getDeclaredConstructor().newInstance();
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        message.read(new ByteBufferAccessor(buffer), version);
        String echo = hex(MessageUtil.toByteBufferAccessor(message, version).buffer());
        if (buffer.hasRemaining()) System.err.println(line + "\n  leaves " + buffer.remaining());
        else if (!echo.equals(parts[3])) System.err.println(line + "\n  came back as " + echo);
        else System.out.println(line);
      } catch (RuntimeException error) {
        System.err.println(line + "\n  is refused: " + error);
      }
    }
  }

  private static Class<? extends Message> classOf(String name, String direction) throws Exception {
    String className = switch (direction) {
      case "request" -> "org.apache.kafka.common.message." + name + "RequestData";
      case "response" -> "org.apache.kafka.common.message." + name + "ResponseData";
      case "key" -> "org.apache.kafka.coordinator.group.generated." + name + "Key";
      case "value" -> "org.apache.kafka.coordinator.group.generated." + name + "Value";
      default -> "org.apache.kafka.common.message." + name;
    };
    return Class.forName(className).asSubclass(Message.class);
  }

  private static String hex(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
