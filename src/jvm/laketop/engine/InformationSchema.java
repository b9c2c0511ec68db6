package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Relation;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.View;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The information_schema of one catalog, computed when it is read. */
final class InformationSchema {
  private static final String NAME = "information_schema";
  private static final String[] SCHEMATA =
      {"catalog_name", "schema_name", "schema_owner", "comment"};
  private static final String[] TABLES = {
    "table_catalog", "table_schema", "table_name", "table_type", "data_source_format",
    "table_owner", "comment", "storage_path"
  };
  private static final String[] COLUMNS = {
    "table_catalog", "table_schema", "table_name", "column_name", "ordinal_position#",
    "is_nullable", "full_data_type", "comment"
  };
  private static final String[] VIEWS =
      {"table_catalog", "table_schema", "table_name", "view_definition"};
  private static final String[] VOLUMES = {
    "volume_catalog", "volume_schema", "volume_name", "volume_type", "volume_owner", "comment",
    "storage_location"
  };

  private final LakeCatalog catalog;
  private final List<Object[]> rows = new ArrayList<>();

  private InformationSchema(LakeCatalog catalog) {
    this.catalog = catalog;
  }

  static boolean is(String[] namespace) {
    return namespace.length == 1 && namespace[0].equalsIgnoreCase(NAME);
  }

  static boolean holds(Identifier id) {
    return is(id.namespace());
  }

  static Table table(LakeCatalog catalog, Identifier id) {
    InformationSchema schema = new InformationSchema(catalog);
    try {
      return schema.table(id);
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
  }

  private Table table(Identifier id) throws Exception {
    String[] columns = switch (Names.key(id.name())) {
      case "schemata" -> SCHEMATA;
      case "tables" -> TABLES;
      case "columns" -> COLUMNS;
      case "views" -> VIEWS;
      case "volumes" -> VOLUMES;
      default -> throw new NoSuchTableException(id);
    };
    for (String[] namespace : catalog.listNamespaces()) {
      if (columns == SCHEMATA) {
        schema(namespace);
      } else if (columns == VOLUMES) {
        volumes(namespace[0]);
      } else {
        relations(namespace, columns);
      }
    }
    return new Rows(NAME + "." + Names.key(id.name()), columns, rows);
  }

  private void schema(String[] namespace) throws Exception {
    Map<String, String> metadata = catalog.loadNamespaceMetadata(namespace);
    add(catalog.name(), namespace[0], metadata.get("owner"), metadata.get("comment"));
  }

  private void volumes(String schema) {
    for (String volume : JsonFiles.names(Lake.schema(catalog.name(), schema).resolve("_volumes"))) {
      String[] name = {catalog.name(), schema, volume};
      Map<String, String> entry = JsonFiles.read(Lake.entry("volumes", name));
      add(catalog.name(), schema, volume, "MANAGED", entry.get("owner"), entry.get("comment"),
          "/Volumes/" + String.join("/", name));
    }
  }

  private void relations(String[] namespace, String[] columns) throws Exception {
    List<Identifier> names = new ArrayList<>();
    if (columns != VIEWS) {
      names.addAll(List.of(catalog.listTables(namespace)));
    }
    names.addAll(List.of(catalog.listViews(namespace)));
    for (Identifier id : names) {
      try {
        relation(id, catalog.loadRelation(id), columns);
      } catch (NoSuchTableException e) {
        continue; // it was dropped while the rows were made
      }
    }
  }

  private void relation(Identifier id, Relation relation, String[] columns) {
    if (columns == TABLES) {
      table(id, relation);
    } else if (columns == VIEWS) {
      add(catalog.name(), id.namespace()[0], id.name(), ((View) relation).queryText());
    } else {
      columns(id, schema(relation));
    }
  }

  private void table(Identifier id, Relation relation) {
    boolean view = relation instanceof View;
    Map<String, String> p =
        relation instanceof View v ? v.properties() : ((Table) relation).properties();
    String kept = p.containsKey(TableCatalog.PROP_EXTERNAL) ? "EXTERNAL" : "MANAGED";
    String type = view ? "VIEW" : kept;
    String format = view ? null : p.getOrDefault("provider", "delta").toUpperCase(Locale.ROOT);
    add(catalog.name(), id.namespace()[0], id.name(), type, format, p.get("owner"),
        p.get("comment"), p.get("location"));
  }

  @SuppressWarnings("deprecation")
  private static StructType schema(Relation relation) {
    return relation instanceof View view ? view.schema() : ((Table) relation).schema();
  }

  private void columns(Identifier id, StructType schema) {
    long position = 0;
    for (StructField field : schema.fields()) {
      String comment = field.getComment().isDefined() ? field.getComment().get() : null;
      add(catalog.name(), id.namespace()[0], id.name(), field.name(), position++,
          field.nullable() ? "YES" : "NO", field.dataType().sql(), comment);
    }
  }

  private void add(Object... row) {
    rows.add(row);
  }
}
