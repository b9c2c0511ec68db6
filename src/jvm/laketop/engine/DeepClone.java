package laketop.engine;

import static org.apache.spark.sql.functions.lit;

import java.util.List;
import java.util.regex.Matcher;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;

/**
 * A clone with files of its own: a shallow one, whose rows are then written anew.
 *
 * <p>A kill in between leaves the shallow clone, which is whole. The second write says that it
 * changes no data, so that neither streams nor the change feed see it.
 */
final class DeepClone {
  static final List<Statement> ALL = List.of(Statement.of(
      "(?<verb>(?:CREATE~(?:OR~REPLACE~)?|REPLACE~)TABLE)(?<guard>~IF~NOT~EXISTS)?~<name>"
          + "~(?:DEEP~)?CLONE~(?<source>.+)", DeepClone::run));

  private DeepClone() {}

  private static Rows run(SparkSession session, Matcher words) throws Exception {
    String target = words.group("name");
    if (words.group("guard") != null && exists(session, Names.full(session, target))) {
      return null;
    }
    String shallow = words.group("verb") + " " + target + " SHALLOW CLONE " + words.group("source");
    make(session, target, shallow);
    return null;
  }

  private static boolean exists(SparkSession session, String[] name) {
    Catalogs.existing(name[0]);
    LakeCatalog catalog =
        (LakeCatalog) session.sessionState().catalogManager().catalog(name[0]);
    return catalog.tableExists(Identifier.of(new String[] {name[1]}, name[2]));
  }

  /** Makes the table by a statement that clones it shallowly, and gives it its own files. */
  static void make(SparkSession session, String target, String shallow) {
    if (Names.full(session, target)[1].equals("delta")) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "DEEP CLONE to a path is not supported; name a table.");
    }
    session.sql(shallow);
    try {
      session.table(target).writeTo(target).option("dataChange", "false").overwrite(lit(true));
    } catch (NoSuchTableException e) {
      throw Lake.sneak(e);
    }
  }
}
