package laketop.engine;

import io.unitycatalog.laketop.FolderCatalog;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.spark.connect.proto.ListTables;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What {@code spark.catalog.listTables} tells, of which Spark would load each table.
 *
 * <p>The call becomes a table function, whose name with its spaces is that of no function of a user.
 */
final class ListedTables {
  private static final String NAME = "list tables";
  private static final StructType COLUMNS = new StructType()
      .add("name", DataTypes.StringType)
      .add("catalog", DataTypes.StringType)
      .add("namespace", DataTypes.createArrayType(DataTypes.StringType))
      .add("description", DataTypes.StringType)
      .add("tableType", DataTypes.StringType)
      .add("isTemporary", DataTypes.BooleanType);

  private ListedTables() {}

  /** Returns the statement that answers the call. */
  static String statement(ListTables call) {
    String schema = call.hasDbName() ? Sql.literal(call.getDbName()) : "NULL";
    String pattern = Sql.literal(call.hasPattern() ? call.getPattern() : "*");
    return "SELECT * FROM " + Sql.quoted(NAME) + "(" + schema + ", " + pattern + ")";
  }

  static boolean is(UnresolvedTableValuedFunction call) {
    return call.name().size() == 1
        && call.name().head().equals(NAME)
        && call.functionArgs().size() == 2;
  }

  static LogicalPlan plan(SparkSession session, UnresolvedTableValuedFunction call) {
    Object schema = call.functionArgs().apply(0).eval(null);
    Pattern like = Names.like(call.functionArgs().apply(1).eval(null).toString());
    String[] name = Names.schema(session,
        schema == null ? Sql.quoted(Names.currentSchema(session)) : schema.toString());
    return AnalysisContext$.MODULE$.withNewAnalysisContext(() -> {
      Dataset<Row> rows = session.createDataFrame(rows(session, name, like), COLUMNS);
      return ((org.apache.spark.sql.classic.Dataset<Row>) rows).logicalPlan();
    });
  }

  private static List<Row> rows(SparkSession session, String[] name, Pattern like) {
    Catalogs.existing(name[0]);
    LakeCatalog catalog = (LakeCatalog) session.sessionState().catalogManager().catalog(name[0]);
    List<Row> rows = new ArrayList<>();
    try {
      JsonFiles.once(() -> {
        Map<String, Row> found = new TreeMap<>();
        for (Identifier id : catalog.relations(name[1])) {
          if (like.matcher(id.name()).matches()) {
            row(catalog, id).ifPresent(row -> found.put(id.name(), row));
          }
        }
        return rows.addAll(found.values());
      });
    } catch (NoSuchNamespaceException e) {
      throw Lake.sneak(e);
    }
    for (TableIdentifier view :
        CollectionConverters.asJava(session.sessionState().catalog().listLocalTempViews("*"))) {
      if (like.matcher(view.table()).matches()) {
        rows.add(RowFactory.create(view.table(), null, new String[0], null, "TEMPORARY", true));
      }
    }
    return rows;
  }

  private static Optional<Row> row(LakeCatalog catalog, Identifier id) {
    return catalog.told(id).map(told -> {
      String type = catalog.viewExists(id)
          ? "VIEW"
          : told.containsKey("external")
              ? FolderCatalog.EXTERNAL
              : FolderCatalog.MANAGED;
      return RowFactory.create(
          id.name(), catalog.name(), id.namespace(), told.get("comment"), type, false);
    });
  }
}
