package laketop.engine;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.delta.DeltaOperations;
import org.apache.spark.sql.delta.OptimisticTransaction;
import org.apache.spark.sql.delta.actions.Action;
import org.apache.spark.sql.delta.actions.Metadata;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/** ALTER COLUMN ... SET NOT NULL, which Spark refuses before Delta is asked, and Delta too. */
final class NotNull {
  static final List<Statement> ALL = List.of(Statement.of(
      "ALTER~TABLE~<name>~(?:ALTER|CHANGE)~(?:COLUMN~)?(?<column>`[^`]+`|\\w+)~SET~NOT~NULL",
      NotNull::set));

  private NotNull() {}

  private static Rows set(SparkSession session, Matcher words) {
    String[] name = Names.full(session, words.group("name"));
    String column = words.group("column").replace("`", "");
    Securables.require(session, "TABLE", name);
    Identifier id = Identifier.of(new String[] {name[1]}, name[2]);
    LakeCatalog catalog = TableStatements.catalog(session, name);
    Access.table("MODIFY", catalog.name(), id);
    if (catalog.viewExists(id) || !(catalog.loadTable(id) instanceof DeltaTableV2 table)) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "SET NOT NULL is of the tables of Delta.");
    }
    if (!Policies.of(name).none()) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "SET NOT NULL looks at every row, which a row filter"
          + " or column mask hides: drop it before.");
    }
    change(session, table, String.join(".", Arrays.stream(name).map(Sql::quoted).toList()), column);
    return null;
  }

  /** Commits only if nobody wrote to the table since its rows were looked at. */
  private static void change(
      SparkSession session, DeltaTableV2 table, String name, String column) {
    OptimisticTransaction transaction = table.startTransaction(Option.empty());
    transaction.readWholeTable();
    Metadata old = transaction.metadata();
    StructField[] fields = old.schema().fields().clone();
    StructField changed = null;
    for (int i = 0; i < fields.length; i++) {
      if (fields[i].name().equalsIgnoreCase(column)) {
        StructField field = fields[i];
        changed = new StructField(field.name(), field.dataType(), false, field.metadata());
        fields[i] = changed;
      }
    }
    if (changed == null) {
      throw Refusal.of("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
          "`" + column + "` is no column of the table " + name + ".");
    }
    requireFull(session, name, changed.name());
    transaction.updateMetadata(old.copy(old.id(), old.name(), old.description(), old.format(),
        new StructType(fields).json(), old.partitionColumns(), old.configuration(),
        old.createdTime()), false);
    transaction.commit(CollectionConverters.asScala(List.<Action>of()).toList(),
        new DeltaOperations.ChangeColumn(
            CollectionConverters.asScala(List.<String>of()).toList(), changed.name(), changed,
            Option.empty()));
  }

  private static void requireFull(SparkSession session, String table, String column) {
    boolean full = session.sql("SELECT 1 FROM " + table + " WHERE " + Sql.quoted(column)
        + " IS NULL LIMIT 1").isEmpty();
    if (!full) {
      throw Refusal.of("DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
          "The column `" + column + "` of " + table + " has rows that are null.");
    }
  }
}
