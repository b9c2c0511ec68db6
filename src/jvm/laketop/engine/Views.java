package laketop.engine;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/** A view as a JSON file. */
final class Views {
  /** A property that one version of Spark gives each view, and to another is a user's. */
  private static final String TYPE = "table_type";

  private Views() {}

  @SuppressWarnings("unchecked")
  static LakeView read(Path file) {
    Map<String, String> entry = JsonFiles.read(file);
    Map<String, String> properties = JsonFiles.parse(entry.get("properties"), HashMap.class);
    properties.remove(TYPE);
    properties.put("owner", entry.getOrDefault("owner", ""));
    return new LakeView(
        (StructType) DataType.fromJson(entry.get("schema")),
        properties,
        entry.get("query"),
        entry.get("catalog"),
        JsonFiles.parse(entry.get("namespace"), String[].class),
        JsonFiles.parse(entry.get("configs"), HashMap.class),
        entry.get("mode"),
        JsonFiles.parse(entry.get("columns"), String[].class));
  }

  static void write(Path file, LakeView view, String owner) {
    Map<String, String> entry = new HashMap<>();
    entry.put("owner", owner);
    entry.put("schema", view.schema().json());
    entry.put("properties", JsonFiles.text(view.properties()));
    entry.put("query", view.query());
    entry.put("catalog", view.catalog());
    entry.put("namespace", JsonFiles.text(view.namespace()));
    entry.put("configs", JsonFiles.text(view.configs()));
    entry.put("mode", view.mode());
    entry.put("columns", JsonFiles.text(view.columns()));
    JsonFiles.write(file, entry);
  }
}
