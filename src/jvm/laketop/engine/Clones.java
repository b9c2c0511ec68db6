package laketop.engine;

import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.catalyst.TimeTravel;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.plans.logical.CloneTableStatement;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import scala.jdk.javaapi.CollectionConverters;

/** What CLONE needs, asked before it is resolved: Delta makes a new target while it does that. */
final class Clones {
  private static final int TABLE_DEPTH = 3;

  private Clones() {}

  static void require(SparkSession session, LogicalPlan plan) {
    if (plan instanceof CloneTableStatement clone) {
      requireSource(session, clone.source());
      requireTarget(session, clone);
    }
  }

  private static void requireSource(SparkSession session, LogicalPlan source) {
    List<String> written = written(source);
    if (written.isEmpty()) {
      return; // which Delta refuses
    }
    String user = Sessions.user(session);
    if (isPath(written)) {
      PathAccess.require(user, "SELECT", new org.apache.hadoop.fs.Path(written.get(1)));
      return;
    }
    String[] name = named(session, written);
    if (name == null) {
      return;
    }
    Access.table(user, "SELECT", name[0], Identifier.of(new String[] {name[1]}, name[2]));
    if (!Policies.of(name).none()) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "CLONE of a table with a row filter or a column mask is not supported.");
    }
  }

  private static void requireTarget(SparkSession session, CloneTableStatement clone) {
    List<String> written = written(clone.target());
    String user = Sessions.user(session);
    if (isPath(written)) {
      PathAccess.require(user, "MODIFY", new org.apache.hadoop.fs.Path(written.get(1)));
      return;
    }
    if (clone.targetLocation().isDefined()) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "CLONE ... LOCATION is not supported: leave LOCATION"
          + " out, or clone to delta.`" + clone.targetLocation().get() + "`.");
    }
    String[] name = named(session, written);
    if (name != null && clone.isReplaceCommand()) {
      Identifier id = Identifier.of(new String[] {name[1]}, name[2]);
      if (TableStatements.catalog(session, name).tableExists(id)) {
        Access.table(user, "MANAGE", name[0], id);
      }
    }
  }

  /** Returns the parts of the name, also of one that travels in time; none of another plan. */
  private static List<String> written(LogicalPlan plan) {
    LogicalPlan named = plan instanceof TimeTravel travel ? travel.relation() : plan;
    return named instanceof UnresolvedRelation relation
        ? CollectionConverters.asJava(relation.multipartIdentifier())
        : List.of();
  }

  /** Returns catalog, schema and table; null for what can be no table of a catalog. */
  private static String[] named(SparkSession session, List<String> written) {
    String[] name = Functions.qualify(session, written);
    boolean possible =
        name != null && Names.valid(name[0]) && Names.valid(name[1]) && Names.valid(name[2]);
    return possible ? name : null;
  }

  private static boolean isPath(List<String> written) {
    return written.size() == 2
        && (written.get(1).startsWith("/") || written.get(1).contains(":/"));
  }

  /** Returns the name of the table whose folder it is, or null for another path. */
  static String[] table(org.apache.hadoop.fs.Path path) {
    Path folder = Path.of(path.toUri().getPath()).normalize();
    if (!folder.startsWith(Lake.root())) {
      return null;
    }
    Path inside = Lake.root().relativize(folder);
    return inside.getNameCount() == TABLE_DEPTH
        ? new String[] {
            inside.getName(0).toString(), inside.getName(1).toString(), inside.getName(2).toString()}
        : null;
  }
}
