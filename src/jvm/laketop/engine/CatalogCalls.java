package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.connect.proto.Catalog;
import org.apache.spark.connect.proto.ExecutePlanRequest;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.connect.proto.SQL;

/**
 * Calls of {@code spark.catalog} that Spark answers from the catalogs which a session happens to
 * have used: they are turned into the statements that know them all, and what a user may see.
 */
final class CatalogCalls {
  private CatalogCalls() {}

  /** Returns the request, or one of the same meaning. */
  static ExecutePlanRequest understood(ExecutePlanRequest request) {
    if (!request.getPlan().hasRoot() || !request.getPlan().getRoot().hasCatalog()) {
      return request;
    }
    String statement = statement(request.getPlan().getRoot().getCatalog());
    if (statement == null) {
      return request;
    }
    ExecutePlanRequest.Builder changed = request.toBuilder();
    Relation.Builder root = changed.getPlanBuilder().getRootBuilder();
    root.setSql(SQL.newBuilder().setQuery(statement));
    return changed.build();
  }

  private static String statement(Catalog call) {
    if (call.hasSetCurrentCatalog()) {
      return "SET CATALOG " + Sql.quoted(call.getSetCurrentCatalog().getCatalogName());
    }
    if (call.hasListTables()) {
      return ListedTables.statement(call.getListTables());
    }
    if (!call.hasListCatalogs()) {
      return null;
    }
    String pattern = call.getListCatalogs().getPattern();
    return "SELECT catalog_name AS name, comment AS description FROM " + Lake.SYSTEM
        + ".information_schema.catalogs"
        + (pattern.isEmpty() ? "" : " WHERE catalog_name RLIKE " + Sql.literal(any(pattern)))
        + " ORDER BY 1";
  }

  /** Returns the regular expression of a pattern: {@code *} is anything, {@code |} is or. */
  private static String any(String pattern) {
    List<String> choices = new ArrayList<>();
    for (String choice : pattern.split("\\|")) {
      choices.add("^" + choice.trim().replace("*", ".*") + "$");
    }
    return "(?i)" + String.join("|", choices);
  }
}
