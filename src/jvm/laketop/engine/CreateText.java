package laketop.engine;

import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Relation;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.StructField;

/** The text of SHOW CREATE TABLE, which Delta refuses to write. */
final class CreateText {
  private CreateText() {}

  static String of(LakeCatalog catalog, Identifier id) throws Exception {
    String name = Access.object(catalog.name(), id);
    Relation relation = catalog.loadRelation(id);
    if (relation instanceof View view) {
      return "CREATE VIEW " + name + " AS " + view.queryText() + "\n";
    }
    Table table = (Table) relation;
    Map<String, String> properties = new TreeMap<>(table.properties());
    return "CREATE TABLE " + name + " " + columns(catalog, id, table)
        + "\nUSING " + properties.getOrDefault("provider", "delta")
        + partitions(table)
        + clauses(properties)
        + delta(properties)
        + "\n";
  }

  @SuppressWarnings("deprecation")
  private static String columns(LakeCatalog catalog, Identifier id, Table table) {
    StringJoiner out = new StringJoiner(",\n  ", "(\n  ", ")");
    for (StructField field : table.schema().fields()) {
      out.add(column(field));
    }
    JsonFiles.read(catalog.constraints(id)).values().stream().sorted().forEach(out::add);
    return out.toString();
  }

  private static String column(StructField field) {
    boolean told = field.getComment().isDefined();
    return field.name() + " " + field.dataType().sql()
        + (field.nullable() ? "" : " NOT NULL")
        + (told ? " COMMENT " + text(field.getComment().get()) : "");
  }

  private static String partitions(Table table) {
    StringJoiner out = new StringJoiner(", ", "\nPARTITIONED BY (", ")");
    out.setEmptyValue("");
    for (Transform transform : table.partitioning()) {
      out.add(String.join(".", transform.references()[0].fieldNames()));
    }
    return out.toString();
  }

  private static String clauses(Map<String, String> properties) {
    boolean external = properties.containsKey(TableCatalog.PROP_EXTERNAL);
    String comment = properties.get(TableCatalog.PROP_COMMENT);
    return (external ? "\nLOCATION " + text(properties.get(TableCatalog.PROP_LOCATION)) : "")
        + (comment == null ? "" : "\nCOMMENT " + text(comment));
  }

  private static String delta(Map<String, String> properties) {
    StringJoiner out = new StringJoiner(",\n  ", "\nTBLPROPERTIES (\n  ", ")");
    out.setEmptyValue("");
    properties.forEach((key, value) -> {
      if (key.startsWith("delta.")) {
        out.add(text(key) + " = " + text(value));
      }
    });
    return out.toString();
  }

  private static String text(String value) {
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
