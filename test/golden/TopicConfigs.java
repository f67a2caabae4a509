// Prints Kafka's topic settings as JSON, one line each: run by hand with Kafka 4.1's jars.
//
//     java -cp "LIBS/*" test/golden/TopicConfigs.java > test/golden/kafka_4_1_topic_configs.json
//
// `verdicts` are the answers of Kafka's own validator to values at and beyond every bound. Only facts
// are kept; test/metadata/kafka_topic_configs_test.ts compares the table of settings with them.
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.storage.internals.log.LogConfig;

public class TopicConfigs {
    static final List<String> VALUES = List.of("", " ", " 7 ", "-131073", "-131072", "-3", "-2", "-1", "-1.0",
        "0", "+1", "1", "3", "4", "9", "10", "17", "18", "22", "23", "0.5", "1.0", "1.1", "1e0", "1d", "NaN", "0x10",
        "1_000", "13", "14", "1048575", "1048576", "2147483647", "2147483648", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "abc", "true", "TRUE", "false", " true ", "yes", "delete", "compact",
        "compact,delete", "compact, delete", "delete,delete", "delete,", ",delete", "Delete", "none", "gzip", "GZIP",
        "uncompressed", "producer", "CreateTime", "LogAppendTime", "createtime", "*", "1:2,3:4", "1:2", "0:1,", "x:y");

    public static void main(String[] args) {
        ConfigDef definition = LogConfig.configDefCopy();
        List<String> settings = new ArrayList<>();
        List<String> verdicts = new ArrayList<>();
        for (String name : new TreeSet<>(LogConfig.configNames())) {
            ConfigDef.ConfigKey key = definition.configKeys().get(name);
            if (name.startsWith("internal.")) continue;
            settings.add("  {\"name\": " + text(name) + ", \"type\": " + text(key.type.toString().toLowerCase())
                + ", \"default\": " + text(ConfigDef.convertToString(key.defaultValue, key.type))
                + ", \"validator\": " + text(key.validator == null ? null : key.validator.toString())
                + ", \"synonym\": " + text(LogConfig.configDefCopy().serverConfigName(name).orElse(null)) + "}");
            String accepted = VALUES.stream().filter(value -> isAccepted(name, value))
                .map(TopicConfigs::text).collect(Collectors.joining(", "));
            verdicts.add("  " + text(name) + ": [" + accepted + "]");
        }
        System.out.println("{\"settings\": [\n" + String.join(",\n", settings) + "\n],\n\"values\": ["
            + VALUES.stream().map(TopicConfigs::text).collect(Collectors.joining(", "))
            + "],\n\"accepted\": {\n" + String.join(",\n", verdicts) + "\n}}");
    }

    /** As the controller judges a topic's settings, where no object store is configured. */
    static boolean isAccepted(String name, String value) {
        Properties settings = new Properties();
        settings.setProperty(name, value);
        try {
            Map<String, Object> broker = Map.of("retention.ms", "604800000");
            LogConfig.validate(Map.of(), settings, broker, false);
            return true;
        } catch (RuntimeException refused) {
            return false;
        }
    }

    static String text(String value) {
        return value == null ? "null" : "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
