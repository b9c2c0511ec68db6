package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.connector.catalog.CatalogV2Util;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.StructField;
import scala.jdk.javaapi.CollectionConverters;

/** The text of SHOW CREATE TABLE, which makes the same table or view again. */
final class CreateText {
  private static final String CHECK = "delta.constraints.";
  private static final String CLUSTERING = "clusteringColumns";
  private static final String OPTION = "option.";
  /** What Delta keeps among the properties and no statement may set. */
  private static final Set<String> DELTAS = Set.of(
      "delta.feature.clustering", // CLUSTER BY brings it
      "delta.columnMapping.maxColumnId", "delta.rowTracking.materializedRowIdColumnName",
      "delta.rowTracking.materializedRowCommitVersionColumnName",
      "delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp");

  private final String[] name;
  private final Map<String, String> properties;

  private CreateText(String[] name, Map<String, String> properties) {
    this.name = name;
    this.properties = new TreeMap<>(properties);
  }

  static String of(LakeCatalog catalog, Identifier id) throws Exception {
    String[] name = Access.object(catalog.name(), id).split("\\.");
    if (catalog.viewExists(id)) {
      LakeView view = catalog.view(id);
      return new CreateText(name, view.properties()).view(view);
    }
    Table table = catalog.loadTable(id);
    Map<String, String> properties = new TreeMap<>(table.properties());
    Map<String, String> kept = JsonFiles.read(Lake.entry("tables", name));
    properties.keySet().removeIf(key -> key.startsWith(OPTION) && !kept.containsKey(key));
    return new CreateText(name, properties).table(table);
  }

  private String view(LakeView view) {
    boolean evolves = "EVOLUTION".equals(view.mode()); // it takes its columns from the query
    StringJoiner columns = new StringJoiner(",\n  ", " (\n  ", ")");
    for (StructField field : view.schema().fields()) {
      columns.add(Sql.name(field.name()) + comment(field));
    }
    String mode = view.mode();
    boolean usual = mode == null || mode.equals("COMPENSATION");
    return "CREATE VIEW " + full() + (evolves ? "" : columns)
        + comment() + listed("TBLPROPERTIES", told())
        + (usual ? "" : "\nWITH SCHEMA " + mode)
        + "\nAS " + view.query() + "\n";
  }

  private String table(Table table) {
    Policies policies = Policies.of(name);
    return "CREATE TABLE " + full() + " " + columns(table, policies)
        + "\nUSING " + properties.getOrDefault("provider", "delta")
        + listed("OPTIONS", options())
        + partitions(table)
        + clustering()
        + location() + comment()
        + listed("TBLPROPERTIES", told())
        + rowFilter(policies)
        + "\n";
  }

  private String full() {
    return Stream.of(name).map(Sql::name).collect(Collectors.joining("."));
  }

  private String columns(Table table, Policies policies) {
    StringJoiner out = new StringJoiner(",\n  ", "(\n  ", ")");
    for (StructField field : InformationColumns.schema(table).fields()) {
      out.add(Sql.name(field.name()) + " " + InformationColumns.type(field)
          + (field.nullable() ? "" : " NOT NULL")
          + InformationColumns.clause(field) + comment(field) + mask(policies, field.name()));
    }
    properties.forEach((key, value) -> {
      if (key.startsWith(CHECK)) {
        String constraint = Sql.name(key.substring(CHECK.length()));
        out.add("CONSTRAINT " + constraint + " CHECK (" + value + ")");
      }
    });
    Constraints.texts(name).forEach(out::add);
    return out.toString();
  }

  private static String mask(Policies policies, String column) {
    String function = policies.mask(column);
    List<String> using = policies.using(column);
    return function == null ? "" : " MASK " + function
        + (using.isEmpty() ? "" : " USING COLUMNS (" + names(using) + ")");
  }

  private static String rowFilter(Policies policies) {
    return policies.filter() == null ? "" : "\nWITH ROW FILTER " + policies.filter()
        + " ON (" + names(policies.filtered()) + ")";
  }

  private static String partitions(Table table) {
    List<String> columns = new ArrayList<>();
    for (Transform transform : table.partitioning()) {
      if (transform.name().equals("identity")) {
        columns.add(transform.references()[0].fieldNames()[0]);
      }
    }
    return columns.isEmpty() ? "" : "\nPARTITIONED BY (" + names(columns) + ")";
  }

  private String clustering() {
    String[][] columns =
        JsonFiles.parse(properties.getOrDefault(CLUSTERING, "[]"), String[][].class);
    String list = Stream.of(columns)
        .map(parts -> Stream.of(parts).map(Sql::name).collect(Collectors.joining(".")))
        .collect(Collectors.joining(", "));
    return list.isEmpty() ? "" : "\nCLUSTER BY (" + list + ")";
  }

  private static String names(List<String> columns) {
    return columns.stream().map(Sql::name).collect(Collectors.joining(", "));
  }

  private static String comment(StructField field) {
    return field.getComment().isDefined()
        ? " COMMENT " + Sql.literal(field.getComment().get())
        : "";
  }

  private String location() {
    return properties.containsKey(TableCatalog.PROP_EXTERNAL)
        ? "\nLOCATION " + Sql.literal(properties.get(TableCatalog.PROP_LOCATION))
        : "";
  }

  private String comment() {
    String comment = properties.get(TableCatalog.PROP_COMMENT);
    return comment == null ? "" : "\nCOMMENT " + Sql.literal(comment);
  }

  private Map<String, String> options() {
    Map<String, String> options = new TreeMap<>();
    properties.forEach((key, value) -> {
      if (key.startsWith(OPTION)) {
        options.put(key.substring(OPTION.length()), value);
      }
    });
    return options;
  }

  /** Returns the properties that are a user's, or that a user could have set. */
  private Map<String, String> told() {
    Set<String> kept = new TreeSet<>(
        CollectionConverters.asJava(CatalogV2Util.TABLE_RESERVED_PROPERTIES()));
    kept.addAll(DELTAS);
    kept.add(CLUSTERING);
    Map<String, String> told = new TreeMap<>(properties);
    told.keySet().removeIf(key ->
        kept.contains(key) || key.startsWith(CHECK) || key.startsWith(OPTION)
            || properties.containsKey(OPTION + key));
    return told;
  }

  private static String listed(String word, Map<String, String> properties) {
    return properties.isEmpty() ? "" : properties.entrySet().stream()
        .map(entry -> Sql.literal(entry.getKey()) + " = " + Sql.literal(entry.getValue()))
        .collect(Collectors.joining(",\n  ", "\n" + word + " (\n  ", ")"));
  }
}
