package laketop.engine;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;

/**
 * The information_schema of one catalog, or in {@code system} of all, computed when it is read.
 *
 * <p>A user sees what the user has a privilege on. Source: Databricks docs, information schema;
 * a trailing {@code :I} is a whole number, {@code :T} a timestamp.
 */
final class InformationSchema {
  static final String NAME = "information_schema";
  private static final String AUDIT = " created:T created_by last_altered:T last_altered_by";
  private static final String TABLE = "table_catalog table_schema table_name";
  private static final String CONSTRAINT =
      "constraint_catalog constraint_schema constraint_name ";
  private static final String TAGS =
      "catalog_name schema_name table_name column_name tag_name tag_value";

  private static final Map<String, String> COLUMNS = new TreeMap<>(Map.ofEntries(
      Map.entry("catalogs", "catalog_name catalog_owner comment" + AUDIT),
      Map.entry("schemata", "catalog_name schema_name schema_owner comment" + AUDIT),
      Map.entry("tables", TABLE + " table_type is_insertable_into commit_action table_owner"
          + " comment" + AUDIT + " data_source_format storage_path storage_sub_directory"),
      Map.entry("views", TABLE + " view_definition check_option is_updatable"
          + " is_insertable_into sql_path is_materialized"),
      Map.entry("columns", TABLE + " column_name ordinal_position:I column_default is_nullable"
          + " full_data_type data_type character_maximum_length:I character_octet_length"
          + " numeric_precision:I numeric_precision_radix:I numeric_scale:I"
          + " datetime_precision:I interval_type interval_precision:I maximum_cardinality:I is_identity"
          + " is_generated generation_expression partition_ordinal_position:I comment"),
      Map.entry("volumes", "volume_catalog volume_schema volume_name volume_type volume_owner"
          + " comment" + AUDIT + " storage_location"),
      Map.entry("routines", "specific_catalog specific_schema specific_name routine_catalog"
          + " routine_schema routine_name routine_owner routine_type data_type full_data_type"
          + " routine_body routine_definition external_language security_type comment" + AUDIT),
      Map.entry("parameters", "specific_catalog specific_schema specific_name ordinal_position:I"
          + " parameter_mode parameter_name data_type full_data_type parameter_default comment"),
      Map.entry("catalog_privileges", privileges("catalog_name")),
      Map.entry("schema_privileges", privileges("catalog_name schema_name")),
      Map.entry("table_privileges", privileges(TABLE)),
      Map.entry("volume_privileges", privileges("volume_catalog volume_schema volume_name")),
      Map.entry("routine_privileges",
          privileges("routine_catalog routine_schema routine_name")),
      Map.entry("table_constraints", CONSTRAINT + TABLE
          + " constraint_type is_deferrable initially_deferred enforced"),
      Map.entry("key_column_usage", CONSTRAINT + TABLE
          + " column_name ordinal_position:I position_in_unique_constraint:I"),
      Map.entry("referential_constraints", CONSTRAINT + "unique_constraint_catalog"
          + " unique_constraint_schema unique_constraint_name match_option update_rule"
          + " delete_rule"),
      Map.entry("constraint_column_usage", TABLE + " column_name " + CONSTRAINT.strip()),
      Map.entry("catalog_tags", "catalog_name tag_name tag_value"),
      Map.entry("schema_tags", "catalog_name schema_name tag_name tag_value"),
      Map.entry("table_tags", TAGS.replace(" column_name", "")),
      Map.entry("column_tags", TAGS),
      Map.entry("row_filters", TABLE + " filter_name target_columns"),
      Map.entry("column_masks", TABLE + " column_name mask_name using_columns"),
      Map.entry("volume_tags", "catalog_name schema_name volume_name tag_name tag_value")));

  private InformationSchema() {}

  private static String privileges(String object) {
    return "grantor grantee " + object + " privilege_type is_grantable inherited_from";
  }

  static boolean is(String[] namespace) {
    return namespace.length == 1 && namespace[0].equalsIgnoreCase(NAME);
  }

  static boolean holds(Identifier id) {
    return is(id.namespace());
  }

  static String[] namespace() {
    return new String[] {NAME};
  }

  static Identifier[] tables() {
    return COLUMNS.keySet().stream()
        .map(name -> Identifier.of(namespace(), name))
        .toArray(Identifier[]::new);
  }

  static Table table(LakeCatalog catalog, Identifier id) {
    String name = Names.key(id.name());
    String columns = COLUMNS.get(name);
    if (columns == null) {
      throw Lake.sneak(NameErrors.noTable(catalog.name(), id));
    }
    Set<String> catalogs = catalog.name().equals(Lake.SYSTEM)
        ? Catalogs.names()
        : new TreeSet<>(List.of(catalog.name()));
    SparkSession session = Sessions.active(); // whose user asks, whoever reads the rows
    return new Rows(NAME + "." + name, columns.split(" "),
        () -> InformationRows.of(session, catalogs, name));
  }
}
