package laketop.engine;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * CONVERT TO DELTA of a table by its name: first its files, then its entry, which is one write.
 *
 * <p>A kill in between leaves a table of Parquet beside whose files Delta's log lies unread.
 */
final class ConvertToDelta {
  static final List<Statement> ALL = List.of(Statement.of(
      "CONVERT~TO~DELTA~(?!(?:parquet|iceberg|delta)\\s*\\.\\s*`[^`]*/)<name>(?<rest>.*)",
      ConvertToDelta::run));

  private ConvertToDelta() {}

  private static Rows run(SparkSession session, Matcher words) {
    String[] name = Names.full(session, words.group("name"));
    Securables.require(session, "TABLE", name);
    Access.require("MANAGE", "TABLE", String.join(".", name));
    Path file = Lake.entry("tables", name);
    Map<String, String> entry = JsonFiles.read(file);
    String provider = entry.getOrDefault(TableCatalog.PROP_PROVIDER, "delta");
    if (provider.equalsIgnoreCase("delta")) {
      return null;
    }
    if (!provider.equalsIgnoreCase("parquet")) {
      throw Refusal.of("DELTA_CONVERT_NON_PARQUET_TABLE", "CONVERT TO DELTA takes tables of"
          + " parquet; `" + String.join("`.`", name) + "` is one of " + provider + ".");
    }
    session.sql("CONVERT TO DELTA parquet.`" + entry.get(TableCatalog.PROP_LOCATION) + "`"
        + words.group("rest") + partitions(words.group("rest"), entry));
    Lake.change(file, kept -> {
      kept.put(TableCatalog.PROP_PROVIDER, "delta");
      kept.remove("schema");
      kept.remove("partitions");
    });
    return null;
  }

  private static String partitions(String written, Map<String, String> entry) {
    String columns = entry.getOrDefault("partitions", "");
    if (columns.isEmpty() || written.toUpperCase(Locale.ROOT).contains("PARTITIONED")) {
      return "";
    }
    StructType schema = (StructType) DataType.fromJson(entry.get("schema"));
    return Arrays.stream(columns.split("\n"))
        .map(column -> Sql.quoted(column) + " " + schema.apply(column).dataType().sql())
        .collect(Collectors.joining(", ", " PARTITIONED BY (", ")"));
  }
}
