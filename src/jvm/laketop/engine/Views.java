package laketop.engine;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/** A view as a JSON file. */
final class Views {
  private Views() {}

  @SuppressWarnings("unchecked")
  static View read(Path file) {
    Map<String, String> entry = JsonFiles.read(file);
    Map<String, String> properties = JsonFiles.parse(entry.get("properties"), HashMap.class);
    properties.put("owner", entry.getOrDefault("owner", ""));
    return new View.Builder()
        .withSchema((StructType) DataType.fromJson(entry.get("schema")))
        .withProperties(properties)
        .withQueryText(entry.get("query"))
        .withCurrentCatalog(entry.get("catalog"))
        .withCurrentNamespace(JsonFiles.parse(entry.get("namespace"), String[].class))
        .withSqlConfigs(JsonFiles.parse(entry.get("configs"), HashMap.class))
        .withSchemaMode(entry.get("mode"))
        .withQueryColumnNames(JsonFiles.parse(entry.get("columns"), String[].class))
        .build();
  }

  static View write(Path file, View view, String owner) {
    Map<String, String> entry = new HashMap<>();
    entry.put("owner", owner);
    entry.put("schema", view.schema().json());
    entry.put("properties", JsonFiles.text(view.properties()));
    entry.put("query", view.queryText());
    entry.put("catalog", view.currentCatalog());
    entry.put("namespace", JsonFiles.text(view.currentNamespace()));
    entry.put("configs", JsonFiles.text(view.sqlConfigs()));
    entry.put("mode", view.schemaMode());
    entry.put("columns", JsonFiles.text(view.queryColumnNames()));
    JsonFiles.write(file, entry);
    return view;
  }
}
