package laketop.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.fs.GlobExpander;
import org.apache.hadoop.fs.GlobPattern;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.streaming.WriteToStreamStatement;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.runtime.BoxedUnit;

/**
 * Whether a user may read or write files by their path: those of a volume by its grants, and of
 * the rest of the state folder only dbfs:/, since tables, tokens and keys lie there.
 */
final class PathAccess {
  private static final String SELECT = "SELECT";
  private static final String PREFIX = "/Volumes/";
  private static final int SCHEMA_PARTS = 4;

  private PathAccess() {}

  /** Requires the privilege, SELECT or another, of every path that the pattern may stand for. */
  static void require(String user, String privilege, org.apache.hadoop.fs.Path path) {
    boolean dbfs = "dbfs".equals(path.toUri().getScheme());
    for (String place : expanded(path.toUri().getPath())) {
      if (place.startsWith(PREFIX)) {
        volume(user, privilege, place.split("/"));
      } else if (!Users.isAdmin(user)) {
        elsewhere(user, privilege, place, dbfs);
      }
    }
  }

  /** What an external table or volume has outside of the state folder is as its name allows. */
  private static void elsewhere(String user, String privilege, String place, boolean dbfs) {
    if (closed(place, dbfs, !privilege.equals(SELECT))) {
      throw new Denied(user, "READ FILES", "PATH", place);
    }
    Path at = real(dbfs ? mapped(place) : written(place));
    for (Storage.External external : Storage.external()) {
      if (meets(at, external.folder())) {
        String[] name = external.object().split("\\.");
        if (external.type().equals("TABLE")) {
          Access.table(user, privilege, name[0], Identifier.of(new String[] {name[1]}, name[2]));
          if (!Policies.of(name).none()) { // its files hold the rows and values that they hide
            throw new Denied(user, "READ FILES", "PATH", place);
          }
        } else {
          Access.require(user, ofVolume(privilege), "VOLUME", external.object());
        }
      }
    }
  }

  /** Is asked before Spark resolves a stream, which makes the folder of its checkpoint. */
  static void requireCheckpoint(SparkSession session, LogicalPlan plan) {
    if (plan instanceof WriteToStreamStatement stream) {
      String set = session.conf().get("spark.sql.streaming.checkpointLocation", "");
      Option<String> written = stream.userSpecifiedCheckpointLocation();
      String place = written.isDefined() ? written.get() : set;
      if (!place.isEmpty()) {
        require(Sessions.user(session), "MODIFY", new org.apache.hadoop.fs.Path(place));
      }
    }
  }

  /**
   * Is asked before Spark resolves what a query reads by format and path: to learn its columns it
   * reads files then, and says of whatever goes wrong that the query could not be planned.
   */
  static void requireFiles(SparkSession session, LogicalPlan plan) {
    plan.foreachWithSubqueries(node -> {
      if (node instanceof UnresolvedRelation relation) {
        Seq<String> parts = relation.multipartIdentifier();
        // The body of a view or function is its owner's affair, which is looked at later.
        if (parts.size() == 2 && AccessRule.isPath(parts.last()) && !AccessRule.forAnother(session)) {
          require(Sessions.user(session), SELECT, new org.apache.hadoop.fs.Path(parts.last()));
        }
      }
      return BoxedUnit.UNIT;
    });
  }

  private static List<String> expanded(String pattern) {
    try {
      return GlobExpander.expand(pattern);
    } catch (IOException e) {
      return List.of(pattern); // whose braces are no pattern
    }
  }

  private static void volume(String user, String privilege, String[] parts) {
    String need = ofVolume(privilege);
    if (parts.length == SCHEMA_PARTS) {
      Access.require(user, need, "SCHEMA", Names.key(parts[2] + "." + parts[3]));
    } else if (parts.length > SCHEMA_PARTS) {
      String volume = Names.key(String.join(".", parts[2], parts[3], parts[4]));
      Access.require(user, need, "VOLUME", volume);
    }
  }

  private static String ofVolume(String privilege) {
    return privilege.equals(SELECT) ? "READ VOLUME" : "WRITE VOLUME";
  }

  /** A folder above the state folder is closed to who writes, which may be to replace it. */
  private static boolean closed(String place, boolean dbfs, boolean writes) {
    Path state = real(Lake.root().getParent());
    Path at = real(written(place));
    if (dbfs) {
      return !real(mapped(place)).startsWith(real(Lake.dbfs())) || reaches(at, state);
    }
    return writes && state.startsWith(at)
        || reaches(at, state) && !at.startsWith(real(Lake.dbfs()));
  }

  private static Path written(String place) {
    return Path.of(Moves.now(Path.of(place).toAbsolutePath().normalize().toString()));
  }

  private static Path mapped(String place) {
    return Path.of(Lake.dbfs() + "/" + place).normalize();
  }

  /** Returns whether the path, perhaps a pattern, is the folder or in it. */
  private static boolean reaches(Path path, Path folder) {
    return path.getNameCount() >= folder.getNameCount() && meets(path, folder);
  }

  /** Returns whether the path, perhaps a pattern, is the folder, in it, or above it. */
  private static boolean meets(Path path, Path folder) {
    for (int i = 0; i < Math.min(path.getNameCount(), folder.getNameCount()); i++) {
      String name = folder.getName(i).toString();
      String pattern = path.getName(i).toString();
      if (!pattern.equals(name) && !matches(pattern, name)) {
        return false;
      }
    }
    return true;
  }

  private static boolean matches(String pattern, String name) {
    try {
      return new GlobPattern(pattern).matches(name);
    } catch (RuntimeException e) {
      return false; // it is no pattern, and not the name
    }
  }

  /** Returns the path without symbolic links, as far as it exists. */
  static Path real(Path path) {
    Path there = path;
    while (!Files.exists(there)) {
      there = there.getParent();
    }
    try {
      return there.toRealPath().resolve(there.relativize(path)).normalize();
    } catch (IOException e) {
      throw Lake.sneak(e);
    }
  }
}
