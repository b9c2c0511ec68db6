package laketop.engine;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Functions of Databricks that a laptop does not have, refused by name. */
final class RefusedFunctions {
  private static final String SERVICE = "it calls a service of Databricks";
  private static final Map<String, String> BY_NAME = Map.of(
      "read_kafka", "the engine has no reader of Kafka",
      "read_kinesis", SERVICE,
      "read_pubsub", SERVICE,
      "read_pulsar", "the engine has no reader of Pulsar",
      "cloud_files_state", "the checkpoint of the stream, as Spark keeps it, knows its files",
      "list_secrets", "use dbutils.secrets.list",
      "remote_query", "read the source with spark.read.format('jdbc')",
      "ai_forecast", SERVICE,
      "vector_search", SERVICE);

  private RefusedFunctions() {}

  /** Refuses a call of one of them by its name. */
  static void check(List<String> written) {
    String name = written.get(written.size() - 1).toLowerCase(Locale.ROOT);
    String why = name.startsWith("h3_") || name.startsWith("try_h3_")
        ? "use a library of H3 in Python"
        : BY_NAME.get(name);
    if (why != null && written.size() == 1) {
      throw Refusal.of("UNSUPPORTED_FEATURE", name + " is not supported here: " + why + ".");
    }
  }
}
